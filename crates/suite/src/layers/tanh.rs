//! `tanh x`.

use backproof_kernels::ElementFunction;
use backproof_layers::Tanh;

use super::elementwise::{Input, kernels, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "The hyperbolic tangent", forward: "y = tanh(x)", conventions: &[] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("tanh", 1.0, context, draw);
    let about = input.about();
    let dims = input.dims;
    let check = sources!(context, input, Tanh);
    let check = kernels(context, dims, check, ElementFunction::Tanh);
    let check = wrong(context, check, "1 − y in the place of 1 − y²", |x| -x.tanh() + 1.0);
    let check = wrong(context, check, "1 − x² in the place of 1 − y²", |x| -x.powi_scalar(2) + 1.0);
    let check = wrong(context, check, "y (1 − y), as for sigmoid", |x| x.clone().tanh() * (-x.tanh() + 1.0));
    let check = wrong(context, check, "1 + y² in the place of 1 − y²", |x| x.tanh().powi_scalar(2) + 1.0);
    Case { about, check }
}
