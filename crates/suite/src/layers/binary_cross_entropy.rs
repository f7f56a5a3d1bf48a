//! The cross-entropy of independent outputs through a sigmoid, one number a sample.

use backproof_compiled::Objective;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::BinaryCrossEntropy;
use burn::tensor::Tensor;

use super::conventions;
use super::targets::perhaps_of_classes;
use crate::kernels;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Binary cross-entropy with logits",
    forward: "p = 1 / (1 + e^(−logits)),  y[n] = −1/K Σ_k (targets ln p + (1 − targets) ln(1 − p))",
    conventions: &[conventions::PER_SAMPLE],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=6), draw.size(2..=9)];
    let scale = draw.pick(&[0.3, 1.0, 4.0]);
    let targets: Vec<f64> = (0..dims[0] * dims[1])
        .map(|_| if draw.once_in(3) { draw.real(0.0..1.0) } else { draw.size(0..=1) as f64 })
        .collect();
    let logits = draw.values(dims, scale);
    let (targets, labels) = perhaps_of_classes(draw, Value::new(dims, targets));
    let check = context.check("binary_cross_entropy").input("logits", logits).constant("targets", targets);
    let both = |t: &Arguments<'_>| (t.get::<2>("logits"), t.get::<2>("targets"));
    let check = context.autodiff(check, move |t| {
        let (logits, targets) = both(t);
        BinaryCrossEntropy.forward(logits, targets)
    });
    let check = context.manual(
        check,
        move |t| {
            let (logits, targets) = both(t);
            BinaryCrossEntropy.forward_saving(logits, targets).0
        },
        move |t| {
            let (logits, targets) = both(t);
            let (_, saved) = BinaryCrossEntropy.forward_saving(logits, targets);
            Gradients::new().with("logits", BinaryCrossEntropy.backward(saved, t.cotangent::<1>()))
        },
    );
    let classes = if labels.is_some() { ", targets of classes" } else { "" };
    let about = format!("{}, logits of deviation {scale}{classes}", shape(&dims));
    let check = match labels {
        Some(labels) => kernels::loss(context, check, Objective::BinaryCrossEntropy, "logits", labels),
        None => check,
    };
    let each = 1.0 / dims[1] as f64;
    let wrong = |check, name: &str, of: fn(Tensor<2>, Tensor<2>) -> Tensor<2>| {
        context.mutant(check, name, move |t| {
            let (logits, targets) = both(t);
            Gradients::new().with("logits", of(logits, targets) * t.cotangent::<1>().unsqueeze_dim(1) * each)
        })
    };
    let check = wrong(check, "the sigmoid is lost: z − y in the place of σ(z) − y", |z, y| z - y);
    let check = wrong(check, "the target is not subtracted", |z, _| logistic(z));
    let check = wrong(check, "the probabilities are lost", |_, y| -y);
    let check = wrong(check, "σ (1 − σ) is left in, as of a squared error", |z, y| {
        let p = logistic(z);
        (p.clone() - y) * p.clone() * (-p + 1.0)
    });
    Case { about, check }
}

fn logistic(z: Tensor<2>) -> Tensor<2> {
    ((-z).exp() + 1.0).recip()
}
