//! `x / (1 + e⁻ˣ)`.

use backproof_kernels::ElementFunction;
use backproof_layers::Silu;
use burn::tensor::{Tensor, activation::sigmoid};

use super::elementwise::{Input, kernels, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "SiLU", forward: "y = x / (1 + e⁻ˣ)", conventions: &[] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("silu", 2.0, context, draw);
    let about = input.about();
    let dims = input.dims;
    let check = sources!(context, input, Silu);
    let check = kernels(context, dims, check, ElementFunction::Silu);
    let slope = |x: Tensor<3>| sigmoid(x.clone()) * (-sigmoid(x) + 1.0);
    let check = wrong(context, check, "the term x σ'(x) is lost", sigmoid);
    let check = wrong(context, check, "the term σ(x) is lost", move |x| x.clone() * slope(x));
    let check =
        wrong(context, check, "σ in the place of σ' in the term x σ'(x)", |x| sigmoid(x.clone()) * (x + 1.0));
    let check = wrong(context, check, "x is lost from the term x σ'(x)", move |x| sigmoid(x.clone()) + slope(x));
    Case { about, check }
}
