"""The convolutions of `crates/kernels/benches/layers.rs` in PyTorch: forward, input gradient and weight gradient, in f32.

    python bench/peers/layers.py [IMAGES] [THREADS]

Each is measured contiguous and channels-last, and the faster one is printed.
"""

import os
import sys
import time

import torch

SIZES = [
    (16, 16, 32), (24, 64, 31), (32, 32, 32), (32, 64, 16), (48, 48, 64), (64, 64, 16), (64, 64, 15), (64, 256, 15),
    (96, 96, 32), (128, 128, 16), (128, 128, 8), (192, 192, 8), (256, 256, 7), (256, 256, 4), (256, 256, 3),
    (384, 384, 8), (512, 512, 8), (512, 512, 4),
]  # fmt: skip
PASSES = {"forward": None, "input gradient": (True, False, False), "weight gradient": (False, True, False)}


def best(work):
    """The least seconds of five calls, after one that warms up."""
    work()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@torch.no_grad()
def seconds(channels, outputs, size, images, layout, wanted):
    x = torch.full((images, channels, size, size), 0.5).contiguous(memory_format=layout)
    w = torch.full((outputs, channels, 3, 3), 0.01).contiguous(memory_format=layout)
    g = torch.full((images, outputs, size, size), 0.25).contiguous(memory_format=layout)
    if wanted is None:
        return best(lambda: torch.conv2d(x, w, padding=1))
    options = ([0], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, wanted)
    return best(lambda: torch.ops.aten.convolution_backward(g, x, w, *options))


def main():
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
    torch.set_num_threads(threads)
    print(f"{images} images, {threads} threads, PyTorch {torch.__version__}; microseconds an image and GFLOP/s\n")
    print("| convolution | forward | | input gradient | | weight gradient | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for channels, outputs, size in SIZES:
        operations = 2 * 9 * channels * outputs * size * size
        figures = []
        for wanted in PASSES.values():
            layouts = (torch.contiguous_format, torch.channels_last)
            an_image = min(seconds(channels, outputs, size, images, layout, wanted) for layout in layouts) / images
            figures.append(f"{an_image * 1e6:.1f} | {operations / an_image / 1e9:.0f}")
        print(f"| {channels} → {outputs}, {size}×{size} | {' | '.join(figures)} |", flush=True)


main()
