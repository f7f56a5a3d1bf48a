"""Trains the experiment of a resolved config in PyTorch, and does what `backproof train` does with it.

    cargo xtask config defaults configs/cifar-baseline.toml > cifar-baseline.toml
    python3 bench/peers/whole_run.py cifar-baseline.toml --data ~/.cache/backproof/cifar-10-batches-bin

The same data files, sizes of the split, normalisation, augmentation, network, initialisation, optimizer, schedule, iterations, validation and
test, written as one would for speed: the images lie in memory as bytes in a tensor, and a batch is one gather from it, with no DataLoader. It
draws its own random numbers, so that its accuracy is that of another seed. Unlike `train` it saves no checkpoints and writes no report.
The last line it prints is JSON: wall time from the start of the process, test accuracy, peak memory.
"""

import argparse
import gzip
import json
import math
import os
import sys
import time
import tomllib
from pathlib import Path

BEGAN = time.monotonic()

import protocol  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/pytorch"))
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
torch = protocol.import_torch()

import torch.nn.functional as F  # noqa: E402
from network import sequential  # noqa: E402

EVALUATION_BATCH = 250  # as `train` has it


def tensor_of(path):
    packed = path.with_name(path.name + ".gz")
    data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def read_cifar(folder, names):
    parts = [tensor_of(folder / f"{name}.bin").view(-1, 3073) for name in names]
    return torch.cat([part[:, 1:] for part in parts]).view(-1, 3, 32, 32), torch.cat([part[:, 0] for part in parts]).long()


def read_idx(folder, name):
    images, labels = tensor_of(folder / f"{name}-images-idx3-ubyte"), tensor_of(folder / f"{name}-labels-idx1-ubyte")
    return images[16:].view(-1, 1, 28, 28), labels[8:].long()


def read(dataset, folder):
    """Training and test set as bytes `[N, C, H, W]` and labels `[N]`."""
    if dataset == "cifar-10":
        return read_cifar(folder, [f"data_batch_{n}" for n in range(1, 6)]), read_cifar(folder, ["test_batch"])
    return read_idx(folder, "train"), read_idx(folder, "t10k")


def fit_normalizer(normalization, images):
    """The mean and the deviation, of pixels in 0 to 255, that make them the network's numbers."""
    kind = normalization["type"]
    if kind in ("unit", "bytes"):
        return torch.zeros(1), torch.full((1,), 255.0 if kind == "unit" else 1.0)
    if kind == "subtract-mean":
        scale = torch.full((1,), 255.0 if normalization["pixels"] == "unit" else 1.0)
        over = {"image": (0,), "channel": (0, 2, 3), "all": (0, 1, 2, 3)}[normalization["of"]]
        return images.double().mean(over, keepdim=True)[0].float(), scale
    # Sums by value and of a part at a time, since all pixels in a wider type would be the peak of this run's memory.
    parts = (part.transpose(0, 1).flatten(1) for part in images.split(1000))
    counts = sum(torch.stack([torch.bincount(plane, minlength=256) for plane in part]) for part in parts).double()
    values = torch.arange(256.0, dtype=torch.double)
    mean = (counts * values).sum(1) / counts.sum(1)
    variance = (counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1)
    return mean.float().view(-1, 1, 1), variance.sqrt().float().view(-1, 1, 1)


class Images:
    """Images in memory, and batches of them."""

    def __init__(self, pixels, labels, normalizer, layout):
        self.pixels, self.labels, self.layout = pixels, labels, layout
        self.mean, self.deviation = normalizer

    def batch(self, indices):
        return self.normalized(self.pixels[indices]), self.labels[indices]

    def normalized(self, pixels):
        images = pixels.float().sub_(self.mean).div_(self.deviation)
        return images.contiguous(memory_format=self.layout)


class Augmented(Images):
    """The same, each image shifted and mirrored at random: still one gather."""

    def __init__(self, pixels, labels, normalizer, layout, augmentation):
        super().__init__(pixels, labels, normalizer, layout)
        self.size, self.shift = pixels.shape[-2:], augmentation["crop_padding"]
        self.mirror = augmentation["horizontal_flip"]
        self.pixels = F.pad(pixels, [self.shift] * 4)

    def batch(self, indices):
        (height, width), count = self.size, len(indices)
        corner = torch.randint(2 * self.shift + 1, (2, count, 1))
        rows, columns = corner[0] + torch.arange(height), torch.arange(width).repeat(count, 1)
        if self.mirror:
            mirrored = torch.rand(count, 1) < 0.5
            columns = torch.where(mirrored, width - 1 - columns, columns)
        columns = columns + corner[1]
        channels = torch.arange(self.pixels.shape[1]).view(1, -1, 1, 1)
        pixels = self.pixels[indices.view(-1, 1, 1, 1), channels, rows[:, None, :, None], columns[:, None, None, :]]
        return self.normalized(pixels), self.labels[indices]


def load(data, folder, layout):
    (pixels, labels), (test_pixels, test_labels) = read(data["dataset"], folder)
    if data["padding"]:
        pixels, test_pixels = (F.pad(it, [data["padding"]] * 4) for it in (pixels, test_pixels))
    order = torch.randperm(len(pixels))
    held_out, chosen = order[: data["validation_images"]], order[data["validation_images"] :]
    chosen = chosen[: data.get("training_images", len(chosen))]
    normalizer = fit_normalizer(data["normalization"], pixels[chosen])
    validation = Images(pixels[held_out], labels[held_out], normalizer, layout)
    test = Images(test_pixels, test_labels, normalizer, layout)
    augmentation = data["augmentation"]
    if augmentation["horizontal_flip"] or augmentation["crop_padding"]:
        return Augmented(pixels[chosen], labels[chosen], normalizer, layout, augmentation), validation, test
    return Images(pixels[chosen], labels[chosen], normalizer, layout), validation, test


