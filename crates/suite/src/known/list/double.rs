//! What is computed in single precision although the tensors are in double precision.

use crate::point::Point;
use burn::tensor::ops::DeformConvOptions;
use burn::tensor::{activation, module};

use super::common::{FLEX, IN_DOUBLE, SMALLEST_IN_DOUBLE, x};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::Mismatch;

const VAR: Known = Known {
    operation: "var",
    tensors: &["x"],
    kinds: &[Mismatch],
    says: "single precision",
    cause: "The same as for div_scalar",
    location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
    smallest: Smallest {
        tensors: &[("x", &[4], &[0.0, 0.0, 0.0, 1.0])],
        function: |t| x(t).var(0),
        right: &[-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0, 0.5],
        found: Found::Numbers(&[-0.1666666716337204, -0.1666666716337204, -0.1666666716337204, 0.5000000149011612]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const VAR_BIAS: Known = Known {
    operation: "var_bias",
    tensors: &["x"],
    kinds: &[Mismatch],
    says: "single precision",
    cause: "The same as for div_scalar",
    location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
    smallest: Smallest {
        tensors: &[("x", &[3], &[0.0, 0.0, 1.0])],
        function: |t| x(t).var_bias(0),
        right: &[-2.0 / 9.0, -2.0 / 9.0, 4.0 / 9.0],
        found: Found::Numbers(&[-0.22222222884496054, -0.22222222884496054, 0.4444444576899211]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const SOFTPLUS: Known = Known {
    operation: "softplus",
    tensors: &["x"],
    kinds: &[Mismatch],
    says: "single precision",
    cause: "The same as for div_scalar",
    location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
    smallest: Smallest {
        tensors: &[("x", &[1], &[0.0])],
        options: "beta 0.7",
        function: |t| activation::softplus(x(t), 0.7),
        right: &[0.5],
        found: Found::Numbers(&[0.5000000119209289]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const HARD_SIGMOID: Known = Known {
    operation: "hard_sigmoid",
    tensors: &["x"],
    kinds: &[Mismatch],
    says: "single precision",
    cause: "Both passes compute in single precision",
    location: "burn-backend, backend/ops/activation.rs, hard_sigmoid",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1.0])],
        options: "alpha 0.2, beta 0.5",
        function: |t| activation::hard_sigmoid(x(t), 0.2, 0.5),
        right: &[0.2],
        found: Found::Numbers(&[0.20000000298023224]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const HARD_SWISH: Known = Known {
    operation: "hard_swish",
    tensors: &["x"],
    kinds: &[Mismatch],
    says: "single precision",
    cause: "The same as for hard_sigmoid",
    location: "burn-backend, backend/ops/activation.rs, hard_sigmoid",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1.0])],
        function: |t| activation::hard_swish(x(t)),
        right: &[5.0 / 6.0],
        found: Found::Numbers(&[0.833333358168602]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

/// Of the function and of the module.
pub(super) const DEFORM_CONV2D: Smallest = Smallest {
    tensors: &[
        ("x", &[1, 1, 1, 1], &[1.0]),
        ("offset", &[1, 2, 1, 1], &[0.0, 0.0]),
        ("weight", &[1, 1, 1, 1], &[1.0 / 3.0]),
    ],
    function: |t| {
        let options = DeformConvOptions::new([1, 1], [0, 0], [1, 1], 1, 1);
        module::deform_conv2d(t.get("x"), t.get("offset"), t.get("weight"), None, None, options).reshape([1])
    },
    right: &[1.0 / 3.0],
    found: Found::Numbers(&[0.3333333432674408]),
    ..SMALLEST_IN_DOUBLE
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "div_scalar",
        tensors: &["x"],
        kinds: &[Mismatch],
        says: "single precision",
        cause: "Burn computes the reciprocal of the divisor in single precision",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1.0])],
            options: "by 3",
            function: |t| x(t) / 3.0,
            right: &[1.0 / 3.0],
            found: Found::Numbers(&[0.3333333432674408]),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    VAR,
    VAR_BIAS,
    Known { operation: "var_mean", smallest: Smallest { function: |t| x(t).var_mean(0).0, ..VAR.smallest }, ..VAR },
    Known {
        operation: "var_mean_bias",
        smallest: Smallest { function: |t| x(t).var_mean_bias(0).0, ..VAR_BIAS.smallest },
        ..VAR_BIAS
    },
    Known {
        operation: "cov",
        smallest: Smallest {
            tensors: &[("x", &[3, 1], &[0.0, 0.0, 1.0])],
            function: |t| t.get::<2>("x").cov(0, 0).reshape([1]),
            ..VAR_BIAS.smallest
        },
        ..VAR_BIAS
    },
    SOFTPLUS,
    Known {
        operation: "softplus_with_threshold",
        smallest: Smallest {
            options: "beta 0.7, threshold 1",
            function: |t| activation::softplus_with_threshold(x(t), 0.7, 1.0),
            ..SOFTPLUS.smallest
        },
        ..SOFTPLUS
    },
    Known {
        operation: "softplus_with_threshold",
        // Large numbers are above the threshold, so that no pattern is seen in few others.
        points: &[Point::Wide],
        tensors: &["x"],
        kinds: &[Mismatch],
        cause: "The same as for div_scalar",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            tensors: &[("x", &[2], &[0.0, 1e6])],
            options: "beta 0.7, threshold 1",
            function: |t| activation::softplus_with_threshold(x(t), 0.7, 1.0),
            right: &[0.5, 1.0],
            found: Found::Numbers(&[0.5000000119209289, 1.0]),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    HARD_SIGMOID,
    HARD_SWISH,
    // The forward pass alone.
    Known { tensors: &[], says: "", ..HARD_SIGMOID },
    Known { tensors: &[], says: "", ..HARD_SWISH },
    Known {
        operation: "deform_conv2d",
        backends: &[FLEX],
        tensors: &["x", "offset", "weight", "mask"],
        kinds: &[Mismatch],
        says: "single precision",
        cause: "The backward pass computes in single precision",
        location: "burn-flex, ops/module.rs, deform_conv2d_backward",
        smallest: DEFORM_CONV2D,
        ..IN_DOUBLE
    },
];
