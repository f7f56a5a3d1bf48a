//! Activation functions, as `burn::tensor::activation` has them.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::{DType, Tensor, activation};

use super::maker::{Maker, by_autodiff, describe, subject, with_element};
use super::math::RECIPROCAL_IN_F32;
use crate::subject::{Case, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("relu", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, activation::relu::<3>)
    }),
    subject!("relu6", |mut m| {
        let x = m.within(-3.0..9.0);
        m.unary("", x, activation::relu6::<3>)
    }),
    subject!("leaky_relu", |mut m| {
        let (x, slope) = (m.real(2.0), m.draw.pick(&[0.01, 0.25, 0.5]));
        m.unary(&format!("slope {slope}"), x, move |x: Tensor<3>| activation::leaky_relu(x, slope))
    }),
    subject!("prelu", prelu),
    subject!("elu", |mut m| {
        let (x, alpha) = (smooth(&mut m), m.draw.pick(&[0.5, 1.0, 1.5]));
        m.unary(&format!("alpha {alpha}"), x, move |x: Tensor<3>| activation::elu(x, alpha))
    }),
    subject!(smooth "celu", |mut m| {
        let (x, alpha) = (smooth(&mut m), m.draw.pick(&[0.5, 1.0, 2.0]));
        m.unary(&format!("alpha {alpha}"), x, move |x: Tensor<3>| activation::celu(x, alpha))
    }),
    subject!("selu", |mut m| {
        let x = smooth(&mut m);
        m.unary("", x, activation::selu::<3>)
    }),
    subject!(smooth "gelu", gelu),
    subject!(smooth "gelu_approximate", |mut m| {
        let x = m.within(-2.5..2.5);
        m.unary("", x, activation::gelu_approximate::<3>)
    }),
    subject!(smooth "sigmoid", sigmoid),
    subject!(smooth "log_sigmoid", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, activation::log_sigmoid::<3>)
    }),
    subject!("hard_sigmoid", hard_sigmoid),
    subject!(smooth "silu", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, activation::silu::<3>)
    }),
    subject!("hard_swish", hard_swish),
    subject!(smooth "mish", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, activation::mish::<3>)
    }),
    subject!(smooth "tanh", |mut m| {
        let x = m.real(1.0);
        m.unary("", x, activation::tanh::<3>)
    }),
    subject!(smooth "tanhshrink", |mut m| {
        let x = m.apart(0.5..2.5);
        m.unary("", x, activation::tanhshrink::<3>)
    }),
    subject!("hardtanh", |mut m| {
        let x = m.real(1.5);
        m.unary("from -1.25 to 1.5", x, |x: Tensor<3>| activation::hardtanh(x, -1.25, 1.5))
    }),
    subject!("softplus", |mut m| {
        let (x, beta) = (m.real(2.0), m.draw.pick(&[0.5, 0.7, 1.0, 2.0]));
        softplus(m, x, beta, 20.0, activation::softplus)
    }),
    subject!("softplus_with_threshold", |mut m| {
        // Away from the threshold, where the function jumps.
        let (x, beta) = (m.real(2.0), m.draw.pick(&[0.7, 1.0, 1.3]));
        let apart = |x: &f64| if (beta * x - 1.0).abs() < 0.3 { x + 0.6 / beta } else { *x };
        let x = Value::new(x.dims(), x.data().iter().map(apart).collect::<Vec<_>>());
        softplus(m, x, beta, 1.0, |x, beta| activation::softplus_with_threshold(x, beta, 1.0))
    }),
    subject!(smooth "softsign", |mut m| {
        let x = m.real(2.0);
        m.unary("", x, activation::softsign::<3>)
    }),
    subject!("hard_shrink", |mut m| {
        let x = m.real(1.5);
        m.unary("lambda 0.5", x, |x: Tensor<3>| activation::hard_shrink(x, 0.5))
    }),
    subject!("soft_shrink", |mut m| {
        let x = m.real(1.5);
        m.unary("lambda 0.5", x, |x: Tensor<3>| activation::soft_shrink(x, 0.5))
    }),
    subject!("shrink", |mut m| {
        let x = m.real(1.5);
        m.unary("lambda 0.5, bias 0.25", x, |x: Tensor<3>| activation::shrink(x, 0.5, 0.25))
    }),
    subject!("thresholded_relu", |mut m| {
        let x = m.real(1.5);
        m.unary("alpha 0.5", x, |x: Tensor<3>| activation::thresholded_relu(x, 0.5))
    }),
    subject!("threshold", |mut m| {
        let x = m.real(1.5);
        m.unary("threshold 0.5, value 3", x, |x: Tensor<3>| activation::threshold(x, 0.5, 3.0))
    }),
    subject!(smooth "glu", |mut m| {
        let dims = [m.draw.size(1..=3), 2 * m.draw.size(1..=2), m.draw.size(2..=4)];
        let x = m.draw.values(dims, 1.5);
        m.unary("axis 1", x, |x: Tensor<3>| activation::glu(x, 1))
    }),
    subject!(smooth "softmax", |m| along_axis(m, activation::softmax::<3>)),
    subject!(smooth "softmin", |m| along_axis(m, activation::softmin::<3>)),
    subject!(smooth "log_softmax", |m| along_axis(m, activation::log_softmax::<3>)),
    subject!(smooth "quiet_softmax", |m| along_axis(m, activation::quiet_softmax::<3>)),
];

/// Of functions with `exp(x) − 1` below zero, which is rounding alone near zero: whole numbers, or away from it.
fn smooth(m: &mut Maker<'_>) -> Value {
    if m.draw.once_in(4) {
        let dims = m.dims();
        return Value::new(
            dims,
            (0..dims.iter().product()).map(|_| m.draw.size(0..=4) as f64 - 2.0).collect::<Vec<_>>(),
        );
    }
    m.apart(0.25..3.0)
}

