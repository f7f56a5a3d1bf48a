//! The losses: one number a sample.

use backproof_compiled::Objective;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::{BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy};
use burn::tensor::{Int, Tensor, TensorData, activation};

use crate::compare_gradients::kernels;
use crate::compare_gradients::subject::{Case, Context, Draw, shape};

pub(super) fn softmax_cross_entropy(context: &Context, draw: &mut Draw) -> Case {
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

pub(super) fn mean_squared_error(context: &Context, draw: &mut Draw) -> Case {
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

pub(super) fn binary_cross_entropy(context: &Context, draw: &mut Draw) -> Case {
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

/// Once in three the targets of a label a sample, and the labels: the kernels know no others.
fn perhaps_of_classes(draw: &mut Draw, targets: Value) -> (Value, Option<Vec<usize>>) {
    if !draw.once_in(3) {
        return (targets, None);
    }
    let [samples, classes] = *targets.dims() else { unreachable!("targets are a row a sample") };
    let labels: Vec<usize> = (0..samples).map(|_| draw.size(0..=classes - 1)).collect();
    let mut rows = vec![0.0; samples * classes];
    labels.iter().enumerate().for_each(|(sample, label)| rows[sample * classes + label] = 1.0);
    (Value::new([samples, classes], rows), Some(labels))
}

fn logistic(z: Tensor<2>) -> Tensor<2> {
    ((-z).exp() + 1.0).recip()
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
