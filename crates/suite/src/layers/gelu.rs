//! `x Φ(x)`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use backproof_layers::Gelu;
use burn::tensor::Tensor;

use super::elementwise::{Input, sources, wrong};
use crate::subject::{Case, Context, Draw};

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("gelu", 2.0, context, draw);
    let about = input.about();
    let check = sources!(context, input, Gelu);
    let phi = |x: Tensor<3>| (x.powi_scalar(2) * -0.5).exp() * (1.0 / (2.0 * PI).sqrt());
    let cumulative = |x: Tensor<3>| ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    let check = wrong(
        context,
        check,
        "the forward is the exact erf, the backward differentiates the tanh approximation",
        tanh_approximation,
    );
    let check = wrong(context, check, "the term x φ(x) is lost", cumulative);
    let check = wrong(context, check, "the term Φ(x) is lost", move |x| x.clone() * phi(x));
    let check = wrong(context, check, "φ without 1/√(2π)", move |x| {
        cumulative(x.clone()) + x.clone() * phi(x) * (2.0 * PI).sqrt()
    });
    Case { about, check }
}

/// The derivative of `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
fn tanh_approximation(x: Tensor<3>) -> Tensor<3> {
    let rate = (2.0 / PI).sqrt();
    let tanh = ((x.clone() + x.clone().powi_scalar(3) * 0.044_715) * rate).tanh();
    let inner = (x.clone().powi_scalar(2) * (3.0 * 0.044_715) + 1.0) * rate;
    (tanh.clone() + 1.0) * 0.5 + x * (-tanh.powi_scalar(2) + 1.0) * inner * 0.5
}
