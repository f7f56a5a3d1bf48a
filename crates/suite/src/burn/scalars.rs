//! Arithmetic with one number, on either side of the sign, and what else is made of divisions and powers.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::{Tensor, TensorData};

use super::maker::{Maker, describe, subject};
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "add_scalar", |mut m| {
        let (x, number) = (m.real(1.5), m.draw.real(-3.0..3.0));
        m.unary(&format!("and {number:.3}"), x, move |x: T| x.add_scalar(number).square())
    }),
    subject!(smooth "sub_scalar", |mut m| {
        let (x, number) = (m.real(1.5), m.draw.real(-3.0..3.0));
        m.unary(&format!("less {number:.3}"), x, move |x: T| x.sub_scalar(number).square())
    }),
    subject!(smooth "scalar_minus", |mut m| {
        let (x, number) = (m.real(1.5), m.draw.real(-3.0..3.0));
        m.unary(&format!("from {number:.3}"), x, move |x: T| (number - x).square())
    }),
    subject!(smooth "scalar_over", |mut m| {
        let (x, number) = (m.apart(0.4..2.0), m.draw.real(0.5..3.0));
        m.unary(&format!("{number:.3} over it"), x, move |x: T| number / x)
    }),
    subject!(smooth "deg2rad", |mut m| {
        let x = m.within(-180.0..180.0);
        m.unary("", x, |x: T| x.deg2rad().sin())
    }),
    subject!(smooth "rad2deg", |mut m| {
        let x = m.apart(0.2..3.0);
        m.unary("", x, |x: T| x.rad2deg().square())
    }),
    subject!(smooth "fmod", |mut m| {
        // x = ±(n + ½ ± 0.2) y, so that no step crosses a jump.
        let y = m.apart(0.8..1.5);
        let x: Vec<f64> = y.data().iter().map(|y| y * off_whole(&mut m)).collect();
        m.binary("", [Value::new(y.dims(), x), y], |x: T, y: T| x.fmod(y))
    }),
    subject!(smooth "fmod_scalar", fmod_scalar),
    subject!(smooth "powi", powi),
];

/// A number of either sign that is no nearer to a whole one than 0.3.
fn off_whole(m: &mut Maker<'_>) -> f64 {
    let size = m.draw.size(0..=2) as f64 + m.draw.real(0.3..0.7);
    if m.draw.once_in(2) { size } else { -size }
}

fn fmod_scalar(mut m: Maker<'_>) -> Case {
    let (dims, divisor) = (m.dims(), m.draw.pick(&[0.75f32, 0.7, 1.1]));
    let x: Vec<f64> = (0..dims.iter().product()).map(|_| f64::from(divisor) * off_whole(&mut m)).collect();
    let case = m.unary(&format!("modulo {divisor}"), Value::new(dims, x), move |x: T| x.fmod_scalar(divisor).square());
    let detached = "the quotient is not rounded: its whole part takes the gradient along";
    let check =
        m.context.mutant(case.check, detached, |t| Gradients::new().with("x", Value::full(t.value("x").dims(), 0.0)));
    Case { check, ..case }
}

/// By whole exponents, each element's own; bases of both signs.
fn powi(mut m: Maker<'_>) -> Case {
    let (x, layout) = (m.apart(0.5..1.8), m.draw.layout());
    let dims = [0, 1, 2].map(|axis| x.dims()[axis]);
    let powers: Vec<f64> = (0..x.len()).map(|_| m.draw.pick(&[-2.0, -1.0, 1.0, 2.0, 3.0, 4.0])).collect();
    let (about, check) = (describe(&[&x], "powers from -2 to 4", layout), m.check());
    m.case(about, check.input("x", x), move |t| {
        let (device, powers) = (t.device(), TensorData::new(powers.clone(), dims));
        layout.arrange(t.get::<3>("x")).powi(Tensor::from_data(powers, (device, t.dtype())))
    })
}
