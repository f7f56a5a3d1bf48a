//! Elementwise functions of one tensor.

use backproof_gradcheck::{Gradients, Value, unit_roundoff};
use burn::tensor::{DType, Tensor};

use super::maker::{Maker, subject, with_element};
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("abs", abs),
    subject!(smooth "exp", |mut m| {
        let x = m.real(1.0);
        m.unary("", x, T::exp)
    }),
    subject!(smooth "log", |mut m| {
        let x = m.within(0.2..4.0);
        m.unary("", x, T::log)
    }),
    subject!(smooth "log1p", |mut m| {
        let x = m.within(-0.7..3.0);
        m.unary("", x, T::log1p)
    }),
    subject!(smooth "sqrt", |mut m| {
        let x = m.within(0.2..4.0);
        m.unary("", x, T::sqrt)
    }),
    subject!(smooth "square", |mut m| {
        let x = m.real(1.5);
        m.unary("", x, T::square)
    }),
    subject!(smooth "recip", |mut m| {
        let x = m.apart(0.3..3.0);
        m.unary("", x, T::recip)
    }),
    subject!(smooth "neg", |mut m| {
        let x = m.real(1.5);
        m.unary("", x, T::neg)
    }),
    subject!(smooth "erf", |mut m| {
        let x = m.apart(0.2..2.0);
        m.unary("", x, T::erf)
    }),
    subject!(smooth "sin", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, T::sin)
    }),
    subject!(smooth "cos", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, T::cos)
    }),
    subject!(smooth "tan", |mut m| {
        let x = m.within(-1.2..1.2);
        m.unary("", x, T::tan)
    }),
    subject!(smooth "sinh", |mut m| {
        let x = m.real(1.0);
        m.unary("", x, T::sinh)
    }),
    subject!(smooth "cosh", |mut m| {
        let x = m.real(1.0);
        m.unary("", x, T::cosh)
    }),
    subject!(smooth "asin", |mut m| {
        let x = m.within(-0.8..0.8);
        m.unary("", x, T::asin)
    }),
    subject!(smooth "acos", |mut m| {
        let x = m.within(-0.8..0.8);
        m.unary("", x, T::acos)
    }),
    subject!(smooth "atan", |mut m| {
        let x = m.real(1.5);
        m.unary("", x, T::atan)
    }),
    subject!(smooth "asinh", |mut m| {
        let x = m.real(1.5);
        m.unary("", x, T::asinh)
    }),
    subject!(smooth "acosh", |mut m| {
        let x = m.within(1.3..4.0);
        m.unary("", x, T::acosh)
    }),
    subject!(smooth "atanh", |mut m| {
        let x = m.within(-0.8..0.8);
        m.unary("", x, T::atanh)
    }),
    subject!(smooth "floor", |m| flat(m, T::floor)),
    subject!(smooth "ceil", |m| flat(m, T::ceil)),
    subject!(smooth "round", |m| flat(m, T::round)),
    subject!(smooth "trunc", |m| flat(m, T::trunc)),
    subject!(smooth "sign", |m| flat(m, T::sign)),
    subject!(smooth "powf_scalar", |mut m| {
        let (x, power) = (m.within(0.3..2.5), m.draw.pick(&[-1.5, 0.5, 1.7, 3.0]));
        m.unary(&format!("power {power}"), x, move |x: T| x.powf_scalar(power))
    }),
    subject!(smooth "powi_scalar", |mut m| {
        let (x, power) = (m.apart(0.4..2.0), m.draw.pick(&[-2, -1, 2, 3, 4]));
        m.unary(&format!("power {power}"), x, move |x: T| x.powi_scalar(power))
    }),
    subject!("clamp", |mut m| {
        let x = m.real(1.5);
        m.unary("from -0.75 to 0.6", x, |x: T| x.clamp(-0.75, 0.6))
    }),
    subject!("clamp_min", |mut m| {
        let x = m.real(1.5);
        m.unary("from -0.5", x, |x: T| x.clamp_min(-0.5))
    }),
    subject!("clamp_max", |mut m| {
        let x = m.real(1.5);
        m.unary("to 0.75", x, |x: T| x.clamp_max(0.75))
    }),
    subject!(smooth "mul_scalar", |mut m| {
        let (x, factor) = (m.real(1.5), m.draw.real(0.3..3.0));
        m.unary(&format!("times {factor:.3}"), x, move |x: T| x * factor)
    }),
    subject!(smooth "div_scalar", div_scalar),
    subject!(smooth "remainder_scalar", |mut m| {
        let x = off_the_grid(&mut m, 0.75);
        m.unary("modulo 0.75", x, |x: T| x.remainder_scalar(0.75))
    }),
    subject!(smooth "cast", cast),
];

