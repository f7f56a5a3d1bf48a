//! Losses of burn-nn.

use backproof::point::Point;
use burn::nn::loss::{CosineEmbeddingLossConfig, PoissonNllLossConfig, TripletMarginLossConfig};
use burn::tensor::{DType, Int, Tensor, TensorData};

use super::{BOTH, EVERYWHERE, NEARLY_ZERO};
use crate::compare_gradients::known::{Found, Known, Smallest};
use crate::compare_gradients::symptoms::Kind::NotFinite;

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "CosineEmbeddingLoss",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: NEARLY_ZERO,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        says: "",
        cause: "As of cosine_similarity",
        place: "burn-linalg, functions/vector_norm.rs, l2_norm_impl",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1, 1], &[0.0]), ("y", &[1, 1], &[0.0])],
            options: "target 1",
            function: |t| {
                let target = Tensor::<1, Int>::from_data(TensorData::new(vec![1i64], [1]), t.device());
                CosineEmbeddingLossConfig::new().init().forward_no_reduction(t.get("x"), t.get("y"), target)
            },
            of: "x",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "TripletMarginLoss",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: NEARLY_ZERO,
        tensors: &["anchor", "positive", "negative"],
        kinds: &[NotFinite],
        says: "",
        cause: "The distance of equal points is a square root at zero, as of l2_norm",
        place: "burn-nn, loss/triplet_margin.rs, forward_no_reduction",
        smallest: Smallest {
            precision: DType::F32,
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
        },
    },
    Known {
        operation: "PoissonNllLoss",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Denormal, Point::Underflow],
        tensors: &["y"],
        kinds: &[NotFinite],
        says: "",
        cause: "Stirling's term is computed for every target and masked afterwards: ln 0 has the slope ∞, and 0 · ∞ is NaN",
        place: "burn-nn, loss/poisson.rs, forward_no_reduction",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1, 1], &[0.0]), ("y", &[1, 1], &[1e-39])],
            options: "log input, full",
            function: |t| {
                let loss = PoissonNllLossConfig::new().with_full(true).init();
                loss.forward_no_reduction(t.get::<2>("x"), t.get::<2>("y")).reshape([1])
            },
            of: "y",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
];
