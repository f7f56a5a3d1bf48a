"""Draws the figures of docs/derivations, and prints the table of vanishing gradients.

    python3 docs/derivations/figures.py     # needs NumPy and matplotlib

`over-fitting.csv` has the losses of two runs; the page on optimizers says by which commands.
"""

import csv
import gzip
import math
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
SAMPLE = HERE / "../../crates/data/sample"

# Colours that can be read on white and on black, and told apart in grey by their line styles.
GREY, BLUE, ORANGE, GREEN, RED = "#767d86", "#3b82d6", "#d9772b", "#2f9e63", "#cf4a5c"
plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "backproof", "font.family": "sans-serif", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "lines.linewidth": 1.8,
    "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY,
    "axes.titlecolor": GREY, "legend.frameon": False,
})


def save(figure, name):
    figure.tight_layout()
    figure.savefig(HERE / name, transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def activations():
    x = np.linspace(-4, 4, 321)
    cdf = np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))))(x)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    s, on = sigmoid(x), x > 0
    jump = np.where(np.abs(x) < 1e-9, np.nan, 1)  # the derivative has no value at a kink
    functions = [
        ("ReLU", np.maximum(x, 0), on * jump),
        ("leaky ReLU, a = 0.1", np.where(on, x, 0.1 * x), np.where(on, 1, 0.1) * jump),
        ("ELU, a = 1", np.where(on, x, np.exp(np.minimum(x, 0)) - 1), np.where(on, 1, np.exp(np.minimum(x, 0)))),
        ("softplus", np.log1p(np.exp(x)), s),
        ("sigmoid", s, s * (1 - s)),
        ("tanh", np.tanh(x), 1 - np.tanh(x) ** 2),
        ("GELU", x * cdf, cdf + x * density),
        ("SiLU", x * s, s * (1 + x * (1 - s))),
    ]
    figure, axes = plt.subplots(2, 4, figsize=(9, 4.2), sharex=True)
    for axis, (name, value, slope) in zip(axes.flat, functions):
        axis.axhline(0, color=GREY, linewidth=0.5)
        axis.axvline(0, color=GREY, linewidth=0.5)
        axis.plot(x, value, color=BLUE, label="f(x)")
        axis.plot(x, slope, "--", color=ORANGE, label="f'(x)")
        axis.set(title=name, ylim=(-1.2, 2.2), xticks=[-4, 0, 4], yticks=[-1, 0, 1, 2])
    axes[0, 0].legend(loc="upper left")
    save(figure, "activations.svg")


def losses():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    p = np.linspace(0.005, 1, 400)
    left.plot(p, -np.log(p), color=BLUE, label="−ln p")
    left.plot(p, (1 - p) ** 2, "--", color=ORANGE, label="(1 − p)²")
    left.set(title="loss of a sample of class 1", xlabel="p, the probability of class 1", ylim=(0, 5.2))
    left.legend()
    z = np.linspace(-6, 6, 400)
    p = sigmoid(z)
    right.plot(z, p - 1, color=BLUE, label="of −ln p:  p − 1")
    right.plot(z, -2 * p * (1 - p) ** 2, "--", color=ORANGE, label="of (1 − p)²:  −2 p (1 − p)²")
    right.plot([math.log(0.5)], [-8 / 27], "o", color=ORANGE)
    right.annotate("p = 1/3", (math.log(0.5), -8 / 27), (-2.9, -0.42), color=GREY)
    right.set(title="its gradient with respect to the logit z", xlabel="z, with p = σ(z)")
    right.legend(loc="lower right")
    save(figure, "losses.svg")


def descent():
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3))
    steps = np.arange(9)
    for rate, colour, style in [(0.1, BLUE, "o-"), (0.5, GREEN, "s-"), (0.9, ORANGE, "^-"), (1.1, RED, "x--")]:
        label = f"α = {rate}"
        left.plot(steps, (1 - 2 * rate) ** steps, style, color=colour, label=label, markersize=4, linewidth=1.2)
    left.set(title="L = w², from w = 1", xlabel="step", ylabel="w", ylim=(-4.5, 7))
    left.legend(loc="upper left", ncols=2, fontsize=8)

    def value(w):
        return w**4 / 4 - w**2 / 2 + w / 10

    w = np.linspace(-1.6, 1.5, 300)
    middle.plot(w, value(w), color=GREY)
    for start, colour, marker in [(-0.5, BLUE, "o"), (0.5, ORANGE, "^")]:
        path = [start]
        for _ in range(25):
            path.append(path[-1] - 0.1 * (path[-1] ** 3 - path[-1] + 0.1))
        middle.plot(path, value(np.array(path)), marker, color=colour, markersize=4)
    middle.set(title="L = w⁴/4 − w²/2 + w/10", xlabel="w")
    t = np.linspace(0, 1, 401)
    right.plot(t, np.ones_like(t), color=GREY, label="constant")
    right.plot(t, 0.1 ** np.floor(t * 2.999), ":", color=GREEN, label="step")
    right.plot(t, (1 + np.cos(np.pi * t)) / 2, color=BLUE, label="cosine")
    warm = t <= 0.12
    right.plot(t[warm], t[warm] / 0.12, "--", color=ORANGE, label="warm-up")
    right.set(title="schedules", xlabel="share of the steps", ylabel="learning rate / α")
    right.set(ylim=(0, 1.6), yticks=[0, 0.5, 1])
    right.legend(fontsize=8, ncols=2, loc="upper center")
    save(figure, "descent.svg")


