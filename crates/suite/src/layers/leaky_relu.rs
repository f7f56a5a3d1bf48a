//! `x` above 0, `slope · x` elsewhere.

use backproof_gradcheck::Gradients;
use backproof_kernels::ElementFunction;
use backproof_layers::LeakyRelu;
use burn::tensor::Tensor;

use super::conventions;
use super::elementwise::{Input, kernels, of_another_batch, positive, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Leaky ReLU",
    forward: "y = x where x > 0, and slope · x elsewhere",
    conventions: &[conventions::KINK],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let slope = draw.real(0.01..0.5);
    let input = Input::new("leaky_relu", 1.0, context, draw);
    draw.option("slope", &[slope]);
    draw.convention("the slope at x = 0 is 1", move |t| {
        let x = t.get::<3>("x");
        let slopes = (-positive(-x)).add_scalar(1.0) * (1.0 - slope) + slope;
        Gradients::new().with("x", slopes * t.cotangent::<3>())
    });
    let about = format!("{}, slope {slope:.3}", input.about());
    let dims = input.dims;
    let check = sources!(context, input, LeakyRelu::new(slope));
    let check = kernels(context, dims, check, ElementFunction::LeakyRelu { slope: slope as f32 });
    let slopes = move |x: Tensor<3>| positive(x) * (1.0 - slope) + slope;
    let check = wrong(context, check, "the slope of the negative side is lost", positive);
    let check = wrong(context, check, "the mask of another batch", move |x| slopes(of_another_batch(x)));
    let check = wrong(context, check, "the sides are exchanged", move |x| slopes(-x));
    let check = wrong(context, check, "the mask is lost: the slope is 1 everywhere", |x| x.ones_like());
    Case { about, check }
}
