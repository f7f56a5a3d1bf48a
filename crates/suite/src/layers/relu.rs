//! `max(0, x)`, with either gradient at 0.

use backproof_compiled::Operation;
use backproof_gradcheck::Gradients;
use backproof_layers::Relu;
use burn::tensor::activation;

use super::elementwise::{Input, of_another_batch, positive, sources, wrong};
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> =
    Some(LayerTask { title: "ReLU", forward: "y = max(x, 0)", conventions: &["At x = 0 the gradient is 0."] });

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let input = Input::new("relu", 1.0, context, draw);
    let passes_zero = draw.once_in(2);
    draw.flag("passes_zero", passes_zero);
    draw.convention(
        if passes_zero { "no gradient passes at x = 0" } else { "the gradient passes at x = 0" },
        move |t| {
            let x = t.get::<3>("x");
            let mask = if passes_zero { positive(x) } else { (-positive(-x)).add_scalar(1.0) };
            Gradients::new().with("x", mask * t.cotangent::<3>())
        },
    );
    draw.convention("half of the gradient passes at x = 0", move |t| {
        let x = t.get::<3>("x");
        let mask = (positive(x.clone()) - positive(-x)).add_scalar(1.0) * 0.5;
        Gradients::new().with("x", mask * t.cotangent::<3>())
    });
    let (words, operation) =
        if passes_zero { (", the gradient at 0 is 1", Operation::ReluPassingZero) } else { ("", Operation::Relu) };
    let (about, dims) = (format!("{}{words}", input.about()), input.dims);
    let check = sources!(context, input, Relu::new(passes_zero));
    let check = Stack::new([dims[1], dims[2], 1], vec![operation]).check(context, check, dims);
    let check = wrong(context, check, "the mask is lost: the gradient passes everywhere", |x| x.ones_like());
    let check = wrong(context, check, "the mask of another batch", |x| positive(of_another_batch(x)));
    let check = wrong(context, check, "the mask is inverted", |x| positive(-x));
    let check = wrong(context, check, "the output in the place of its derivative", activation::relu);
    Case { about, check }
}
