//! Softmax and the cross-entropy with a class, one number a sample.

use backproof_compiled::Objective;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::SoftmaxCrossEntropy;
use burn::tensor::{Int, Tensor, TensorData, activation};

use super::conventions;
use crate::kernels;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Softmax with cross-entropy",
    forward: "p[n, :] = softmax(logits[n, :]),  y[n] = −ln p[n, targets[n]]",
    conventions: &["Classes count from 0: add 1 in MATLAB and in Julia.", conventions::PER_SAMPLE],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let [samples, classes] = [draw.size(1..=6), draw.size(2..=12)];
    let scale = draw.pick(&[0.3, 1.0, 4.0]);
    let labels: Vec<usize> = (0..samples).map(|_| draw.size(0..=classes - 1)).collect();
    let targets = labels.iter().map(|&label| label as f64).collect();
    let check = context
        .check("softmax_cross_entropy")
        .input("logits", draw.normal([samples, classes], scale))
        .constant("targets", Value::new([samples], targets));
    let loss = |t: &Arguments<'_>| (t.get::<2>("logits"), classes_of(t));
    let check = context.autodiff(check, move |t| {
        let (logits, targets) = loss(t);
        SoftmaxCrossEntropy.forward(logits, targets)
    });
    let check = context.manual(
        check,
        move |t| {
            let (logits, targets) = loss(t);
            SoftmaxCrossEntropy.forward_saving(logits, targets).0
        },
        move |t| {
            let (logits, targets) = loss(t);
            let (_, saved) = SoftmaxCrossEntropy.forward_saving(logits, targets);
            Gradients::new().with("logits", SoftmaxCrossEntropy.backward(saved, t.cotangent::<1>()))
        },
    );
    let check = kernels::loss(context, check, Objective::CrossEntropy, "logits", labels);
    let wrong = |check, name: &str, of: fn(Tensor<2>, Tensor<2>) -> Tensor<2>| {
        context.mutant(check, name, move |t| {
            let (p, one_hot) = (activation::softmax(t.get::<2>("logits"), 1), one_hot(t));
            Gradients::new().with("logits", of(p, one_hot) * t.cotangent::<1>().unsqueeze_dim(1))
        })
    };
    let check = wrong(check, "the target is not subtracted: p in the place of p − y", |p, _| p);
    let check = wrong(check, "the probabilities are lost: −y in the place of p − y", |_, y| -y);
    let check = wrong(check, "the targets of another batch", |p, y| p - y.flip([0, 1]));
    let check =
        wrong(check, "p (1 − p) is left in, as of a squared error", |p, y| (p.clone() - y) * p.clone() * (-p + 1.0));
    Case { about: format!("{}, logits of deviation {scale}", shape(&[samples, classes])), check }
}

/// The targets as integers.
fn classes_of(t: &Arguments<'_>) -> Tensor<1, Int> {
    let classes: Vec<i64> = t.value("targets").data().iter().map(|&class| class as i64).collect();
    let count = classes.len();
    Tensor::from_data(TensorData::new(classes, [count]), t.device())
}

/// The targets as rows with a single one.
fn one_hot(t: &Arguments<'_>) -> Tensor<2> {
    let [samples, classes] = [0, 1].map(|axis| t.value("logits").dims()[axis]);
    let mut rows = vec![0.0; samples * classes];
    for (sample, &class) in t.value("targets").data().iter().enumerate() {
        rows[sample * classes + class as usize] = 1.0;
    }
    Value::new([samples, classes], rows).tensor(t.device(), t.dtype())
}
