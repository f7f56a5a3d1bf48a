//! `1 / (1 + e⁻ˣ)`.

use backproof_kernels::ElementFunction;
use backproof_layers::Sigmoid;
use burn::tensor::Tensor;

use super::elementwise::{Input, kernels, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "The logistic function", forward: "y = 1 / (1 + e⁻ˣ)", conventions: &[] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("sigmoid", 2.0, context, draw);
    let about = input.about();
    let dims = input.dims;
    let check = sources!(context, input, Sigmoid);
    let check = kernels(context, dims, check, ElementFunction::Sigmoid);
    let y = |x: Tensor<3>| ((-x).exp() + 1.0).recip();
    let check = wrong(context, check, "y in the place of y (1 − y)", y);
    let check = wrong(context, check, "1 − y in the place of y (1 − y)", move |x| -y(x) + 1.0);
    let check = wrong(context, check, "x (1 − x) in the place of y (1 − y)", |x| x.clone() * (-x + 1.0));
    let check = wrong(context, check, "1 − y², as for tanh", move |x| -y(x).powi_scalar(2) + 1.0);
    Case { about, check }
}
