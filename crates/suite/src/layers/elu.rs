//! `x` above 0, `α (eˣ − 1)` elsewhere.

use backproof_kernels::ElementFunction;
use backproof_layers::Elu;
use burn::tensor::Tensor;

use super::conventions;
use super::elementwise::{Input, kernels, of_another_batch, positive, sources, wrong};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "ELU",
    forward: "y = x where x > 0, and alpha (eˣ − 1) elsewhere",
    conventions: &[conventions::KINK],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let alpha = draw.real(0.3..2.0);
    let input = Input::new("elu", 1.5, context, draw);
    draw.option("alpha", &[alpha]);
    let about = format!("{}, α {alpha:.3}", input.about());
    let dims = input.dims;
    let check = sources!(context, input, Elu::new(alpha));
    let check = kernels(context, dims, check, ElementFunction::Elu { alpha: alpha as f32 });
    let sides = |x: Tensor<3>, negative: Tensor<3>| {
        let mask = positive(x);
        mask.clone() + (-mask + 1.0) * negative
    };
    let check = wrong(context, check, "α is lost on the negative side", move |x| sides(x.clone(), x.exp()));
    let check = wrong(context, check, "y in the place of y + α on the negative side", move |x| {
        sides(x.clone(), (x.exp() - 1.0) * alpha)
    });
    let check = wrong(context, check, "the mask of another batch", move |x| {
        sides(of_another_batch(x.clone()), x.exp() * alpha)
    });
    let check =
        wrong(context, check, "the mask is lost: the negative side's formula everywhere", move |x| x.exp() * alpha);
    Case { about, check }
}
