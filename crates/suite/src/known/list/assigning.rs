//! Assignments that take the larger or the smaller number.

use backproof_gradcheck::Arguments;
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

use super::common::{FAULT, SMALLEST, x, y};
use crate::known::entry::{Found, Known, Smallest};
use crate::point::Point;
use crate::symptoms::Kind::Mismatch;

/// Where numbers are equal.
const TIES: &[Point] =
    &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Equal, Point::Underflow, Point::Denormal];

fn first(t: &Arguments<'_>) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(vec![0i64], [1]), t.device())
}

const SELECT_ASSIGN_MAX: Known = Known {
    operation: "select_assign_max",
    points: TIES,
    tensors: &["x", "y"],
    kinds: &[Mismatch],
    cause: "At a tie, both sides get the whole gradient. If both move together, the function changes by 1, but the \
        gradients say 2",
    location: "burn-autodiff, ops/tensor.rs, float_select_assign",
    smallest: Smallest {
        tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
        options: "index 0; the gradients of x and y must add up to 1",
        function: |t| x(t).select_assign(0, first(t), y(t), IndexingUpdateOp::Max),
        right: &[0.5],
        found: Found::Numbers(&[1.0]),
        ..SMALLEST
    },
    ..FAULT
};

const SCATTER_MAX: Known = Known {
    operation: "scatter_max",
    location: "burn-autodiff, ops/tensor.rs, float_scatter",
    smallest: Smallest {
        function: |t| x(t).scatter(0, first(t), y(t), IndexingUpdateOp::Max),
        ..SELECT_ASSIGN_MAX.smallest
    },
    ..SELECT_ASSIGN_MAX
};

const SCATTER_ND_MAX: Known = Known {
    operation: "scatter_nd_max",
    location: "burn-autodiff, ops/tensor.rs, float_scatter_nd",
    smallest: Smallest {
        function: |t| x(t).scatter_nd::<2, 1>(first(t).reshape([1, 1]), y(t), IndexingUpdateOp::Max),
        ..SELECT_ASSIGN_MAX.smallest
    },
    ..SELECT_ASSIGN_MAX
};

pub(super) const FAULTS: &[Known] = &[
    SELECT_ASSIGN_MAX,
    Known {
        operation: "select_assign_min",
        smallest: Smallest {
            function: |t| x(t).select_assign(0, first(t), y(t), IndexingUpdateOp::Min),
            ..SELECT_ASSIGN_MAX.smallest
        },
        ..SELECT_ASSIGN_MAX
    },
    SCATTER_MAX,
    Known {
        operation: "scatter_min",
        smallest: Smallest {
            function: |t| x(t).scatter(0, first(t), y(t), IndexingUpdateOp::Min),
            ..SCATTER_MAX.smallest
        },
        ..SCATTER_MAX
    },
    SCATTER_ND_MAX,
    Known {
        operation: "scatter_nd_min",
        smallest: Smallest {
            function: |t| x(t).scatter_nd::<2, 1>(first(t).reshape([1, 1]), y(t), IndexingUpdateOp::Min),
            ..SCATTER_ND_MAX.smallest
        },
        ..SCATTER_ND_MAX
    },
];
