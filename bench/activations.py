"""How fast networks train with another activation in the place of ReLU, relative to ReLU, on the CPU kernels.

    cargo build --release -p backproof
    python3 bench/activations.py target/release/backproof
    python3 bench/activations.py target/release/backproof --networks mnist-baseline --activations gelu,prelu --rounds 9

Every activation of a config is replaced by the one in question, in its plainest form. `bench` measures all variants of
a network one after the other, and that as often as --rounds says. A figure is the median over the rounds of the ratio
to ReLU in the same round, so that what slows the machine down for a while slows down both. It needs Python's standard
library alone.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import tempfile

NETWORKS = (
    "mnist-baseline lenet-5 petre-mlp cifar-baseline willis-step-6 willis-improved bai-improved timurtas-improved "
    "petre-cnn resnet-20 resnet-9 airbench94"
)
ACTIVATIONS = {
    "gelu": '{ type = "gelu" }',
    "gelu-tanh": '{ type = "gelu", approximate = "tanh" }',
    "silu": '{ type = "silu" }',
    "sigmoid": '{ type = "sigmoid" }',
    "tanh": '{ type = "tanh" }',
    "elu": '{ type = "elu" }',
    "softplus": '{ type = "softplus" }',
    "leaky-relu": '{ type = "leaky_relu" }',
    "prelu": '{ type = "prelu" }',
}
IN_A_CONFIG = re.compile(r'\{ type = "(?:relu|leaky_relu|prelu|elu|gelu|silu|sigmoid|tanh|softplus)"[^}]*\}')


def variants(program, network, activations, folder):
    """A config file for ReLU and for each activation, by its name."""
    config = subprocess.run(
        [program, "config", "defaults", f"configs/{network}.toml"], check=True, capture_output=True, text=True
    ).stdout
    files = {}
    for name in ["relu", *activations]:
        text, replaced = IN_A_CONFIG.subn(ACTIVATIONS.get(name, '{ type = "relu" }'), config)
        assert replaced, f"{network} has no activation"
        text = re.sub(r'(\[model\]\nname = )"[^"]*"', rf'\1"{network}-{name}"', text)
        files[name] = folder / f"{network}-{name}.toml"
        files[name].write_text(text)
    return files


def images_per_second(program, files, batch, seconds, isa, threads, folder):
    """Of one round: the median of `bench`, by activation."""
    out = folder / "out.json"
    command = [program, "bench", "--engine", "compiled", "--pass", "training", "--batch", str(batch)]
    command += ["--rounds", "1", "--seconds", str(seconds), "--json", str(out)]
    command += ["--threads", str(threads)] if threads else []
    command += ["--isa", isa] if isa else []
    command += [argument for file in files.values() for argument in ("-c", str(file))]
    subprocess.run(command, check=True, capture_output=True)
    cells = json.loads(out.read_text())["cells"]
    return {name: cell["images_per_second"] for name, cell in zip(files, cells, strict=True)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--networks", default=NETWORKS, help="names of configs, separated by blanks or commas")
    arguments.add_argument("--activations", default=" ".join(ACTIVATIONS))
    arguments.add_argument("--batch", type=int, default=128)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=0.5)
    arguments.add_argument("--isa", help="such as avx2")
    arguments.add_argument("--threads", type=int)
    asked = arguments.parse_args()
    activations = re.split(r"[ ,]+", asked.activations)
    print("| network, batch", asked.batch, "| ReLU, images/s |", " | ".join(activations), "|")
    print("| --- " + "| ---: " * (len(activations) + 1) + "|")
    for network in re.split(r"[ ,]+", asked.networks):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            files = variants(asked.program, network, activations, folder)
            rounds = [
                images_per_second(asked.program, files, asked.batch, asked.seconds, asked.isa, asked.threads, folder)
                for _ in range(asked.rounds)
            ]
        relu = statistics.median(speeds["relu"] for speeds in rounds)
        ratios = [statistics.median(speeds[name] / speeds["relu"] for speeds in rounds) for name in activations]
        print(f"| `{network}` | {relu:.0f} |", " | ".join(f"{ratio:.2f}" for ratio in ratios), "|", flush=True)


if __name__ == "__main__":
    main()
