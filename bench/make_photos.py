"""A folder of JPEG photos of mixed sizes, for measuring how fast a folder is read.

    python3 -m venv venv && venv/bin/pip install pillow numpy
    venv/bin/python bench/make_photos.py FOLDER [COUNT]

writes COUNT photos (20,000 if it is not given) of ten classes, each with sides of 200 to 800 pixels. They are cut at random out of a few
large pictures of smooth noise, which JPEG compresses about as it does photos. The same arguments give the same files.
"""

import sys
from pathlib import Path

import numpy
from PIL import Image

CLASSES = 10


def large_picture(random, side=2048):
    """Noise of several scales, as in a photo: amplitude falls with frequency."""
    pixels = numpy.zeros((side, side, 3), numpy.float32)
    for power in range(2, 10):
        grid = random.normal(size=(2**power, 2**power, 3)).astype(numpy.float32)
        layer = [Image.fromarray(grid[..., c]).resize((side, side), Image.Resampling.BICUBIC) for c in range(3)]
        pixels += numpy.stack([numpy.asarray(it) for it in layer], axis=-1) / 1.6**power
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min())
    return Image.fromarray((255 * pixels).astype(numpy.uint8))


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    random = numpy.random.default_rng(1)
    pictures = [large_picture(random) for _ in range(CLASSES)]
    for index in range(count):
        label = index % CLASSES
        width, height = (int(side) for side in random.integers(200, 801, 2))
        left, top = (int(random.integers(0, 2048 - side)) for side in (width, height))
        path = folder / f"class-{label}" / f"{index:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures[label].crop((left, top, left + width, top + height)).save(path, quality=int(random.integers(75, 96)))


if __name__ == "__main__":
    main()
