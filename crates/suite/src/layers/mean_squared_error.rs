//! The mean of squared errors, one number a sample.

use backproof_compiled::Objective;
use backproof_gradcheck::{Arguments, Gradients};
use backproof_layers::MeanSquaredError;
use burn::tensor::Tensor;

use super::conventions;
use super::targets::perhaps_of_classes;
use crate::kernels;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Mean squared error",
    forward: "y[n] = 1/K Σ_k (outputs[n, k] − targets[n, k])²",
    conventions: &[conventions::PER_SAMPLE],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=6), draw.size(2..=9)];
    let (y, targets) = (draw.normal(dims, 1.0), draw.normal(dims, 1.0));
    let (targets, labels) = perhaps_of_classes(draw, targets);
    let check = context.check("mean_squared_error").input("y", y).constant("targets", targets);
    let both = |t: &Arguments<'_>| (t.get::<2>("y"), t.get::<2>("targets"));
    let check = context.autodiff(check, move |t| {
        let (y, targets) = both(t);
        MeanSquaredError.forward(y, targets)
    });
    let check = context.manual(
        check,
        move |t| {
            let (y, targets) = both(t);
            MeanSquaredError.forward_saving(y, targets).0
        },
        move |t| {
            let (y, targets) = both(t);
            let (_, saved) = MeanSquaredError.forward_saving(y, targets);
            Gradients::new().with("y", MeanSquaredError.backward(saved, t.cotangent::<1>()))
        },
    );
    let about = format!("{}{}", shape(&dims), if labels.is_some() { ", targets of classes" } else { "" });
    let check = match labels {
        Some(labels) => kernels::loss(context, check, Objective::MeanSquaredError, "y", labels),
        None => check,
    };
    let each = 1.0 / dims[1] as f64;
    let wrong = |check, name: &str, of: fn(Tensor<2>, Tensor<2>) -> Tensor<2>, factor: f64| {
        context.mutant(check, name, move |t| {
            let (y, targets) = both(t);
            Gradients::new().with("y", of(y, targets) * t.cotangent::<1>().unsqueeze_dim(1) * factor)
        })
    };
    let check = wrong(check, "the factor 2 is lost", |y, t| y - t, each);
    let check = wrong(check, "the mean over the outputs is lost", |y, t| y - t, 2.0);
    let check = wrong(check, "the target is not subtracted", |y, _| y, 2.0 * each);
    let check = wrong(check, "the sign of the error alone, as of an absolute error", |y, t| (y - t).sign(), each);
    Case { about, check }
}
