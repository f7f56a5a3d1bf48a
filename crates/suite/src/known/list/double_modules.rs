//! Modules of burn-nn, and functions beside it, that compute in single precision, or panic, although the tensors are in
//! double precision.

use std::f64::consts::LN_2;

use backproof_gradcheck::Arguments;
use burn::nn::activation::{HardSigmoidConfig, HardSwish};
use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CTCLossConfig, CrossEntropyLossConfig, KLDivLossConfig, RNNTLossConfig, Reduction,
};
use burn::nn::{GaussianNoiseConfig, RmsNormConfig};
use burn::tensor::grid::affine_grid_2d;
use burn::tensor::{Int, Tensor, TensorData};
use burn_linalg::qr;

use super::common::{FLEX, IN_DOUBLE, SMALLEST_IN_DOUBLE, flat, in_double, x};
use super::double::DEFORM_CONV2D;
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::{Mismatch, Panics};

fn int(t: &Arguments<'_>, number: i64) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(vec![number], [1]), t.device())
}

const BINARY_CROSS_ENTROPY_LOSS: Known = Known {
    operation: "BinaryCrossEntropyLoss",
    kinds: &[Panics],
    says: "type mismatch",
    cause: "Burn converts the targets to the default precision",
    location: "burn-nn, loss/binary_cross_entropy.rs, forward",
    smallest: Smallest {
        tensors: &[("x", &[1], &[0.5])],
        options: "target 1",
        function: |t| BinaryCrossEntropyLossConfig::new().init(t.device()).forward(t.get::<1>("x"), int(t, 1)),
        right: &[],
        found: Found::Panics("type mismatch"),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const HARD_SIGMOID: Known = Known {
    operation: "HardSigmoid",
    tensors: &["x", ""],
    kinds: &[Mismatch],
    cause: "The same as for hard_sigmoid: both passes compute in single precision",
    location: "burn-backend, backend/ops/activation.rs, hard_sigmoid",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1.0])],
        function: |t| HardSigmoidConfig::new().init().forward(x(t)),
        right: &[0.2],
        found: Found::Numbers(&[0.20000000298023224]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "RNNTLoss",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "The sums start from zeros in the default precision",
        location: "burn-nn, loss/rnnt.rs, init_alpha",
        smallest: Smallest {
            tensors: &[("x", &[1, 2, 2, 2], &[0.0; 8])],
            options: "2 steps, 1 label and 2 classes, target [1], blank 0",
            function: |t| {
                RNNTLossConfig::new().init().forward(t.get("x"), int(t, 1).reshape([1, 1]), int(t, 2), int(t, 1))
            },
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    BINARY_CROSS_ENTROPY_LOSS,
    Known { operation: "BinaryCrossEntropyLoss_of_vector", ..BINARY_CROSS_ENTROPY_LOSS },
    Known {
        operation: "CTCLoss",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "The mean divides by lengths that are in the default precision",
        location: "burn-nn, loss/ctc.rs, forward_with_reduction",
        smallest: Smallest {
            tensors: &[("x", &[2, 1, 2], &[-LN_2; 4])],
            options: "the mean over 2 steps and 2 classes, target [1], blank 0",
            function: |t| {
                let (target, mean) = (int(t, 1).reshape([1, 1]), Reduction::Mean);
                CTCLossConfig::new().init().forward_with_reduction(t.get("x"), target, int(t, 2), int(t, 1), mean)
            },
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    Known {
        operation: "CrossEntropyLoss_smoothed",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "Burn makes the smoothed targets in the default precision",
        location: "burn-nn, loss/cross_entropy.rs, compute_smoothed_targets",
        smallest: Smallest {
            tensors: &[("x", &[1, 2], &[0.0, 0.0])],
            options: "smoothing 0.1, target 1",
            function: |t| {
                CrossEntropyLossConfig::new().with_smoothing(Some(0.1)).init(t.device()).forward(t.get("x"), int(t, 1))
            },
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    Known {
        operation: "GaussianNoise",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "Burn makes the noise in the default precision",
        location: "burn-nn, modules/noise.rs, forward",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1.0])],
            options: "deviation 0.1, in training",
            function: |t| GaussianNoiseConfig::new(0.1).init().forward(x(t)),
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    HARD_SIGMOID,
    Known {
        operation: "HardSwish",
        smallest: Smallest {
            function: |t| HardSwish::new().forward(x(t)),
            right: &[5.0 / 6.0],
            found: Found::Numbers(&[0.833333358168602]),
            ..HARD_SIGMOID.smallest
        },
        ..HARD_SIGMOID
    },
    Known {
        operation: "DeformConv2d",
        backends: &[FLEX],
        kinds: &[Mismatch],
        cause: "The same as for deform_conv2d",
        location: "burn-flex, ops/module.rs, deform_conv2d_backward",
        smallest: DEFORM_CONV2D,
        ..IN_DOUBLE
    },
    Known {
        operation: "qr",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "Burn makes the identity matrix in the default precision",
        location: "burn-linalg, functions/qr.rs, qr",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[2.0])],
            function: |t| flat(qr(t.get::<2>("x"), true).1),
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    Known {
        operation: "affine_grid_2d",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "Burn makes the grid in the default precision",
        location: "burn-tensor, tensor/grid/affine_grid.rs, affine_grid_2d",
        smallest: Smallest {
            tensors: &[("x", &[1, 2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])],
            options: "to 2×2",
            function: |t| flat(affine_grid_2d(t.get("x"), [1, 1, 2, 2])),
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    Known {
        operation: "RmsNorm",
        tensors: &["", "x", "gamma"],
        kinds: &[Mismatch],
        cause: "Burn computes the root of the mean square in single precision",
        location: "burn-nn, modules/norm/rms.rs, forward",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[0.0])],
            options: "epsilon 0.3",
            function: |t| {
                flat(in_double(RmsNormConfig::new(1).with_epsilon(0.3).init(t.device())).forward(t.get::<2>("x")))
            },
            right: &[1.8257418583505538],
            found: Found::Numbers(&[1.8257417898720898]),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
    Known {
        operation: "KLDivLoss",
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        cause: "The same as for div_scalar, with the size of the batch as divisor",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            tensors: &[("x", &[3, 1], &[0.0; 3]), ("y", &[3, 1], &[1.0; 3])],
            options: "mean of the batch",
            function: |t| {
                let loss = KLDivLossConfig::new().init();
                loss.forward(t.get::<2>("x"), t.get("y"), Reduction::BatchMean)
            },
            right: &[-1.0 / 3.0; 3],
            found: Found::Numbers(&[-0.3333333432674408; 3]),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
];
