"""PyTorch doing the steps that `backproof bench` does: the same network, batch size, loss and update rule, in f32.

`backproof bench --peer pytorch` starts one process of this for every figure; protocol.py has the messages. The network comes with the task
as a list of layers, so that it is defined once. Variants: `eager` or `compile` (torch.compile), each also with `-channels-last`.
"""

import os
import sys
from pathlib import Path

import protocol

# In a checkout the translation of layers lies with the tests that use it too.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/pytorch"))
# Compile in this process: idle compiler processes would be in nobody's figures.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

TASK = protocol.task()
torch = protocol.import_torch()

from network import sequential  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

# As in worker.rs: so small that no step changes what the next one computes.
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 1e-6, 0.95, 1e-3


def optimizer(parameters, compiled):
    """m ← μ m + (1 − μ) g, then w ← w − α (m + λ w), as few passes over all parameters as PyTorch has.

    Measured on cifar-baseline's parameters, two threads: 35 µs as it stands here, 48 µs with multiply and add for the first line, 54 µs by
    torch.optim.SGD(fused=True) and 73 µs by SGD(foreach=True), each after the multiplication for the weight decay; 20 µs compiled.
    """
    momenta = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def update(weights, momenta, gradients):
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        torch._foreach_mul_(weights, 1 - LEARNING_RATE * WEIGHT_DECAY)
        torch._foreach_add_(weights, momenta, alpha=-LEARNING_RATE)

    update = torch.compile(update) if compiled else update
    return lambda: update(parameters, momenta, [parameter.grad for parameter in parameters])


def training_step(network, images, labels, compiled):
    network.train()
    parameters = list(network.parameters())
    update = optimizer(parameters, compiled)

    def loss_of(images, labels):
        return cross_entropy(network(images), labels)

    loss_of = torch.compile(loss_of, dynamic=False) if compiled else loss_of

    def step():
        for parameter in parameters:
            parameter.grad = None
        loss = loss_of(images, labels)
        loss.backward()
        update()
        return loss.item()

    return step


def inference_step(network, images, compiled):
    network.eval()
    if compiled:
        # Weights are constants then, and laid out once as the kernels want them.
        network = torch.compile(network, dynamic=False, options={"freezing": True})

    @torch.no_grad()
    def step():
        network(images)

    return step


def prepare(task):
    compiled = task["variant"].startswith("compile")
    layout = torch.channels_last if task["variant"].endswith("channels-last") else torch.contiguous_format
    torch.manual_seed(1)
    network = sequential(task["architecture"]).to(memory_format=layout)
    images = torch.randn(task["batch"], *task["architecture"]["input"]).contiguous(memory_format=layout)
    with torch.no_grad():
        classes = network(images[:1]).shape[1]
    labels = torch.randint(classes, (task["batch"],))
    if task["pass"] == "training":
        return training_step(network, images, labels, compiled)
    return inference_step(network, images, compiled)


def main():
    torch.set_num_threads(TASK["threads"])
    step = prepare(TASK)
    try:
        protocol.warm_up(step, TASK["seconds"])
    except Exception as error:  # noqa: BLE001: whatever its compiler lacks on this machine
        if not TASK["variant"].startswith("compile"):
            raise
        protocol.answer({"unavailable": f"torch.compile: {str(error).strip().splitlines()[0]}"})
        return
    capability = torch.backends.cpu.get_cpu_capability()
    protocol.answer({"ready": {"software": f"PyTorch {torch.__version__}", "instructions": capability}})
    protocol.take_turns(step, TASK["seconds"])


if __name__ == "__main__":
    main()