def digits(count):
    with gzip.open(SAMPLE / "training-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype(float)
    with gzip.open(SAMPLE / "training-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return ((images - images.mean()) / images.std())[:count], labels[:count]


def gradients_by_layer(function, slope, seed, depth=8, width=32):
    """The root mean square of ∂L/∂w of each layer, of a network as it is drawn (He et al. 2015), on 256 digits."""
    random = np.random.default_rng(seed)
    x, t = digits(256)
    sizes = [784] + [width] * depth + [10]
    weights = [random.normal(0, math.sqrt(2 / rows), (rows, columns)) for rows, columns in zip(sizes, sizes[1:])]
    inputs, outputs = [x], []
    for number, w in enumerate(weights):
        outputs.append(inputs[-1] @ w)
        inputs.append(function(outputs[-1]) if number < depth else outputs[-1])
    p = np.exp(inputs[-1] - inputs[-1].max(1, keepdims=True))
    delta = p / p.sum(1, keepdims=True)
    delta[np.arange(len(t)), t] -= 1
    delta /= len(t)
    sizes = []
    for number in reversed(range(len(weights))):
        sizes.append(math.sqrt(((inputs[number].T @ delta) ** 2).mean()))
        if number:
            delta = (delta @ weights[number].T) * slope(outputs[number - 1])
    return sizes[::-1]


def vanishing():
    functions = [
        ("ReLU", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float), BLUE, "o-"),
        ("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2, GREEN, "s-"),
        ("sigmoid", sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)), ORANGE, "^-"),
    ]
    figure, axis = plt.subplots(figsize=(6, 3.2))
    for name, function, slope, colour, style in functions:
        sizes = np.exp(np.mean([np.log(gradients_by_layer(function, slope, seed)) for seed in range(10)], axis=0))
        print(name, " ".join(f"{size:.1e}" for size in sizes), f"last/first {sizes[-1] / sizes[0]:.1e}")
        axis.semilogy(range(1, len(sizes) + 1), sizes, style, color=colour, label=name, markersize=5)
    axis.set(xlabel="layer, from the image to the loss", ylabel="size of ∂L/∂w", xticks=range(1, 10))
    axis.legend()
    save(figure, "vanishing.svg")


def over_fitting():
    with open(HERE / "over-fitting.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = {name: [float(row[name]) for row in rows] for name in rows[0]}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    for axis, images in zip(axes, [500, 4000]):
        axis.plot(column["iteration"], column[f"training_{images}"], color=BLUE, label="training")
        validation = column[f"validation_{images}"]
        axis.plot(column["iteration"], validation, "--", color=ORANGE, label="validation")
        least = int(np.argmin(validation))
        axis.plot(column["iteration"][least], validation[least], "o", color=ORANGE)
        print(images, "least validation loss", validation[least], "at", column["iteration"][least])
        axis.set(title=f"{images:,} training images", xlabel="iteration", ylim=(0, 1.1))
    axes[0].set_ylabel("loss")
    axes[0].legend(loc="upper right")
    save(figure, "over-fitting.svg")


def roc():
    scores = [0.9, 0.8, 0.7, 0.4, 0.3, 0.2, 0.1]
    truth = [1, 1, 0, 1, 0, 0, 0]
    x, y = [0.0], [0.0]
    for positive in truth:
        x.append(x[-1] + (1 - positive) / truth.count(0))
        y.append(y[-1] + positive / truth.count(1))
    figure, axis = plt.subplots(figsize=(3.6, 3.4))
    axis.plot([0, 1], [0, 1], ":", color=GREY)
    axis.plot(x, y, "o-", color=BLUE, markersize=4)
    for score, left, up in zip(scores, x[1:], y[1:]):
        axis.annotate(f"{score}", (left, up), xytext=(5, -12), textcoords="offset points", color=GREY, fontsize=8)
    axis.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    axis.set(xlim=(-0.03, 1.09), ylim=(-0.03, 1.05))
    save(figure, "roc.svg")


if __name__ == "__main__":
    for draw in [activations, losses, descent, vanishing, over_fitting, roc]:
        draw()
