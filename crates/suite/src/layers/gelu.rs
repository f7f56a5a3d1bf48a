//! `x Φ(x)`, with `Φ` itself or its approximation by tanh.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use backproof_kernels::ElementFunction;
use backproof_layers::Gelu;
use burn::tensor::{Tensor, activation::sigmoid};

use super::elementwise::{Input, kernels, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// A function and the ways to get its derivative wrong.
type Derivatives = [(&'static str, fn(Tensor<3>) -> Tensor<3>); 4];

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "GELU",
    forward: "y = x Φ(x), Φ(x) = (1 + erf(x/√2)) / 2.\nWith `tanh` 1: y = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2",
    conventions: &[],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("gelu", 2.0, context, draw);
    let tanh = draw.once_in(2);
    draw.flag("tanh", tanh);
    let about = format!("{}{}", input.about(), if tanh { ", by tanh" } else { "" });
    let dims = input.dims;
    let check = sources!(context, input, Gelu::new(tanh));
    let f = if tanh { ElementFunction::GeluTanh } else { ElementFunction::Gelu };
    let mut check = kernels(context, dims, check, f);
    for (name, derivative) in if tanh { APPROXIMATE } else { EXACT } {
        check = wrong(context, check, name, derivative);
    }
    Case { about, check }
}

const EXACT: Derivatives = [
    ("the forward is the exact erf, the backward differentiates the tanh approximation", of_approximation),
    ("the term x φ(x) is lost", cumulative),
    ("the term Φ(x) is lost", |x| x.clone() * density(x)),
    ("φ without 1/√(2π)", |x| cumulative(x.clone()) + x.clone() * density(x) * (2.0 * PI).sqrt()),
];

const APPROXIMATE: Derivatives = [
    ("the forward is the tanh approximation, the backward differentiates the exact erf", |x| {
        cumulative(x.clone()) + x.clone() * density(x)
    }),
    ("the inner derivative u' is lost", |x| gate(x.clone()) + x.clone() * bell(x)),
    ("u' without its term of x²", |x| gate(x.clone()) + x.clone() * bell(x) * (2.0 * RATE)),
    ("the term of the gate's slope is lost", gate),
];

/// √(2/π).
const RATE: f64 = 0.797_884_560_802_865_4;

fn density(x: Tensor<3>) -> Tensor<3> {
    (x.powi_scalar(2) * -0.5).exp() * (1.0 / (2.0 * PI).sqrt())
}

fn cumulative(x: Tensor<3>) -> Tensor<3> {
    ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5
}

/// `½ (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`.
fn gate(x: Tensor<3>) -> Tensor<3> {
    sigmoid((x.clone() + x.powi_scalar(3) * 0.044_715) * (2.0 * RATE))
}

/// `σ(2u) (1 − σ(2u))`.
fn bell(x: Tensor<3>) -> Tensor<3> {
    let gate = gate(x);
    gate.clone() * (-gate + 1.0)
}

/// The derivative of `x · gate(x)`.
fn of_approximation(x: Tensor<3>) -> Tensor<3> {
    let inner = (x.clone().powi_scalar(2) * (3.0 * 0.044_715) + 1.0) * (2.0 * RATE);
    gate(x.clone()) + x.clone() * bell(x) * inner
}
