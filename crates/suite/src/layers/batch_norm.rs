//! Batch normalisation, in training and in inference.

use backproof_compiled::{Operation, Parameter};
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::{BatchNorm, Mode};
use burn::tensor::Tensor;

use super::conventions;
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

const EPSILON: f64 = 1e-5;

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Batch normalisation",
    forward: "With `training` 1: μ[c] and σ²[c] are mean and variance of x[:, c, :, :]. With 0 they are `running_mean` \
             and `running_variance`.\ny = gamma[c] (x − μ[c]) / √(σ²[c] + epsilon) + beta[c]",
    conventions: &[conventions::BIASED, "Running statistics have no gradient, and are not updated here."],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    // Two elements of a channel are normalised to ±1 whatever they are: in single precision their gradient is rounding
    // alone.
    let dims = [draw.size(3..=5), draw.channels(1..=4), draw.size(1..=4), draw.size(1..=4)];
    let (training, layout) = (!draw.once_in(3), draw.layout());
    let channels = [dims[1]];
    let positive = |draw: &mut Draw| Value::new(channels, (0..channels[0]).map(|_| draw.real(0.3..2.0)).collect());
    let (gamma, variance) = (positive(draw), positive(draw));
    let shift = draw.real(-2.0..2.0);
    let (scale, shifts) = (!draw.once_in(4), !draw.once_in(4));
    let x = draw.normal(dims, 1.0);
    let x = Value::new(dims, x.data().iter().map(|x| x + shift).collect());
    draw.flag("training", training);
    draw.option("epsilon", &[EPSILON]);
    let check = context.check("batch_norm").input("x", x);
    // A scale and a shift that there are not are the constants 1 and 0.
    let check = match scale {
        true => check.parameter("gamma", gamma),
        false => check.constant("gamma", Value::full(channels, 1.0)),
    };
    let beta = draw.normal(channels, 1.0);
    let check = match shifts {
        true => check.parameter("beta", beta),
        false => check.constant("beta", Value::full(channels, 0.0)),
    };
    let check = check.constant("running_mean", draw.normal(channels, 1.0)).constant("running_variance", variance);
    let mode = if training { Mode::Training { dropout_seed: [0; 32] } } else { Mode::Inference };
    // The layer is made anew for each pass, because a pass in training moves its running statistics.
    let layer = move |t: &Arguments<'_>| {
        BatchNorm::new(t.get("gamma"), t.get("beta"), EPSILON, 0.1)
            .with_affine(scale, shifts)
            .with_running_statistics(t.get("running_mean"), t.get("running_variance"))
    };
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| layer(t).forward(x(t), mode));
    let check = context.manual(
        check,
        move |t| layer(t).forward_saving(x(t), mode).0,
        move |t| {
            let (layer, g) = (layer(t), layout.arrange(t.cotangent::<4>()));
            let found = layer.backward(layer.forward_saving(x(t), mode).1, g);
            let gradients = Gradients::new().with("x", found.input);
            let gradients = if scale { gradients.with("gamma", found.gamma) } else { gradients };
            if shifts { gradients.with("beta", found.beta) } else { gradients }
        },
    );

    // The kernels differentiate in training alone.
    let operation = Operation::BatchNorm { epsilon: EPSILON, momentum: 0.1, scale, shift: shifts };
    let stack = Stack::new([dims[1], dims[2], dims[3]], vec![operation]);
    let stack = if scale { stack.parameter(0, Parameter::Weight, "gamma") } else { stack };
    let stack = if shifts { stack.parameter(0, Parameter::Bias, "beta") } else { stack };
    let check = if training { stack.check(context, check, dims) } else { check };

    let count = (dims[0] * dims[2] * dims[3]) as f64;
    let mutant = |check, name: &str, of: fn(Terms, f64) -> Tensor<4>| {
        context.mutant(check, name, move |t| Gradients::new().with("x", of(Terms::new(t, training), count)))
    };
    let check = mutant(check, "the term of the mean is lost", |s, _| (s.g - s.component) * s.scale);
    let check = mutant(check, "the term of the variance is lost", |s, _| (s.g - s.mean) * s.scale);
    let check = mutant(check, "the term of the mean has the wrong sign", |s, _| (s.g + s.mean - s.component) * s.scale);
    let check =
        mutant(check, "the term of the variance has the wrong sign", |s, _| (s.g - s.mean + s.component) * s.scale);
    let check = mutant(check, "mean and variance taken for constants, as in inference", |s, _| s.g * s.scale);
    let check =
        mutant(check, "the terms of mean and variance in inference too", |s, _| (s.g - s.mean - s.component) * s.scale);
    let check = mutant(check, "γ is lost", |s, _| (s.g - s.mean - s.component) * s.inverse_deviation);
    let check = mutant(check, "the deviation is lost", |s, _| (s.g - s.mean - s.component) * s.gamma);
    let check = mutant(check, "the variance divided by M − 1", |s, count| {
        (s.g - s.mean - s.component * (count / (count - 1.0).max(1.0))) * s.scale
    });
    let check = context.mutant(check, "γ's gradient from x in the place of the normalised x", |t| {
        Gradients::new().with("gamma", (t.get::<4>("x") * t.cotangent::<4>()).sum_dims_squeeze::<1, _>(&[0, 2, 3]))
    });
    let check = context.mutant(check, "γ and β averaged over the batch", move |t| {
        let terms = Terms::new(t, training);
        Gradients::new()
            .with("gamma", (terms.normalized * terms.g.clone()).sum_dims_squeeze::<1, _>(&[0, 2, 3]) * (1.0 / count))
            .with("beta", terms.g.sum_dims_squeeze::<1, _>(&[0, 2, 3]) * (1.0 / count))
    });
    let mode = if training { "training" } else { "inference" };
    let absent = match (scale, shifts) {
        (true, true) => "",
        (false, true) => ", without scale",
        (true, false) => ", without shift",
        (false, false) => ", without scale and shift",
    };
    Case { about: format!("{}{}, {mode}{absent}", shape(&dims), layout.words()), check }
}

/// What the right gradient `(g − mean − component) ⊙ scale` is made of.
struct Terms {
    g: Tensor<4>,
    normalized: Tensor<4>,
    mean: Tensor<4>,
    component: Tensor<4>,
    gamma: Tensor<4>,
    inverse_deviation: Tensor<4>,
    scale: Tensor<4>,
}

impl Terms {
    fn new(t: &Arguments<'_>, training: bool) -> Self {
        let (x, g) = (t.get::<4>("x"), t.cotangent::<4>());
        let [samples, channels, height, width] = x.dims();
        let share = 1.0 / (samples * height * width) as f64;
        let along = |vector: Tensor<1>| vector.reshape([1, channels, 1, 1]);
        let average = |tensor: Tensor<4>| along(tensor.sum_dims_squeeze::<1, _>(&[0, 2, 3]) * share);
        let (center, variance) = if training {
            let center = average(x.clone());
            (center.clone(), average((x.clone() - center).powi_scalar(2)))
        } else {
            (along(t.get("running_mean")), along(t.get("running_variance")))
        };
        let inverse_deviation = (variance + EPSILON).sqrt().recip();
        let normalized = (x - center) * inverse_deviation.clone();
        let component = normalized.clone() * average(g.clone() * normalized.clone());
        let gamma = along(t.get("gamma"));
        let scale = gamma.clone() * inverse_deviation.clone();
        Self { mean: average(g.clone()), g, normalized, component, gamma, inverse_deviation, scale }
    }
}
