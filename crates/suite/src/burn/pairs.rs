//! Elementwise functions of two tensors, with broadcasting.

use backproof_gradcheck::Value;
use burn::tensor::Tensor;

use super::maker::{Maker, subject};
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "add", |m| of_two(m, |a| a, |b| b, |a, b| a + b)),
    subject!(smooth "sub", |m| of_two(m, |a| a, |b| b, |a, b| a - b)),
    subject!(smooth "mul", |m| of_two(m, |a| a, |b| b, |a, b| a * b)),
    subject!(smooth "div", |m| of_two(m, |a| a, away, |a, b| a / b)),
    subject!(smooth "powf", |m| of_two(m, positive, |b| b, T::powf)),
    subject!(smooth "atan2", |m| of_two(m, away, away, T::atan2)),
    subject!(smooth "hypot", |m| of_two(m, away, away, T::hypot)),
    subject!("max_pair", |m| extremum(m, T::max_pair)),
    subject!("min_pair", |m| extremum(m, T::min_pair)),
    subject!(smooth "remainder", |mut m| {
        // x = (n + ½ ± 0.2) y, so that no step crosses a jump.
        let y = m.apart(0.8..1.5);
        let quotient: Vec<f64> =
            (0..y.len()).map(|_| m.draw.size(0..=4) as f64 - 2.0 + m.draw.real(0.3..0.7)).collect();
        let x = Value::new(y.dims(), quotient.iter().zip(y.data()).map(|(q, y)| q * y).collect::<Vec<_>>());
        m.binary("", [x, y], |x: T, y: T| x.remainder(y))
    }),
    subject!(smooth "cross", |mut m| {
        let dims = [m.draw.size(1..=3), 3, m.draw.size(1..=4)];
        let both = [m.draw.values(dims, 1.0), m.draw.values(dims, 1.0)];
        m.binary("axis 1", both, |x: T, y: T| x.cross(y, 1))
    }),
];

fn away(x: f64) -> f64 {
    if x < 0.0 { x - 0.4 } else { x + 0.4 }
}

fn positive(x: f64) -> f64 {
    0.3 + x.abs()
}

/// The larger or the smaller of two numbers, of which some are equal and each side wins somewhere.
fn extremum(mut m: Maker<'_>, function: fn(T, T) -> T) -> Case {
    let x = m.real(1.0);
    let mut y = m.draw.normal(x.dims(), 1.0).data().to_vec();
    (y[0], y[1], y[2]) = (x.data()[0] + 0.5, x.data()[1] - 0.5, x.data()[2]);
    let y = Value::new(x.dims(), y);
    m.binary("", [x, y], function)
}

/// Two tensors of which either may have axes of length 1 that are broadcast; each number goes through the functions of
/// its side.
fn of_two(mut m: Maker<'_>, left: fn(f64) -> f64, right: fn(f64) -> f64, function: fn(T, T) -> T) -> Case {
    let (a, b) = (m.real(1.0), m.real(1.0));
    let (mut a_dims, mut b_dims) = (a.dims().to_vec(), a.dims().to_vec());
    for axis in 0..3 {
        match m.draw.size(0..=5) {
            0 => a_dims[axis] = 1,
            1 => b_dims[axis] = 1,
            _ => {}
        }
    }
    let take = |value: &Value, dims: &[usize], through: fn(f64) -> f64| {
        let count = dims.iter().product();
        Value::new(dims, value.data().iter().cycle().take(count).map(|&x| through(x)).collect::<Vec<_>>())
    };
    m.binary("", [take(&a, &a_dims, left), take(&b, &b_dims, right)], function)
}