fn prelu(mut m: Maker<'_>) -> Case {
    let x = m.real(2.0);
    let weights = if m.draw.once_in(2) { 1 } else { x.dims()[1] };
    let (layout, alpha) = (m.draw.layout(), m.uniform([weights], 0.05..0.6));
    let about = describe(&[&x, &alpha], "", layout);
    let check = m.check().input("x", x).parameter("alpha", alpha);
    m.case(about, check, move |t| activation::prelu(layout.arrange(t.get::<3>("x")), t.get("alpha")))
}

fn along_axis(mut m: Maker<'_>, function: fn(Tensor<3>, usize) -> Tensor<3>) -> Case {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=5)];
    let (x, axis) = (m.draw.values(dims, 1.5), m.draw.size(0..=2));
    m.unary(&format!("axis {axis}"), x, move |x: Tensor<3>| function(x, axis))
}

fn softplus(mut m: Maker<'_>, x: Value, beta: f64, threshold: f64, function: fn(Tensor<3>, f64) -> Tensor<3>) -> Case {
    let case = m.unary(&format!("beta {beta}, threshold {threshold}"), x, move |x: Tensor<3>| function(x, beta));
    let check = m.context.mutant(case.check, RECIPROCAL_IN_F32, move |t| {
        let single = |x: Tensor<3>| {
            let scaled = x.clone() * beta;
            let linear = scaled.clone().greater_scalar(threshold);
            (scaled.exp().log1p() * f64::from(1.0 / beta as f32)).mask_where(linear, x)
        };
        Gradients::new().with("x", by_autodiff(t, single))
    });
    Case { check, ..case }
}

fn gelu(mut m: Maker<'_>) -> Case {
    let x = m.within(-2.5..2.5);
    let case = m.unary("", x, activation::gelu::<3>);
    let check = m.context.mutant(
        case.check,
        "the forward is the exact erf, the backward differentiates the tanh approximation (burn-backend, ops/activation.rs, default gelu_backward)",
        |t| {
            // With the rounded constants of that backward: √(2/π), 0.044715 √(2/π), 3 · 0.044715 √(2/π) / 2 and √(2/π)
            // / 2.
            let x = t.get::<3>("x");
            let cube = x.clone().powi_scalar(3);
            let tanh = (cube.clone() * 0.0356774 + x.clone() * 0.797885).tanh();
            let inner = cube * 0.0535161 + x * 0.398942;
            let slope = tanh.clone() * 0.5 + inner * (-tanh.square() + 1.0) + 0.5;
            Gradients::new().with("x", slope * t.cotangent::<3>())
        },
    );
    Case { check, ..case }
}

fn sigmoid(mut m: Maker<'_>) -> Case {
    let x = m.real(2.0);
    // Once in four there is a number where exp(-x) overflows, which made NaN of a gradient of zero.
    let saturated = m.draw.once_in(4);
    let far = if m.context.dtype == DType::F64 { -800.0 } else { -100.0 };
    let x = if saturated { with_element(&x, 0, far) } else { x };
    let case = m.unary(if saturated { "saturated" } else { "" }, x, activation::sigmoid::<3>);
    let check = m.context.mutant(case.check, "exp(-x) overflows, infinity over infinity (burn#1140)", |t| {
        let e = (-t.get::<3>("x")).exp();
        Gradients::new().with("x", e.clone() / (e + 1.0).square() * t.cotangent::<3>())
    });
    if saturated {
        // The differences take their step from the typical number, and are too rough for what follows.
        return Case { check, ..case };
    }
    let name = "computed in single precision (burn-backend, ops/activation.rs, default sigmoid)";
    let check = m.context.mutant(check, name, |t| {
        let x = t.get::<3>("x").cast(DType::F32);
        let y = (-(((-x).exp() + 1.0).log())).exp().cast(t.dtype());
        Gradients::new().with("x", y.clone() * (-y + 1.0) * t.cotangent::<3>())
    });
    Case { check, ..case }
}

fn hard_sigmoid(mut m: Maker<'_>) -> Case {
    let x = m.real(2.0);
    let (alpha, beta) = m.draw.pick(&[(0.2, 0.5), (1.0 / 6.0, 0.5), (0.3, 0.4)]);
    let options = format!("alpha {alpha:.3}, beta {beta}");
    let case = m.unary(&options, x, move |x: Tensor<3>| activation::hard_sigmoid(x, alpha, beta));
    let check = m.context.mutant(case.check, HARD_SIGMOID_IN_F32, move |t| {
        let single = |x: Tensor<3>| activation::hard_sigmoid(x.cast(DType::F32), alpha, beta).cast(t.dtype());
        Gradients::new().with("x", by_autodiff(t, single))
    });
    Case { check, ..case }
}

fn hard_swish(mut m: Maker<'_>) -> Case {
    let x = m.real(3.0);
    let case = m.unary("", x, activation::hard_swish::<3>);
    let check = m.context.mutant(case.check, HARD_SIGMOID_IN_F32, |t| {
        let single =
            |x: Tensor<3>| x.clone() * activation::hard_sigmoid(x.cast(DType::F32), 1.0 / 6.0, 0.5).cast(t.dtype());
        Gradients::new().with("x", by_autodiff(t, single))
    });
    Case { check, ..case }
}

/// Autodiff on every backend takes the default, which works in this precision.
const HARD_SIGMOID_IN_F32: &str =
    "hard_sigmoid is computed in single precision (burn-backend, ops/activation.rs, default hard_sigmoid)";
