//! Losses of burn-nn.

use std::f64::consts::LN_2;

use crate::point::Point;
use backproof_gradcheck::Arguments;
use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CTCLossConfig, CosineEmbeddingLossConfig, LpLossConfig, PoissonNllLossConfig,
    RNNTLossConfig, Reduction, TripletMarginLossConfig,
};
use burn::tensor::{Int, Tensor, TensorData};

use super::common::{FAULT, FLEX, NDARRAY, NEARLY_ZERO, SMALLEST};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::{Mismatch, NotFinite};

fn int(t: &Arguments<'_>, number: i64) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(vec![number], [1]), t.device())
}

const BINARY_CROSS_ENTROPY_LOSS: Known = Known {
    operation: "BinaryCrossEntropyLoss",
    points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Denormal],
    kinds: &[NotFinite],
    cause: "Burn clamps ln x from below, but the slope of ln x is already ∞, and 0 · ∞ is NaN",
    location: "burn-nn, loss/binary_cross_entropy.rs, forward",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1e-39])],
        options: "target 0",
        function: |t| BinaryCrossEntropyLossConfig::new().init(t.device()).forward(t.get::<1>("x"), int(t, 0)),
        right: &[1.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "CosineEmbeddingLoss",
        points: NEARLY_ZERO,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        cause: "The same as for cosine_similarity",
        location: "burn-linalg, functions/vector_norm.rs, l2_norm_impl",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[0.0]), ("y", &[1, 1], &[0.0])],
            options: "target 1",
            function: |t| {
                let target = Tensor::<1, Int>::from_data(TensorData::new(vec![1i64], [1]), t.device());
                CosineEmbeddingLossConfig::new().init().forward_no_reduction(t.get("x"), t.get("y"), target)
            },
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "TripletMarginLoss",
        tensors: &["anchor", "positive", "negative"],
        kinds: &[NotFinite],
        cause: "The distance of equal points is a square root at zero, as for l2_norm",
        location: "burn-nn, loss/triplet_margin.rs, forward_no_reduction",
        smallest: Smallest {
            tensors: &[("anchor", &[1, 1], &[0.0]), ("positive", &[1, 1], &[0.0]), ("negative", &[1, 1], &[0.0])],
            options: "p 2",
            function: |t| {
                TripletMarginLossConfig::new().init().forward_no_reduction(
                    t.get("anchor"),
                    t.get("positive"),
                    t.get("negative"),
                )
            },
            of: "positive",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "PoissonNllLoss",
        points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Denormal, Point::Underflow],
        tensors: &["y"],
        kinds: &[NotFinite],
        cause: "Burn computes Stirling's term for every target, and masks it afterwards. ln 0 has the slope ∞, and 0 \
            · ∞ is NaN",
        location: "burn-nn, loss/poisson.rs, forward_no_reduction",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[0.0]), ("y", &[1, 1], &[1e-39])],
            options: "log input, full",
            function: |t| {
                let loss = PoissonNllLossConfig::new().with_full(true).init();
                loss.forward_no_reduction(t.get::<2>("x"), t.get::<2>("y")).reshape([1])
            },
            of: "y",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "CTCLoss",
        backends: &[FLEX, NDARRAY],
        kinds: &[Mismatch],
        cause: "The same as for ctc_loss, which it calls",
        location: "burn-backend, ops/modules/ctc.rs, log_sum_exp",
        smallest: Smallest {
            tensors: &[("x", &[2, 1, 2], &[-LN_2; 4])],
            options: "log-probabilities of 2 steps and 2 classes, target [1], blank 0",
            function: |t| {
                CTCLossConfig::new().init().forward(t.get("x"), int(t, 1).reshape([1, 1]), int(t, 2), int(t, 1))
            },
            right: &[-1.0 / 3.0, -2.0 / 3.0, -1.0 / 3.0, -2.0 / 3.0],
            found: Found::Numbers(&[0.0, -1.0, -1.0 / 3.0, -2.0 / 3.0]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "RNNTLoss",
        kinds: &[Mismatch],
        cause: "The same as for ctc_loss. Burn computes log(eᵃ + eᵇ) by max_pair and log(1 + exp(−abs(a − b))). \
            Neither has the slope ½ where a = b",
        location: "burn-nn, loss/rnnt.rs, log_sum_exp",
        smallest: Smallest {
            tensors: &[("x", &[1, 2, 2, 2], &[0.0; 8])],
            options: "2 steps, 1 label and 2 classes, target [1], blank 0",
            function: |t| {
                RNNTLossConfig::new().init().forward(t.get("x"), int(t, 1).reshape([1, 1]), int(t, 2), int(t, 1))
            },
            right: &[0.0, 0.0, -0.25, 0.25, 0.25, -0.25, -0.5, 0.5],
            found: Found::Numbers(&[0.5, -0.5, -0.5, 0.5, 0.0, 0.0, -0.5, 0.5]),
            ..SMALLEST
        },
        ..FAULT
    },
    BINARY_CROSS_ENTROPY_LOSS,
    Known { operation: "BinaryCrossEntropyLoss_of_vector", ..BINARY_CROSS_ENTROPY_LOSS },
    Known {
        operation: "LpLoss",
        points: &[Point::Twice],
        kinds: &[NotFinite],
        cause: "For p < 1, the slope of |r|ᵖ is ∞ at r = 0. The loss of a tensor and itself is zero everywhere, and its \
            gradient is ∞ − ∞",
        location: "burn-nn, loss/lp_loss.rs, forward_no_reduction",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[1.0])],
            options: "p 0.5",
            function: |t| {
                let x = t.get::<2>("x");
                LpLossConfig::new(0.5).init().forward(x.clone(), x, Reduction::Sum)
            },
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
];