def initialize(network, layers):
    """The weights as the layers' `initialization` says, He's normal ones otherwise; biases of zero."""
    for module, options in zip(network, layers):
        if options["type"] == "residual":
            initialize(module.body, options["body"])
            if isinstance(options["shortcut"], list):
                initialize(module.shortcut, options["shortcut"])
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            how = options.get("initialization") or {"type": "he-normal", "gain": 1.0}
            fan_in = how.get("fan_in") or module.weight[0].numel()
            fan_out = module.weight[:, 0].numel() // options.get("groups", 1)
            variance = 2 / fan_in if how["type"].startswith("he") else 2 / (fan_in + fan_out)
            if how["type"].endswith("normal"):
                torch.nn.init.normal_(module.weight, std=how["gain"] * variance**0.5)
            else:
                bound = how["gain"] * (3 * variance) ** 0.5
                torch.nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    return network


class Momentum:
    """m ← μ m + (1 − μ) g, then w ← w − α (m + λ w); of PyTorch's ways to say it the fastest, as pytorch.py has measured."""

    def __init__(self, parameters, options):
        self.parameters = list(parameters)
        self.momenta = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.momentum, self.decay = options["momentum"], options["weight_decay"]

    @torch.no_grad()
    def step(self, rate):
        gradients = [parameter.grad for parameter in self.parameters]
        torch._foreach_lerp_(self.momenta, gradients, 1 - self.momentum)
        torch._foreach_mul_(self.parameters, 1 - rate * self.decay)
        torch._foreach_add_(self.parameters, self.momenta, alpha=-rate)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None


def learning_rate(options, step, iterations):
    highest, warmup, schedule = options["learning_rate"], options["warmup"], options["schedule"]
    if step < warmup:
        return highest * (step + 1) / warmup
    step, total = step - warmup, iterations - warmup
    match schedule["type"]:
        case "constant":
            return highest
        case "step":
            return highest * schedule["factor"] ** (step // schedule["every"])
        case "cosine":
            last = schedule["final_fraction"]
            return highest * (last + (1 - last) * (1 + math.cos(math.pi * step / total)) / 2)
        case "linear":
            return highest * (1 - (1 - schedule["final_fraction"]) * step / total)


@torch.no_grad()
def accuracy(network, images):
    network.eval()
    correct = 0
    for indices in torch.arange(len(images.labels)).split(EVALUATION_BATCH):
        batch, labels = images.batch(indices)
        correct += (network(batch).argmax(1) == labels).sum().item()
    network.train()
    return correct / len(images.labels)


def train(config, data, layout, compiled):
    training, validation, test = load(config["data"], data, layout)
    options = config["training"]
    network = initialize(sequential(config["model"]).to(memory_format=layout), config["model"]["layers"]).train()
    optimizer = Momentum(network.parameters(), config["optimizer"])
    forward = torch.compile(network) if compiled else network
    iterations, batches = options["iterations"], iter(())
    loss_sum, correct, seen = torch.zeros(()), torch.zeros((), dtype=torch.long), 0
    for step in range(iterations):
        indices = next(batches, None)
        if indices is None:
            order = torch.randperm(len(training.labels))
            if config["data"]["order"] == "random":
                order = order[: options["batch_size"]]
            batches = iter(order.split(options["batch_size"]))
            indices = next(batches)
        images, labels = training.batch(indices)
        optimizer.zero_grad()
        logits = forward(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        rate = learning_rate(config["optimizer"], step, iterations)
        optimizer.step(rate)

        with torch.no_grad():
            loss_sum += loss * len(labels)
            correct += (logits.argmax(1) == labels).sum()
        seen += len(labels)
        due = lambda every: (step + 1) % every == 0 or step + 1 == iterations  # noqa: E731
        validating = due(options["validate_every"]) and len(validation.labels) > 0
        if due(options["report_every"]) or validating:
            text = f"iteration {step + 1:6}  loss {loss_sum.item() / seen:.4f}  training {correct.item() / seen:.4f}"
            if validating:
                text += f"  validation {accuracy(network, validation):.4f}"
            print(text)
            loss_sum.zero_(), correct.zero_()
            seen = 0
    return accuracy(network, test)


def seconds_since_start():
    """Of this process, the interpreter's start included where the system says when that was."""
    try:
        began = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, AttributeError):
        return time.monotonic() - BEGAN


def peak_memory():
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="resolved config, or config.toml of a run folder")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the files of the data set")
    variants = ["eager", "eager-channels-last", "compile", "compile-channels-last"]
    parser.add_argument("--variant", choices=variants, default="eager")
    parser.add_argument("--threads", type=int, metavar="N", default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = tomllib.loads(arguments.config.read_text())
    torch.manual_seed(config["seed"])
    layout = torch.channels_last if arguments.variant.endswith("channels-last") else torch.contiguous_format
    result = train(config, arguments.data, layout, arguments.variant.startswith("compile"))
    protocol.answer(
        {
            "software": f"PyTorch {torch.__version__}",
            "test_accuracy": result,
            "seconds": seconds_since_start(),
            "peak_memory_bytes": peak_memory(),
        }
    )


if __name__ == "__main__":
    main()
