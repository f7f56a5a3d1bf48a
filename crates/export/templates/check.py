"""Compares this PyTorch with Backproof on the images of test_vector.safetensors: python check.py

Exits with 1 where the input or the logits of the network differ by more than 1e-5 of the largest one.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from model import load, normalize

TOLERANCE = 1e-5


def compare(what, ours, theirs):
    """Whether two tensors are equal but for rounding."""
    difference = ((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30)).item()
    equal = ours.shape == theirs.shape and difference <= TOLERANCE
    print(f"{what}: largest difference {difference:.1e} of the largest number: {'equal' if equal else 'DIFFERENT'}")
    return equal


def main():
    vector = load_file(Path(__file__).with_name("test_vector.safetensors"))
    with torch.inference_mode():
        x = normalize(vector["pixels"])
        logits = load()(x)
    equal = [compare("input", x, vector["input"]), compare("logits", logits, vector["logits"])]
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
