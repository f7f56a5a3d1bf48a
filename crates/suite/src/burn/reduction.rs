//! Sums, means, products, extrema and running versions of them; sorting.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::Tensor;

use super::maker::{Maker, by_autodiff, subject, with_element};
use super::math::RECIPROCAL_IN_F32;
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "sum", |m| whole(m, T::sum)),
    subject!(smooth "mean", |m| whole(m, T::mean)),
    subject!(smooth "prod", |mut m| {
        let x = factors(&mut m);
        m.unary("", x, T::prod)
    }),
    subject!("max", |m| whole_distinct(m, T::max)),
    subject!("min", |m| whole_distinct(m, T::min)),
    subject!("max_abs", |m| whole_distinct(m, T::max_abs)),
    subject!(smooth "sum_dim", |m| along(m, T::sum_dim::<usize>)),
    subject!(smooth "mean_dim", |m| along(m, T::mean_dim::<usize>)),
    subject!(smooth "prod_dim", |mut m| {
        let (x, axis) = (factors(&mut m), m.draw.size(0..=2));
        m.unary(&format!("axis {axis}"), x, move |x: T| x.prod_dim(axis))
    }),
    subject!("max_dim", |m| extremum(m, T::max_dim::<usize>)),
    subject!("min_dim", |m| extremum(m, T::min_dim::<usize>)),
    subject!("max_abs_dim", |m| extremum(m, T::max_abs_dim::<usize>)),
    subject!("max_dim_with_indices", |m| extremum(m, |x, axis| x.max_dim_with_indices(axis).0)),
    subject!("min_dim_with_indices", |m| extremum(m, |x, axis| x.min_dim_with_indices(axis).0)),
    subject!(smooth "var", |m| variance(m, T::var::<usize>, 1)),
    subject!(smooth "var_bias", |m| variance(m, T::var_bias::<usize>, 0)),
    subject!(smooth "cumsum", |m| along(m, T::cumsum::<usize>)),
    subject!(smooth "cumprod", |m| along(m, T::cumprod::<usize>)),
    subject!("cummax", |m| along_distinct(m, T::cummax::<usize>)),
    subject!("cummin", |m| along_distinct(m, T::cummin::<usize>)),
    subject!("sort", |m| along_distinct(m, T::sort::<usize>)),
    subject!("sort_descending", |m| along_distinct(m, T::sort_descending::<usize>)),
    subject!("sort_with_indices", |m| along_distinct(m, |x, axis| x.sort_with_indices(axis).0)),
    subject!("median", |m| along_distinct(m, T::median::<usize>)),
    subject!("topk", |mut m| {
        let dims = [m.draw.size(2..=3), m.draw.size(3..=5), m.draw.size(3..=5)];
        let (x, axis, k) = (m.distinct(dims), m.draw.size(0..=2), m.draw.size(1..=2));
        m.unary(&format!("axis {axis}, k {k}"), x, move |x: T| x.topk(k, axis))
    }),
];

/// Of all elements.
fn whole(mut m: Maker<'_>, function: fn(T) -> Tensor<1>) -> Case {
    let x = m.real(1.0);
    m.unary("", x, function)
}

/// Of all elements, which are different.
fn whole_distinct(mut m: Maker<'_>, function: fn(T) -> Tensor<1>) -> Case {
    let dims = m.dims();
    let x = m.distinct(dims);
    m.unary("", x, function)
}

/// Of a maximum or minimum along one axis. Once in three there are ties, in one of two samples: at a tie many a
/// gradient is right.
fn extremum(mut m: Maker<'_>, function: fn(T, usize) -> T) -> Case {
    let [rows, columns] = [m.draw.size(2..=4), m.draw.size(2..=5)];
    let x = m.distinct([2, rows, columns]);
    if !m.draw.once_in(3) {
        let axis = m.draw.size(0..=2);
        return m.unary(&format!("axis {axis}"), x, move |x: T| function(x, axis));
    }
    let tied = |index: usize| if index < rows * columns { index - index % columns } else { index };
    let data: Vec<f64> = (0..x.len()).map(|index| x.data()[tied(index)]).collect();
    m.unary("axis 2, ties in the first sample", Value::new(x.dims(), data), move |x: T| function(x, 2))
}

/// Along one axis.
fn along(mut m: Maker<'_>, function: fn(T, usize) -> T) -> Case {
    let (x, axis) = (of_length_two(&mut m), m.draw.size(0..=2));
    m.unary(&format!("axis {axis}"), x, move |x: T| function(x, axis))
}

/// Of a product: once in three one of them is zero, where the other gradients vanish and its own does not.
fn factors(m: &mut Maker<'_>) -> Value {
    let x = m.apart(0.6..1.4);
    if m.draw.once_in(3) { with_element(&x, m.draw.size(0..=x.len() - 1), 0.0) } else { x }
}

/// Along one axis, of different numbers: where several maxima meet, one side may be chosen for each.
fn along_distinct(mut m: Maker<'_>, function: fn(T, usize) -> T) -> Case {
    let dims = [m.draw.size(1..=3), m.draw.size(2..=4), m.draw.size(2..=5)];
    let (x, axis) = (m.distinct(dims), m.draw.size(0..=2));
    m.unary(&format!("axis {axis}"), x, move |x: T| function(x, axis))
}

/// The mean of the squares over the length less `less`.
fn variance(mut m: Maker<'_>, function: fn(T, usize) -> T, less: usize) -> Case {
    let (x, axis) = (of_length_two(&mut m), m.draw.size(0..=2));
    let count = x.dims()[axis] - less;
    let case = m.unary(&format!("axis {axis}"), x, move |x: T| function(x, axis));
    let check = m.context.mutant(case.check, RECIPROCAL_IN_F32, move |t| {
        let single = |x: T| {
            let centred = x.clone() - x.mean_dim(axis);
            centred.square().sum_dim(axis) * f64::from(1.0 / count as f32)
        };
        Gradients::new().with("x", by_autodiff(t, single))
    });
    Case { check, ..case }
}

/// Every axis has two elements at least: a variance of one is zero over zero.
fn of_length_two(m: &mut Maker<'_>) -> Value {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=5)];
    m.draw.values(dims, 1.0)
}
