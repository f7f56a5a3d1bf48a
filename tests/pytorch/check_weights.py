"""Weights go to PyTorch and come back: both compute the same logits.

    python3 -m venv venv && venv/bin/pip install torch safetensors
    venv/bin/python tests/pytorch/check_weights.py runs/quickstart/latest

For each run folder: the last checkpoint's weights are loaded into the same network in PyTorch, whose logits of 64 test images are
compared with those of `evaluate RUN --logits FILE`. Then PyTorch saves other weights of that network, and `evaluate RUN --weights FILE`
must compute their logits. `--program` is the command to run, `cargo xtask` otherwise. Exits with 1 where logits differ by more than
1e-5 of the largest logit.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from network import load, network
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-5


def evaluate(program, run, logits, *more):
    """What the program computes: a file with its logits, and the images as it saw them."""
    command = [*program, "evaluate", str(run), "--logits", str(logits), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return load_file(logits)


def change(module):
    """Other weights of the same network: every number 10 % up or down at random, statistics too."""
    generator = torch.Generator().manual_seed(1)
    state = module.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = tensor * (0.9 + 0.2 * torch.rand(tensor.shape, generator=generator)) + 0.01
    module.load_state_dict(state)


def compare(what, module, ours):
    """Whether both sides agree on the images of the file."""
    with torch.inference_mode():
        theirs = module(ours["images"])
    count = len(theirs)
    difference = (theirs - ours["logits"][:count]).abs().max().item()
    relative = difference / max(1.0, theirs.abs().max().item())
    agree = relative <= TOLERANCE
    print(f"{what}: {count} images, logits up to {theirs.abs().max():.2f}, largest difference {difference:.1e}"
          f" ({relative:.1e}): {'equal' if agree else 'DIFFERENT'}")
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--program", type=shlex.split, default=["cargo", "xtask"])
    arguments = parser.parse_args()
    agree = True
    for run in arguments.runs:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            module = network(run / "config.toml")
            load(module, load_file(run / "checkpoints/last/weights.safetensors"))
            ours = evaluate(arguments.program, run, folder / "ours.safetensors")
            agree &= compare(f"{run}, to PyTorch", module, ours)
            change(module)
            changed = folder / "changed.safetensors"
            save_file(module.state_dict(), changed)
            back = evaluate(arguments.program, run, folder / "back.safetensors", "--weights", str(changed))
            agree &= compare(f"{run}, and back", module, back)
            if torch.equal(ours["logits"], back["logits"]):
                raise SystemExit("the changed weights changed nothing")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
