"""The network of a run folder in PyTorch, from the layers in its config.toml, with the names that its weights files use."""

import tomllib
from pathlib import Path

import torch
from torch import nn

# What a layer is called: this and a 1-based count.
NAMES = {
    "conv2d": "conv",
    "max_pool2d": "pool",
    "avg_pool2d": "pool",
    "linear": "linear",
    "flatten": "flatten",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "prelu": "prelu",
    "elu": "elu",
    "gelu": "gelu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "softplus": "softplus",
    "batch_norm": "norm",
    "dropout": "dropout",
    "residual": "residual",
}


def pair(size):
    return tuple(size) if isinstance(size, list) else (size, size)


def layer(options, shape):
    """One layer, for inputs of `shape` without the batch axis."""
    o, channels = options, shape[0]
    window = {key: pair(o[key]) for key in ("kernel", "stride", "padding", "dilation") if o.get(key) is not None}
    kernel = window.pop("kernel", None)
    match o["type"]:
        case "conv2d":
            return nn.Conv2d(channels, o["out_channels"], kernel, groups=o["groups"], bias=o["bias"], **window)
        case "max_pool2d":
            return nn.MaxPool2d(kernel, ceil_mode=o["ceil_mode"], **window)
        case "avg_pool2d":
            return nn.AvgPool2d(kernel, ceil_mode=o["ceil_mode"], count_include_pad=o["count_include_pad"], **window)
        case "linear":
            return nn.Linear(channels, o["out_features"], bias=o["bias"])
        case "flatten":
            return nn.Flatten()
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(o["slope"])
        case "prelu":
            return nn.PReLU()
        case "elu":
            return nn.ELU(o["alpha"])
        case "gelu":
            return nn.GELU()
        case "sigmoid":
            return nn.Sigmoid()
        case "tanh":
            return nn.Tanh()
        case "silu":
            return nn.SiLU()
        case "softplus":
            return nn.Softplus()
        case "batch_norm":
            norm = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
            return norm(channels, eps=o["epsilon"], momentum=o["momentum"])
        case "dropout":
            return nn.Dropout(o["probability"])
        case "residual":
            return Residual(o, shape)
        case other:
            raise SystemExit(f"this script knows no layer `{other}`")


class Residual(nn.Module):
    """A body, and beside it a shortcut: `identity`, `zero-padding` or layers."""

    def __init__(self, options, shape):
        super().__init__()
        self.body = chain(options["body"], shape)
        self.kind = options["shortcut"]
        self.output = self.body.eval()(torch.zeros(1, *shape)).shape[1:]
        if isinstance(self.kind, list):
            self.shortcut = chain(self.kind, shape)

    def beside(self, input):
        if isinstance(self.kind, list):
            return self.shortcut(input)
        if self.kind == "identity":
            return input
        channels, *size = self.output
        steps = [-(-have // want) for have, want in zip(input.shape[2:], size)]
        taken = input[:, :, :: steps[0], :: steps[1]]
        return nn.functional.pad(taken, (0, 0, 0, 0, 0, channels - input.shape[1]))

    def forward(self, input):
        return self.body(input) + self.beside(input)


def network(config):
    """The network of the resolved config file `config`, ready for inference."""
    return sequential(tomllib.loads(Path(config).read_text())["model"])


def sequential(model):
    """The network with the input shape and the layers of `model`, ready for inference."""
    return chain(model["layers"], torch.Size(model["input"]))


def chain(options_of_layers, shape):
    """Layers that follow one another, for inputs of `shape`, ready for inference."""
    layers, counts = nn.Sequential(), {}
    for options in options_of_layers:
        name = NAMES[options["type"]]
        counts[name] = counts.get(name, 0) + 1
        module = layer(options, shape).eval()
        layers.add_module(f"{name}{counts[name]}", module)
        shape = module(torch.zeros(1, *shape)).shape[1:]
    return layers


def load(module, tensors):
    """Gives `module` the tensors of a weights file; it may lack nothing but PyTorch's counters of batches."""
    missing, unexpected = module.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith(".num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"the weights lack {missing} and have {unexpected} too many")
    return module
