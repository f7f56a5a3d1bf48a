"""How well a network of digits reads photos of digits on paper.

    python3 -m venv venv && venv/bin/pip install pillow numpy
    target/release/backproof data export mnist-sample digits
    venv/bin/python bench/paper.py target/release/backproof runs/quickstart/latest digits/test photos

makes photos of the digits in digits/test, `photos/KIND/CLASS/INDEX.png` (or .jpg), and prints the accuracy on each kind: `--ink never`,
which shows a picture to the network as it is, `--invert --center` or `--center`, whichever a person would type, and `--ink auto`. The last
column is the share of pictures that `--ink auto` warns of. The seed is fixed: the same digits give the same photos.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy
from PIL import Image, ImageFilter

SEED = 1


class Sheet:
    """A photo in the making: light on the paper and the share of ink, both in floating point."""

    def __init__(self, digit, random, side=None, share=None):
        self.random = random
        self.side = side or int(numpy.exp(random.uniform(numpy.log(100), numpy.log(600))))
        self.ink = numpy.zeros((self.side, self.side))
        # MNIST's digits have 20 of 28 pixels: so much of the sheet has the digit with its margin.
        size = max(int(self.side * (share or random.uniform(0.35, 0.9))), 28)
        large = numpy.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC), float) / 255
        top, left = random.integers(0, self.side - size + 1, 2)
        self.ink[top : top + size, left : left + size] = large
        self.at = (numpy.mgrid[: self.side, : self.side] + 0.5) / self.side

    def light(self, strength):
        """A lamp on one side: falls by `strength` over the sheet, a little curved."""
        angle = self.random.uniform(0, 2 * numpy.pi)
        along = (self.at[0] - 0.5) * numpy.sin(angle) + (self.at[1] - 0.5) * numpy.cos(angle)
        return 1 - strength * (0.5 + along / 1.42) - 0.15 * strength * along**2

    def shadow(self, depth):
        """The shadow of a hand: one side of a soft edge is darker by `depth`."""
        angle = self.random.uniform(0, 2 * numpy.pi)
        along = (self.at[0] - 0.5) * numpy.sin(angle) + (self.at[1] - 0.5) * numpy.cos(angle)
        return 1 - depth / (1 + numpy.exp(-(along - self.random.uniform(-0.2, 0.2)) / 0.02))

    def rules(self, squared):
        """Fainter lines of a pale blue, about every eighth of the sheet."""
        step = self.side * self.random.uniform(0.1, 0.16)
        width = max(1.0, self.side / 200)
        offset = self.random.uniform(0, step, 2)
        lines = [((self.at[axis] * self.side + offset[axis]) % step < width) for axis in ([0, 1] if squared else [0])]
        return numpy.where(numpy.any(lines, axis=0), 0.78, 1.0)

    def photo(self, paper, ink, light=1.0, noise=0.0, blur=0.0):
        level = light * (paper + (ink - paper) * self.ink)
        if blur:
            sharp = Image.fromarray(numpy.clip(numpy.round(level), 0, 255).astype(numpy.uint8))
            level = numpy.asarray(sharp.filter(ImageFilter.GaussianBlur(blur)), float)
        level = level + noise * self.random.normal(size=level.shape)
        return Image.fromarray(numpy.clip(numpy.round(level), 0, 255).astype(numpy.uint8))


def pen(random, paper):
    """The brightness of a dark pen's stroke on paper of this brightness."""
    return paper * random.uniform(0.1, 0.4)


def uniform(paper):
    return lambda digit, random: Sheet(digit, random).photo(paper, pen(random, paper))


def on_some_paper(make, **of_sheet):
    def photo(digit, random):
        paper = random.uniform(140, 250)
        sheet = Sheet(digit, random, **of_sheet)
        return make(sheet, paper, pen(random, paper), random)

    return photo


KINDS = {
    **{f"paper {paper}": uniform(paper) for paper in (120, 160, 200, 230, 255)},
    "light on dark": lambda digit, random: Sheet(digit, random).photo(random.uniform(0, 90), random.uniform(170, 255)),
    "small on a sheet": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink), share=0.15, side=700),
    "1,500 pixels": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink), side=1500),
    "28 pixels": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink), side=28, share=1.0),
    "uneven light": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, sheet.light(0.5))),
    "shadow": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, sheet.shadow(0.4))),
    "noise": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, noise=15)),
    "blur": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, blur=sheet.side / 80)),
    "JPEG, quality 30": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, noise=4)),
    "ruled": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, sheet.rules(False), noise=3)),
    "squared": on_some_paper(lambda sheet, paper, ink, _: sheet.photo(paper, ink, sheet.rules(True), noise=3)),
    "all of it, JPEG": on_some_paper(
        lambda sheet, paper, ink, _: sheet.photo(paper, ink, sheet.light(0.4) * sheet.shadow(0.2), 8, sheet.side / 150)
    ),
}


def make_photos(digits, folder):
    for number, (kind, make) in enumerate(KINDS.items()):
        for index, path in enumerate(digits):
            random = numpy.random.default_rng([SEED, number, index])
            photo = make(numpy.asarray(Image.open(path).convert("L")), random)
            to = folder / kind.replace(" ", "-") / path.parent.name / f"{path.stem}.{'jpg' if 'JPEG' in kind else 'png'}"
            to.parent.mkdir(parents=True, exist_ok=True)
            photo.save(to, **({"quality": 30} if "JPEG" in kind else {}))


def predictions(program, run, folder, arguments):
    command = [program, "predict", run, folder, "--json", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["predictions"]


def accuracy(found):
    return sum(it["class"] == Path(it["file"]).parent.name for it in found) / len(found)


def main():
    program, run, digits, folder = sys.argv[1:]
    digits, folder = sorted(Path(digits).glob("*/*.png")), Path(folder)
    make_photos(digits, folder)
    plain = predictions(program, run, digits[0].parent.parent, ["--ink", "never"])
    print(f"{len(digits)} digits, {100 * accuracy(plain):.1f} % as they are\n")
    print("| kind | `--ink never` | by hand | `--ink auto` | warned of |\n| --- | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        by_hand = ["--center"] if kind == "light on dark" else ["--center", "--invert"]
        answers = [predictions(program, run, folder / kind.replace(" ", "-"), it) for it in (["--ink", "never"], by_hand, [])]
        warned = sum(bool(it["warnings"]) for it in answers[-1]) / len(answers[-1])
        print("| " + " | ".join([kind, *(f"{100 * accuracy(it):.1f} %" for it in answers), f"{100 * warned:.1f} %"]) + " |")


if __name__ == "__main__":
    main()
