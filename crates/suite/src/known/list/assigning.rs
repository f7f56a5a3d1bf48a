//! Assignments that take the larger or the smaller number.

use backproof_gradcheck::Arguments;
use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData};

use super::{BOTH, EVERYWHERE, x, y};
use crate::known::{Found, Known, Smallest};
use crate::point::Point;
use crate::symptoms::Kind::Mismatch;

/// Where numbers are equal.
const TIES: &[Point] =
    &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Equal, Point::Underflow, Point::Denormal];

fn first(t: &Arguments<'_>) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(vec![0i64], [1]), t.device())
}

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "select_assign_max",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_select_assign",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).select_assign(0, first(t), y(t), IndexingUpdateOp::Max),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
    Known {
        operation: "select_assign_min",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_select_assign",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).select_assign(0, first(t), y(t), IndexingUpdateOp::Min),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
    Known {
        operation: "scatter_max",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_scatter",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).scatter(0, first(t), y(t), IndexingUpdateOp::Max),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
    Known {
        operation: "scatter_min",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_scatter",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).scatter(0, first(t), y(t), IndexingUpdateOp::Min),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
    Known {
        operation: "scatter_nd_max",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_scatter_nd",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).scatter_nd::<2, 1>(first(t).reshape([1, 1]), y(t), IndexingUpdateOp::Max),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
    Known {
        operation: "scatter_nd_min",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: TIES,
        tensors: &["x", "y"],
        kinds: &[Mismatch],
        says: "",
        cause: "At a tie both sides get the whole gradient: moved together, the function changes by 1 and the \
                    gradients say 2",
        location: "burn-autodiff, ops/tensor.rs, float_scatter_nd",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0]), ("y", &[1], &[2.0])],
            options: "index 0; the gradients of x and y must add up to 1",
            function: |t| x(t).scatter_nd::<2, 1>(first(t).reshape([1, 1]), y(t), IndexingUpdateOp::Min),
            of: "x",
            right: &[0.5],
            found: Found::Numbers(&[1.0]),
        },
    },
];
