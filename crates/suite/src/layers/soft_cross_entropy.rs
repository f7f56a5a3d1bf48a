//! The cross-entropy with smoothed labels of weighted classes, one number a sample.

use backproof_compiled::Objective;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::SoftCrossEntropy;
use burn::tensor::{Tensor, activation};

use super::conventions;
use crate::kernels;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Softmax with cross-entropy of shares",
    forward: "p[n, :] = softmax(logits[n, :]),  y[n] = −Σ_k shares[n, k] ln p[n, k]",
    conventions: &["The shares of a sample do not add up to 1.", conventions::PER_SAMPLE],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=6), draw.size(2..=12)];
    let [samples, classes] = dims;
    let (scale, smoothing) = (draw.pick(&[0.3, 1.0, 4.0]), draw.pick(&[0.125, 0.25, 0.5]));
    let labels: Vec<usize> = (0..samples).map(|_| draw.size(0..=classes - 1)).collect();
    // None is 1, so that no sum of shares is.
    let weights: Vec<f64> = (0..classes).map(|_| draw.pick(&[0.25, 0.5, 2.0, 3.0])).collect();
    let share = |label: usize, class: usize| {
        let at_label = if class == label { 1.0 - smoothing } else { 0.0 };
        weights[class] * (at_label + smoothing / classes as f64)
    };
    let shares = labels.iter().flat_map(|&label| (0..classes).map(move |class| (label, class)));
    let shares = shares.map(|(label, class)| share(label, class)).collect();
    let check = context
        .check("soft_cross_entropy")
        .input("logits", draw.normal(dims, scale))
        .constant("shares", Value::new(dims, shares));
    let both = |t: &Arguments<'_>| (t.get::<2>("logits"), t.get::<2>("shares"));
    let check = context.autodiff(check, move |t| {
        let (logits, shares) = both(t);
        SoftCrossEntropy.forward(logits, shares)
    });
    let check = context.manual(
        check,
        move |t| {
            let (logits, shares) = both(t);
            SoftCrossEntropy.forward_saving(logits, shares).0
        },
        move |t| {
            let (logits, shares) = both(t);
            let (_, saved) = SoftCrossEntropy.forward_saving(logits, shares);
            Gradients::new().with("logits", SoftCrossEntropy.backward(saved, t.cotangent::<1>()))
        },
    );
    let objective = Objective::soft_cross_entropy(smoothing, &weights);
    let check = kernels::loss(context, check, objective, "logits", labels);
    let wrong = |check, name: &str, of: fn(Tensor<2>, Tensor<2>) -> Tensor<2>| {
        context.mutant(check, name, move |t| {
            let (logits, shares) = both(t);
            Gradients::new().with("logits", of(logits, shares) * t.cotangent::<1>().unsqueeze_dim(1))
        })
    };
    let check = wrong(check, "the sum of the shares is taken for 1: p − a in the place of A p − a", |z, a| {
        activation::softmax(z, 1) - a
    });
    let check = wrong(check, "the shares are not subtracted", |z, a| activation::softmax(z, 1) * a.sum_dim(1));
    let check = wrong(check, "the probabilities are lost: −a in the place of A p − a", |_, a| -a);
    let check =
        wrong(check, "each class has its share alone: a (p − 1)", |z, a| a * (activation::softmax(z, 1) - 1.0));
    let about = format!("{}, logits of deviation {scale}, smoothing {smoothing}", shape(&dims));
    Case { about, check }
}
