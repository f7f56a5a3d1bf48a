//! The layers, and the keys of each.

use super::key;
use crate::config::format::Literal::{Flag, Integer, Number};
use crate::config::format::Presence::{Default, Optional, Required};
use crate::config::format::{Key, Kind, Range, Variant, Variants};

const KERNEL: Key =
    key("kernel", Kind::Size { least: 1 }, Required(Integer(2)), "Size of a window, 2 or [height, width].");
const POOL_STRIDE: Key = key(
    "stride",
    Kind::Size { least: 1 },
    Optional(Integer(2)),
    "Step from one window to the next; the kernel's size when absent.",
);
const PADDING: Key = key("padding", Kind::Size { least: 0 }, Default(Integer(0)), "Pixels added on each side.");
const DILATION: Key =
    key("dilation", Kind::Size { least: 1 }, Default(Integer(1)), "Distance between the taps of a window.");
const CEIL_MODE: Key =
    key("ceil_mode", Kind::Flag, Default(Flag(false)), "Whether a window may hang over the far edge.");
const BIAS: Key = key("bias", Kind::Flag, Default(Flag(true)), "Whether each output has a bias.");

pub(in crate::config) static LAYERS: Variants = Variants {
    noun: "layer",
    variants: &[
        Variant {
            name: "conv2d",
            doc: "Convolution of images.",
            keys: &[
                key("out_channels", Kind::Integer { least: 1 }, Required(Integer(16)), "Number of kernels."),
                key("kernel", Kind::Size { least: 1 }, Required(Integer(5)), "Size of a kernel, 5 or [height, width]."),
                key("stride", Kind::Size { least: 1 }, Default(Integer(1)), "Step from one window to the next."),
                PADDING,
                DILATION,
                key(
                    "groups",
                    Kind::Integer { least: 1 },
                    Default(Integer(1)),
                    "Groups of channels that do not see one another.",
                ),
                BIAS,
            ],
        },
        Variant {
            name: "max_pool2d",
            doc: "The largest value of each window.",
            keys: &[KERNEL, POOL_STRIDE, PADDING, DILATION, CEIL_MODE],
        },
        Variant {
            name: "avg_pool2d",
            doc: "The mean value of each window.",
            keys: &[
                KERNEL,
                POOL_STRIDE,
                PADDING,
                CEIL_MODE,
                key(
                    "count_include_pad",
                    Kind::Flag,
                    Default(Flag(true)),
                    "Whether the padding counts in the mean's divisor.",
                ),
            ],
        },
        Variant {
            name: "linear",
            doc: "Fully connected layer on vectors.",
            keys: &[key("out_features", Kind::Integer { least: 1 }, Required(Integer(10)), "Number of outputs."), BIAS],
        },
        Variant { name: "flatten", doc: "An image to a vector.", keys: &[] },
        Variant { name: "relu", doc: "max(0, x).", keys: &[] },
        Variant {
            name: "leaky_relu",
            doc: "x above 0, slope · x elsewhere.",
            keys: &[key("slope", Kind::Number(Range::FINITE), Default(Number(0.01)), "Slope below 0.")],
        },
        Variant {
            name: "prelu",
            doc: "leaky_relu with one learned slope.",
            keys: &[key(
                "initial_slope",
                Kind::Number(Range::FINITE),
                Default(Number(0.25)),
                "The slope before training.",
            )],
        },
        Variant {
            name: "elu",
            doc: "x above 0, α · (eˣ − 1) elsewhere.",
            keys: &[key("alpha", Kind::Number(Range::FINITE), Default(Number(1.0)), "α.")],
        },
        Variant { name: "gelu", doc: "x · Φ(x).", keys: &[] },
        Variant { name: "sigmoid", doc: "1 / (1 + e⁻ˣ).", keys: &[] },
        Variant { name: "tanh", doc: "tanh x.", keys: &[] },
        Variant {
            name: "batch_norm",
            doc: "Normalisation over the batch, per channel or feature.",
            keys: &[
                key(
                    "epsilon",
                    Kind::Number(Range::POSITIVE),
                    Default(Number(1e-5)),
                    "Added to the variance before the root.",
                ),
                key(
                    "momentum",
                    Kind::Number(Range::ABOVE_ZERO_TO_ONE),
                    Default(Number(0.1)),
                    "Weight of a batch in the running statistics.",
                ),
            ],
        },
        Variant {
            name: "dropout",
            doc: "Zeroes values at random while training.",
            keys: &[key(
                "probability",
                Kind::Number(Range::BELOW_ONE),
                Required(Number(0.25)),
                "Probability that a value is zeroed.",
            )],
        },
    ],
};
