//! Reductions over several axes, and those that return something beside the reduced numbers.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::Tensor;

use super::maker::{Maker, by_autodiff, subject};
use super::math::RECIPROCAL_IN_F32;
use super::shape::curve;
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "sum_dims", |mut m| {
        let x = m.apart(0.3..2.0);
        over_axes(m, x, |x, axes| curve(x.sum_dims(axes)))
    }),
    subject!(smooth "sum_dims_squeeze", |mut m| {
        let (x, axes) = (m.apart(0.3..2.0), m.draw.pick(&[[0, 1], [0, 2], [2, 1], [-1, 0]]));
        m.unary(&format!("axes {axes:?}"), x, move |x: T| curve(x.sum_dims_squeeze::<1, isize>(&axes)))
    }),
    subject!(smooth "mean_dims", |mut m| {
        let x = m.apart(0.3..2.0);
        over_axes(m, x, |x, axes| curve(x.mean_dims(axes)))
    }),
    subject!(smooth "prod_dims", |mut m| {
        let x = m.apart(0.6..1.4);
        over_axes(m, x, |x, axes| x.prod_dims(axes))
    }),
    subject!("max_dims", |m| over_distinct(m, |x, axes| x.max_dims(axes))),
    subject!("min_dims", |m| over_distinct(m, |x, axes| x.min_dims(axes))),
    subject!("max_abs_dims", |m| over_distinct(m, |x, axes| x.max_abs_dims(axes))),
    subject!(smooth "var_mean", |m| with_mean(m, T::var_mean::<usize>, 1)),
    subject!(smooth "var_mean_bias", |m| with_mean(m, T::var_mean_bias::<usize>, 0)),
    subject!(smooth "cov", covariance),
    subject!("median_with_indices", |m| ordered(m, |x, axis| x.median_with_indices(axis).0)),
    subject!("sort_descending_with_indices", |m| ordered(m, |x, axis| x.sort_descending_with_indices(axis).0)),
    subject!("topk_with_indices", |m| ordered(m, |x, axis| {
        let k = x.dims()[axis] - 1;
        x.topk_with_indices(k, axis).0
    })),
];

/// Several axes, in any order, counted from the front or from the back.
const AXES: [&[isize]; 7] = [&[0, 1], &[1, 2], &[0, 2], &[2, 0], &[-1, 0], &[0, 1, 2], &[1]];

fn over_axes(mut m: Maker<'_>, x: Value, function: fn(T, &[isize]) -> T) -> Case {
    let axes = m.draw.pick(&AXES);
    m.unary(&format!("axes {axes:?}"), x, move |x: T| function(x, axes))
}

fn over_distinct(mut m: Maker<'_>, function: fn(T, &[isize]) -> T) -> Case {
    let dims = m.dims();
    let x = m.distinct(dims);
    over_axes(m, x, function)
}

/// Along one axis, of at least two different numbers.
fn ordered(mut m: Maker<'_>, function: fn(T, usize) -> T) -> Case {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=5)];
    let (x, axis) = (m.distinct(dims), m.draw.size(0..=2));
    m.unary(&format!("axis {axis}"), x, move |x: T| curve(function(x, axis)))
}

/// A variance over the length less `less`, and the mean that it goes with.
fn with_mean(mut m: Maker<'_>, function: fn(T, usize) -> (T, T), less: usize) -> Case {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=5)];
    let (x, axis) = (m.draw.normal(dims, 1.0), m.draw.size(0..=2));
    let both = move |variance: T, mean: T| Tensor::cat(vec![variance, mean], axis);
    let case = m.unary(&format!("axis {axis}"), x, move |x: T| {
        let (variance, mean) = function(x, axis);
        both(variance, mean)
    });
    let count = dims[axis] - less;
    let check = m.context.mutant(case.check, RECIPROCAL_IN_F32, move |t| {
        let single = |x: T| {
            let mean = x.clone().mean_dim(axis);
            both((x - mean.clone()).square().sum_dim(axis) * f64::from(1.0 / count as f32), mean)
        };
        Gradients::new().with("x", by_autodiff(t, single))
    });
    Case { check, ..case }
}

/// Burn's covariance exchanges the axis with the first, and multiplies what it then has as the last two axes.
fn covariance(mut m: Maker<'_>) -> Case {
    let dims = [m.draw.size(3..=5), m.draw.size(2..=4)];
    let (x, axis, less) = (m.draw.normal(dims, 1.0), m.draw.size(0..=1), m.draw.size(0..=1));
    let options = format!("axis {axis}, over the length less {less}");
    let case = m.unary(&options, x, move |x: Tensor<2>| x.cov(axis, less));
    let count = dims[axis] - less;
    let check = m.context.mutant(case.check, RECIPROCAL_IN_F32, move |t| {
        let x = t.get::<2>("x").autodiff().require_grad();
        let centred = (x.clone() - x.clone().mean_dim(axis)).swap_dims(axis, 0);
        let single = centred.clone().transpose().matmul(centred) * f64::from(1.0 / count as f32);
        let found = (single * t.cotangent::<2>().autodiff()).sum().backward();
        Gradients::new().with("x", x.grad(&found).expect("the covariance depends on x"))
    });
    Case { check, ..case }
}
