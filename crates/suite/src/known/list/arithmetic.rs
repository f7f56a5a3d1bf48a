//! Elementwise functions of one or two tensors, and products.

use super::common::{FAULT, SINGLE, SMALLEST, SQUARES, ZEROS, x, y};
use crate::known::entry::{Found, Known, Smallest};
use crate::point::Point;
use crate::symptoms::Kind::{Mismatch, NotFinite};

const POWF_AT_ZERO: Known = Known {
    operation: "powf",
    points: ZEROS,
    kinds: &[NotFinite],
    cause: "The gradient of the base is y · xʸ⁻¹, which is 0 · ∞ at x = y = 0. But x⁰ is 1 everywhere",
    location: "burn-autodiff, ops/tensor.rs, float_powf",
    smallest: Smallest {
        tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[0.0])],
        function: |t| x(t).powf(y(t)),
        right: &[0.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const ASINH: Known = Known {
    operation: "asinh",
    precisions: SINGLE,
    points: &[Point::Saturated1e20],
    kinds: &[Mismatch],
    cause: "The gradient is 1 / √(x² + 1), and x² overflows",
    location: "burn-autodiff, ops/tensor.rs, float_asinh",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1e20])],
        function: |t| x(t).asinh(),
        right: &[1e-20],
        found: Found::Numbers(&[0.0]),
        ..SMALLEST
    },
    ..FAULT
};

const PROD: Known = Known {
    operation: "prod",
    precisions: SINGLE,
    points: &[Point::Underflow, Point::Denormal],
    kinds: &[Mismatch],
    cause: "The gradient is the product divided by the factor, and the product underflows",
    location: "burn-autodiff, ops/tensor.rs, float_prod",
    smallest: Smallest {
        tensors: &[("x", &[2], &[1e-30, 1e-30])],
        function: |t| x(t).prod(),
        right: &[1e-30, 1e-30],
        found: Found::Numbers(&[0.0, 0.0]),
        ..SMALLEST
    },
    ..FAULT
};

const PROD_DIM: Known = Known {
    operation: "prod_dim",
    location: "burn-autodiff, ops/tensor.rs, float_prod_dim",
    smallest: Smallest { function: |t| x(t).prod_dim(0), ..PROD.smallest },
    ..PROD
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "div",
        precisions: SINGLE,
        points: SQUARES,
        tensors: &["y"],
        kinds: &[NotFinite, Mismatch],
        cause: "The gradient of the divisor is −x / y². There, y² is 0 or ∞, but −(x / y) / y is neither",
        location: "burn-autodiff, ops/tensor.rs, float_div",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1e-30]), ("y", &[1], &[1e-30])],
            function: |t| x(t) / y(t),
            of: "y",
            right: &[-1e30],
            found: Found::Numbers(&[f64::NEG_INFINITY]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "powf",
        points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Saturated1e20, Point::Masked],
        tensors: &["y"],
        kinds: &[NotFinite],
        cause: "The gradient of the exponent is xʸ ln x, which is 0 · −∞ at x = 0. For a negative x, ln x is NaN",
        location: "burn-autodiff, ops/tensor.rs, float_powf",
        smallest: Smallest {
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[2.0])],
            function: |t| x(t).powf(y(t)),
            of: "y",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    POWF_AT_ZERO,
    Known {
        operation: "powf",
        precisions: SINGLE,
        points: &[Point::Denormal],
        kinds: &[NotFinite, Mismatch],
        cause: "The gradient of the base is y · xʸ⁻¹. The power overflows, but the product would not",
        location: "burn-autodiff, ops/tensor.rs, float_powf",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1e-39]), ("y", &[1], &[1e-3])],
            function: |t| x(t).powf(y(t)),
            right: &[9.141131e35],
            found: Found::Numbers(&[f64::INFINITY]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "atan2",
        precisions: SINGLE,
        points: SQUARES,
        tensors: &["x", "y"],
        kinds: &[NotFinite, Mismatch],
        cause: "Both gradients divide by x² + y², which is 0 or ∞. The quotient is neither",
        location: "burn-autodiff, ops/tensor.rs, float_atan2",
        smallest: Smallest {
            tensors: &[("y", &[1], &[1e-30]), ("x", &[1], &[1e-30])],
            function: |t| y(t).atan2(x(t)),
            of: "y",
            right: &[5e29],
            found: Found::Numbers(&[f64::INFINITY]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "hypot",
        points: ZEROS,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        cause: "The gradient is x / √(x² + y²), which is 0 / 0 if both are zero. Every number from −1 to 1 would be \
            right",
        location: "burn-autodiff, ops/tensor.rs, float_hypot",
        smallest: Smallest {
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[0.0])],
            function: |t| x(t).hypot(y(t)),
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "powi",
        cause: "The same as for powf, which it calls",
        smallest: Smallest { function: |t| x(t).powi(y(t)), ..POWF_AT_ZERO.smallest },
        ..POWF_AT_ZERO
    },
    Known {
        operation: "fmod",
        precisions: SINGLE,
        points: &[Point::Underflow, Point::Denormal],
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        cause: "The function is computed as x − y · trunc(x / y), and the quotient overflows",
        location: "burn-tensor, tensor/api/float.rs, fmod",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1.0]), ("y", &[1], &[1e-39])],
            function: |t| x(t).fmod(y(t)),
            right: &[],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    ASINH,
    Known {
        operation: "acosh",
        cause: "The gradient is 1 / √(x² − 1), and x² overflows",
        location: "burn-autodiff, ops/tensor.rs, float_acosh",
        smallest: Smallest { function: |t| x(t).acosh(), ..ASINH.smallest },
        ..ASINH
    },
    PROD,
    PROD_DIM,
    Known {
        operation: "prod_dims",
        smallest: Smallest { function: |t| x(t).prod_dims(&[0]), ..PROD_DIM.smallest },
        ..PROD_DIM
    },
];
