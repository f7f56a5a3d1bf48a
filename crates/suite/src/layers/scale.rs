//! `factor · x`.

use backproof_kernels::ElementFunction;
use backproof_layers::Scale;

use super::elementwise::{Input, kernels, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "A constant factor", forward: "y = factor · x", conventions: &[] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let factor = draw.pick(&[0.003_906_25, 0.25, -1.5, 8.0]);
    let input = Input::new("scale", 1.0, context, draw);
    draw.option("factor", &[factor]);
    let (about, dims) = (format!("{}, factor {factor}", input.about()), input.dims);
    let check = sources!(context, input, Scale::new(factor));
    let check = kernels(context, dims, check, ElementFunction::Scale { factor: factor as f32 });
    let check = wrong(context, check, "the factor is lost", |x| x.ones_like());
    let check = wrong(context, check, "divided by the factor", move |x| x.ones_like() * (1.0 / factor));
    let check = wrong(context, check, "the factor twice", move |x| x.ones_like() * (factor * factor));
    let check = wrong(context, check, "the output in the place of its derivative", move |x| x * factor);
    Case { about, check }
}
