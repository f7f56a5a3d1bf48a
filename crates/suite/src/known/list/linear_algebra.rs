//! Norms and factorisations of burn-linalg.

use crate::point::Point;
use burn::nn::CosineSimilarityConfig;
use burn_linalg::{
    Norm, cosine_similarity, det, l2_norm, l2_norm_dims, lp_norm, lp_norm_dims, lu, qr, vector_norm, vector_norm_dims,
    vector_normalize,
};

use super::common::{FAULT, NEARLY_ZERO, SINGLE, SMALLEST, SQUARES, x, y};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::{Mismatch, NotFinite};

const N: f64 = f64::NAN;

/// What the gradient of a determinant by lu is where pivots are tiny.
const HALF_NAN: &[f64] = &[N, N, N, 0.0, N, N, N, 0.0, N, N, N, 0.0, 0.0, 0.0, 0.0, 0.0];

/// The right one.
const OF_DETERMINANT: &[f64] =
    &[1e-90, 0.0, 0.0, 0.0, 0.0, 1e-90, 0.0, 0.0, 0.0, 0.0, 1e-90, 0.0, 0.0, 0.0, 0.0, 1e-90];

const L2_NORM: Known = Known {
    operation: "l2_norm",
    points: NEARLY_ZERO,
    kinds: &[NotFinite],
    cause: "The norm is the square root of a sum of squares. The slope of the root at zero is ∞, and 0 · ∞ is NaN. \
        Squares below 10⁻³⁸ are zero",
    location: "burn-linalg, functions/vector_norm.rs, l2_norm_impl",
    smallest: Smallest {
        tensors: &[("x", &[1], &[0.0])],
        function: |t| l2_norm(x(t), 0),
        right: &[0.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const L2_NORM_DIMS: Known = Known {
    operation: "l2_norm_dims",
    cause: "The same as for l2_norm, and for other powers too",
    smallest: Smallest { function: |t| l2_norm_dims(x(t), &[0]), ..L2_NORM.smallest },
    ..L2_NORM
};

const DET: Known = Known {
    operation: "det",
    precisions: SINGLE,
    points: &[Point::Underflow, Point::Denormal],
    kinds: &[NotFinite, Mismatch],
    cause: "From 4 rows on, Burn computes the determinant by lu, and the fault is the same as there",
    location: "burn-linalg, functions/det.rs, det",
    smallest: Smallest {
        tensors: &[(
            "x",
            &[1, 4, 4],
            &[1e-30, 0.0, 0.0, 0.0, 0.0, 1e-30, 0.0, 0.0, 0.0, 0.0, 1e-30, 0.0, 0.0, 0.0, 0.0, 1e-30],
        )],
        function: |t| det::<3, 2, 1>(t.get("x")),
        right: OF_DETERMINANT,
        found: Found::Numbers(HALF_NAN),
        ..SMALLEST
    },
    ..FAULT
};

const DET_SINGULAR: Known = Known {
    operation: "det_singular",
    kinds: &[Mismatch],
    cause: "From 4 rows on, Burn replaces a determinant below the round-off by zero with mask_fill, which has no \
        derivative",
    location: "burn-linalg, functions/det.rs, det",
    smallest: Smallest {
        tensors: &[(
            "x",
            &[1, 4, 4],
            &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        )],
        function: |t| det::<3, 2, 1>(t.get("x")),
        right: &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        found: Found::Numbers(&[0.0; 16]),
        ..SMALLEST
    },
    ..FAULT
};

pub(super) const FAULTS: &[Known] = &[
    L2_NORM,
    L2_NORM_DIMS,
    Known {
        operation: "vector_norm",
        smallest: Smallest { function: |t| vector_norm(x(t), Norm::L2, 0), ..L2_NORM_DIMS.smallest },
        ..L2_NORM_DIMS
    },
    Known {
        operation: "vector_norm_dims",
        smallest: Smallest { function: |t| vector_norm_dims(x(t), Norm::L2, &[0]), ..L2_NORM_DIMS.smallest },
        ..L2_NORM_DIMS
    },
    Known {
        operation: "lp_norm",
        smallest: Smallest { function: |t| lp_norm(x(t), 2.0, 0), ..L2_NORM_DIMS.smallest },
        ..L2_NORM_DIMS
    },
    Known {
        operation: "lp_norm_dims",
        smallest: Smallest { function: |t| lp_norm_dims(x(t), 2.0, &[0]), ..L2_NORM_DIMS.smallest },
        ..L2_NORM_DIMS
    },
    Known {
        operation: "vector_normalize",
        points: NEARLY_ZERO,
        kinds: &[NotFinite, Mismatch],
        cause: "Burn clamps the norm from below. The gradient of the norm is still NaN, as for l2_norm",
        location: "burn-linalg, functions/vector_norm.rs, l2_norm_impl",
        smallest: Smallest {
            tensors: &[("x", &[1], &[0.0])],
            options: "eps 1",
            function: |t| vector_normalize(x(t), Norm::L2, 0, 1.0),
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "cosine_similarity",
        points: NEARLY_ZERO,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        cause: "Burn clamps the norms from below. Their gradients are still NaN, as for l2_norm",
        location: "burn-linalg, functions/vector_norm.rs, l2_norm_impl",
        smallest: Smallest {
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[1.0])],
            options: "eps 1",
            function: |t| cosine_similarity(x(t), y(t), 0, Some(1.0)),
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "CosineSimilarity",
        points: NEARLY_ZERO,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        cause: "The same as for cosine_similarity",
        location: "burn-nn, modules/cosine_similarity.rs, forward",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[0.0]), ("y", &[1, 1], &[0.0])],
            function: |t| {
                CosineSimilarityConfig::new().with_dim(1).init().forward(t.get::<2>("x"), t.get::<2>("y")).reshape([1])
            },
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    DET_SINGULAR,
    Known {
        operation: "det",
        points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Equal, Point::Masked],
        cause: "The same as for det_singular: the determinant is zero, or less than the round-off",
        ..DET_SINGULAR
    },
    Known {
        operation: "qr",
        points: &[Point::Underflow, Point::Denormal, Point::SomeZeros, Point::AllZeros, Point::ZeroRows],
        tensors: &["x", ""],
        kinds: &[NotFinite, Mismatch],
        cause: "The norm of a column, or its square, is zero, as for l2_norm",
        location: "burn-linalg, functions/qr.rs, qr",
        smallest: Smallest {
            tensors: &[("x", &[1, 1], &[1e-30])],
            options: "R",
            function: |t| qr(t.get::<2>("x"), true).1.reshape([1]),
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "lu",
        precisions: SINGLE,
        points: SQUARES,
        kinds: &[NotFinite, Mismatch],
        cause: "Burn divides the lower factor by the pivot. The gradient of this divisor divides by its square, which \
            is 0 or ∞: see div",
        location: "burn-autodiff, ops/tensor.rs, float_div",
        smallest: Smallest {
            tensors: &[("x", &[2, 2], &[2e-30, 0.0, 1e-30, 1e-30])],
            options: "L",
            function: |t| lu::<2, 1>(t.get("x")).1.reshape([4]),
            right: &[-2.5e29, 0.0, 5e29, 0.0],
            found: Found::Numbers(&[f64::NAN, 0.0, 5e29, 0.0]),
            ..SMALLEST
        },
        ..FAULT
    },
    DET,
    Known { operation: "det_singular", ..DET },
];