fn abs(mut m: Maker<'_>) -> Case {
    // A zero in every case: the derivative there is any number from -1 to 1, and no NaN.
    let x = with_element(&m.real(1.5), 2, 0.0);
    let case = m.unary("", x, T::abs);
    let check = m.context.mutant(case.check, "x / |x|, which is NaN at zero (burn#2249)", |t| {
        let x = t.get::<3>("x");
        Gradients::new().with("x", x.clone() / x.abs() * t.cotangent::<3>())
    });
    Case { check, ..case }
}

/// A function of steps, whose derivative is zero where it has one.
fn flat(mut m: Maker<'_>, function: fn(T) -> T) -> Case {
    let x = off_the_grid(&mut m, 0.5);
    let layout = m.draw.layout();
    let about = super::maker::describe(&[&x], "", layout);
    let check = m.check().input("x", x).expect_zero();
    m.case(about, check, move |t| function(layout.arrange(t.get("x"))))
}

/// Numbers that are no nearer to a multiple of `grid` than a fifth of it.
fn off_the_grid(m: &mut Maker<'_>, grid: f64) -> Value {
    let dims = m.dims();
    let one = |m: &mut Maker<'_>| grid * (m.draw.size(0..=7) as f64 - 4.0 + m.draw.real(0.2..0.8));
    Value::new(dims, (0..dims.iter().product()).map(|_| one(m)).collect::<Vec<_>>())
}

/// To another type and back, with numbers that lose nothing by it; the reference goes without, or its differences would
/// be taken of steps.
fn cast(mut m: Maker<'_>) -> Case {
    let other = match m.context.dtype {
        DType::F64 => DType::F32,
        // Nothing is lost on the way, neither digits nor what is too small.
        _ if m.context.device.supports_dtype(DType::F64) => DType::F64,
        _ => DType::BF16,
    };
    let x = m.real(1.5).rounded(DType::BF16);
    let case = m.unary(&format!("to {other:?} and back"), x, move |x: T| {
        let there_and_back = if x.device().is_autodiff() { x.clone().cast(other).cast(x.dtype()) } else { x.clone() };
        x * there_and_back
    });
    // The gradient goes through the other type too.
    let roundoff = unit_roundoff(other).max(m.context.unit_roundoff);
    let check = m.context.mutant(case.check.source_roundoff(roundoff), "the cast is detached (burn#4069)", |t| {
        Gradients::new().with("x", t.get::<3>("x") * t.cotangent::<3>())
    });
    Case { check, ..case }
}

/// Of a division by a number, whatever the precision of the tensor.
pub(super) const RECIPROCAL_IN_F32: &str =
    "the reciprocal of the divisor is taken in single precision (burn-autodiff, ops/tensor.rs, float_div_scalar)";

fn div_scalar(mut m: Maker<'_>) -> Case {
    let (x, divisor) = (m.real(1.5), m.draw.pick(&[3.0, 0.7, 1.1]));
    let case = m.unary(&format!("by {divisor}"), x, move |x: T| x / divisor);
    let check = m.context.mutant(case.check, RECIPROCAL_IN_F32, move |t| {
        Gradients::new().with("x", t.cotangent::<3>() * f64::from(1.0 / divisor as f32))
    });
    Case { check, ..case }
}
