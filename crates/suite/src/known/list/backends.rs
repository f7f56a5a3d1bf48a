//! Faults of single backends.

use burn::nn::activation::Gelu;
use burn::tensor::ops::{ConvOptions, DeformConvOptions, GridSampleOptions};
use burn::tensor::{activation, module};

use super::activations::GELU;
use super::common::{FAULT, NDARRAY, SHAPES, SMALLEST, flat, x};
use crate::known::entry::{Found, Known, Smallest};
use crate::point::Point;
use crate::symptoms::Kind::{Mismatch, NonDeterministic, NotFinite, Panics};

/// Modules that are made of GELU.
const MADE_OF_GELU: Known =
    Known { tensors: &["*"], cause: "The same as for gelu, which it is made of", ..GELU_MODULE };

const GELU_MODULE: Known = Known {
    operation: "Gelu",
    says: "",
    cause: "The same as for the function gelu",
    smallest: Smallest { function: |t| Gelu::new().forward(x(t)), ..GELU.smallest },
    ..GELU
};

const ON_NDARRAY: Known = Known { backends: &[NDARRAY], ..FAULT };

/// Of the function and of the module.
const DEFORM_CONV2D: Known = Known {
    operation: "deform_conv2d",
    tensors: &["offset", "mask"],
    kinds: &[Mismatch],
    cause: "The gradient of the second group of offsets, and of the mask, takes the columns of the first",
    location: "burn-ndarray, ops/deform_conv.rs, compute_offset_and_mask_gradient",
    smallest: Smallest {
        tensors: &[
            ("x", &[1, 2, 1, 2], &[1.0, 2.0, 3.0, 7.0]),
            ("offset", &[1, 4, 1, 1], &[0.25, 0.5, 0.25, 0.5]),
            ("weight", &[1, 2, 1, 1], &[1.0, 2.0]),
        ],
        options: "stride 2, 2 groups of offsets",
        function: |t| {
            let options = DeformConvOptions::new([2, 2], [0, 0], [1, 1], 1, 2);
            module::deform_conv2d(t.get("x"), t.get("offset"), t.get("weight"), None, None, options).reshape([1])
        },
        of: "offset",
        right: &[-1.5, 0.75, -10.0, 6.0],
        found: Found::Numbers(&[-1.5, 0.75, -5.0, 3.0]),
        ..SMALLEST
    },
    ..ON_NDARRAY
};

/// Of the function and of the module.
const DEFORM_CONV2D_ORDER: Known = Known {
    operation: "deform_conv2d",
    kinds: &[NonDeterministic],
    cause: "Threads add to the gradient of x in the order in which they arrive, and each order rounds in its own way",
    location: "burn-ndarray, ops/deform_conv.rs, deform_col2img_kernel",
    smallest: Smallest {
        tensors: &[
            ("x", &[1, 1, 1, 1], &[1.0]),
            ("offset", &[1, 6, 1, 1], &[0.0, 0.5, 0.0, 0.25, 0.0, -0.5]),
            ("weight", &[1, 1, 1, 3], &[1.0, 2.0, 3.0]),
        ],
        options: "padding 0 and 1",
        function: |t| {
            let options = DeformConvOptions::new([1, 1], [0, 1], [1, 1], 1, 1);
            module::deform_conv2d(t.get("x"), t.get("offset"), t.get("weight"), None, None, options).reshape([1])
        },
        right: &[3.5],
        found: Found::Varies,
        ..SMALLEST
    },
    ..ON_NDARRAY
};

/// Of the function and of the module.
const CONV1D_GROUPS: Known = Known {
    operation: "conv1d_groups",
    tensors: &["*"],
    kinds: &[Panics],
    says: "could not broadcast",
    cause: "If the stride leaves pixels over, Burn does not crop the gradient of a group's weights to the kernel, and \
        cannot put it in its place",
    location: "burn-backend, ops/modules/conv.rs, conv1d_weight_grad_groups",
    smallest: Smallest {
        tensors: &[("x", &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]), ("weight", &[2, 1, 1], &[1.0; 2])],
        options: "stride 2, 2 groups",
        function: |t| {
            let options = ConvOptions::new([2], [0], [1], 2);
            module::conv1d(t.get("x"), t.get("weight"), None, options).reshape([2])
        },
        of: "weight",
        right: &[],
        found: Found::Panics("could not broadcast"),
        ..SMALLEST
    },
    ..ON_NDARRAY
};

/// Of both functions.
const GRID_SAMPLE_2D: Known = Known {
    operation: "grid_sample_2d",
    points: &[Point::Saturated1e20],
    tensors: &["*"],
    kinds: &[Panics],
    says: "cannot be represented",
    cause: "Burn makes integers of the coordinates, and there is none of 10²⁰",
    location: "burn-ndarray, ops/grid_sample.rs, grid_sample_2d",
    smallest: Smallest {
        tensors: &[("x", &[1, 1, 1, 1], &[1.0]), ("grid", &[1, 1, 1, 2], &[1e20, 1e20])],
        function: |t| flat(t.get::<4>("x").grid_sample_2d(t.get("grid"), GridSampleOptions::default())),
        right: &[],
        found: Found::Panics("cannot be represented"),
        ..SMALLEST
    },
    ..ON_NDARRAY
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        points: &[Point::Saturated1e20],
        kinds: &[NotFinite],
        says: "",
        cause: "The tanh approximation that is differentiated has x³, which overflows",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1e20])],
            function: |t| activation::gelu(x(t)),
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..GELU
    },
    GELU_MODULE,
    Known { operation: "Activation", ..MADE_OF_GELU },
    Known { operation: "PositionWiseFeedForward", ..MADE_OF_GELU },
    Known { operation: "TransformerEncoder", ..MADE_OF_GELU },
    Known { operation: "TransformerDecoder", ..MADE_OF_GELU },
    DEFORM_CONV2D,
    Known { operation: "DeformConv2d", cause: "The same as for deform_conv2d", ..DEFORM_CONV2D },
    DEFORM_CONV2D_ORDER,
    Known { operation: "DeformConv2d", cause: "The same as for deform_conv2d", ..DEFORM_CONV2D_ORDER },
    CONV1D_GROUPS,
    Known { operation: "Conv1d_groups", cause: "The same as for conv1d_groups", ..CONV1D_GROUPS },
    Known {
        operation: "cross",
        points: SHAPES,
        tensors: &["*"],
        kinds: &[Panics],
        says: "could not broadcast",
        cause: "If an argument was broadcast, its gradient has the shape of the product. The backward pass of a slice \
            before it cannot put that in its place",
        location: "burn-autodiff, ops/tensor.rs, float_cross",
        smallest: Smallest {
            tensors: &[("x", &[3, 2], &[1.0; 6]), ("y", &[3, 2], &[1.0; 6])],
            options: "the first column of y, axis 0",
            function: |t| flat(t.get::<2>("x").cross(t.get::<2>("y").narrow(1, 0, 1), 0)),
            of: "y",
            right: &[],
            found: Found::Panics("could not broadcast"),
            ..SMALLEST
        },
        ..ON_NDARRAY
    },
    GRID_SAMPLE_2D,
    Known { operation: "grid_sample_2d_padding", ..GRID_SAMPLE_2D },
];
