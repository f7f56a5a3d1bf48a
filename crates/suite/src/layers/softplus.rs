//! `ln(1 + eˣ)`.

use backproof_kernels::ElementFunction;
use backproof_layers::Softplus;
use burn::tensor::activation::sigmoid;

use super::elementwise::{Input, kernels, positive, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "Softplus", forward: "y = ln(1 + eˣ)", conventions: &[] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("softplus", 2.0, context, draw);
    let about = input.about();
    let dims = input.dims;
    let check = sources!(context, input, Softplus);
    let check = kernels(context, dims, check, ElementFunction::Softplus);
    let check = wrong(context, check, "the mask of a ReLU in the place of σ(x)", positive);
    let check = wrong(context, check, "σ(−x) in the place of σ(x)", |x| sigmoid(-x));
    let check = wrong(context, check, "the denominator is lost: eˣ in the place of σ(x)", |x| x.exp());
    let check =
        wrong(context, check, "differentiated twice: σ (1 − σ)", |x| sigmoid(x.clone()) * (-sigmoid(x) + 1.0));
    Case { about, check }
}
