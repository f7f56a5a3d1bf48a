//! Norms of vectors, of `burn-linalg`, away from zero. The number of elements that are not zero is left out: it has no
//! derivative.

use backproof_gradcheck::Value;
use burn::tensor::Tensor;
use burn_linalg::{
    Norm, l1_norm, l1_norm_dims, l2_norm, l2_norm_dims, lp_norm, lp_norm_dims, max_abs_norm, max_abs_norm_dims,
    min_abs_norm, min_abs_norm_dims, vector_norm, vector_norm_dims, vector_normalize,
};

use super::maker::{Maker, subject};
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("vector_norm", |m| {
        let norm = m.draw.pick(&NORMS);
        along(m, &format!("{norm:?}"), move |x, axis| vector_norm(x, norm, axis))
    }),
    subject!("vector_norm_dims", |m| {
        let norm = m.draw.pick(&NORMS);
        over(m, &format!("{norm:?}"), move |x, axes| vector_norm_dims(x, norm, axes))
    }),
    subject!("vector_normalize", |m| {
        let norm = m.draw.pick(&NORMS);
        along(m, &format!("{norm:?}"), move |x, axis| vector_normalize(x, norm, axis, 1e-6))
    }),
    subject!("lp_norm", |m| {
        let power = m.draw.pick(&POWERS);
        along(m, &format!("power {power}"), move |x, axis| lp_norm(x, power, axis))
    }),
    subject!("lp_norm_dims", |m| {
        let power = m.draw.pick(&POWERS);
        over(m, &format!("power {power}"), move |x, axes| lp_norm_dims(x, power, axes))
    }),
    subject!(smooth "l1_norm", |m| along(m, "", l1_norm)),
    subject!(smooth "l1_norm_dims", |m| over(m, "", l1_norm_dims)),
    subject!(smooth "l2_norm", |m| along(m, "", l2_norm)),
    subject!(smooth "l2_norm_dims", |m| over(m, "", l2_norm_dims)),
    subject!("max_abs_norm", |m| along(m, "", max_abs_norm)),
    subject!("max_abs_norm_dims", |m| over(m, "", max_abs_norm_dims)),
    subject!("min_abs_norm", |m| along(m, "", min_abs_norm)),
    subject!("min_abs_norm_dims", |m| over(m, "", min_abs_norm_dims)),
];

const NORMS: [Norm; 7] = [Norm::L1, Norm::L2, Norm::LInf, Norm::LNegInf, Norm::Lp(3.0), Norm::Lp(4.0), Norm::Lp(2.5)];

/// Whole and even, whole and odd, and neither.
const POWERS: [f64; 7] = [1.0, 2.0, 3.0, 4.0, 1.5, -1.0, -2.0];

/// Numbers of both signs, whose magnitudes differ by a thirtieth at least.
fn magnitudes(m: &mut Maker<'_>) -> Value {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=3), m.draw.size(2..=4)];
    let distinct = m.distinct(dims);
    let data: Vec<f64> = distinct.data().iter().map(|x| 0.4 + (x + 0.1 * distinct.len() as f64 + 0.2) / 3.0).collect();
    let signed: Vec<f64> = data.into_iter().map(|x| if m.draw.once_in(2) { x } else { -x }).collect();
    Value::new(dims, signed)
}

fn along(mut m: Maker<'_>, options: &str, norm: impl Fn(T, usize) -> T + 'static) -> Case {
    let (x, axis) = (magnitudes(&mut m), m.draw.size(0..=2));
    let comma = if options.is_empty() { "" } else { ", " };
    m.unary(&format!("{options}{comma}axis {axis}"), x, move |x: T| norm(x, axis))
}

fn over(mut m: Maker<'_>, options: &str, norm: impl Fn(T, &[isize]) -> T + 'static) -> Case {
    let (x, axes) = (magnitudes(&mut m), m.draw.pick(&[&[0, 1][..], &[1, 2], &[2, 0], &[-1], &[0, 1, 2]]));
    let comma = if options.is_empty() { "" } else { ", " };
    m.unary(&format!("{options}{comma}axes {axes:?}"), x, move |x: T| norm(x, axes))
}
