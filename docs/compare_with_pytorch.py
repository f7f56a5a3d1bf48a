"""Holds a dump of `compare-gradients` against PyTorch: a third opinion on every convolution.

    cargo xtask compare-gradients --layer conv2d --cases 100 --dtype f64 --dump conv2d.safetensors
    python3 docs/compare_with_pytorch.py conv2d.safetensors        (needs torch and safetensors)
"""

import re
import sys

import torch
from safetensors import safe_open

worst, cases = 0.0, 0
with safe_open(sys.argv[1], "pt") as dump:
    metadata, names = dump.metadata(), set(dump.keys())
    for check, about in metadata.items():
        if not check.startswith("conv2d/"):
            continue

        def option(name):
            rows, columns = re.search(rf"{name} (\d+)(?:×(\d+))?", about).groups()
            return int(rows), int(columns or rows)

        tensors = {name: dump.get_tensor(f"{check}/{name}") for name in ("x", "weight", "bias") if f"{check}/{name}" in names}
        for tensor in tensors.values():
            tensor.requires_grad_()
        output = torch.nn.functional.conv2d(
            tensors["x"], tensors["weight"], tensors.get("bias"), option("stride"), option("padding"), option("dilation"), option("groups")[0]
        )
        output.backward(dump.get_tensor(f"{check}/cotangent"))
        for name, tensor in tensors.items():
            for source in ("manual", "autodiff"):
                found = dump.get_tensor(f"{check}/gradient.{source}.{name}")
                largest = max(tensor.grad.abs().max().item(), 1e-300)
                worst = max(worst, (found - tensor.grad).abs().max().item() / largest)
        cases += 1

print(f"{cases} convolutions: gradients differ from PyTorch {torch.__version__} by at most {worst:.1e} of the tensor's largest")
sys.exit(worst > (1e-12 if metadata["dtype"] == "f64" else 1e-4) or not cases)
