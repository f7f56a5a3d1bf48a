//! Layer normalisation.

use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::LayerNorm;
use burn::tensor::Tensor;

use super::conventions;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

const EPSILON: f64 = 1e-5;

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Layer normalisation",
    forward: "μ and σ² are mean and variance of all elements of one sample.\ny = gamma · (x − μ) / √(σ² + epsilon) + \
              beta, where gamma and beta have an element for each element of a sample, in the order channel, row, \
              column (the column is the fastest)",
    conventions: &[conventions::BIASED],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    // Two elements of a sample are normalised to ±1 whatever they are: in single precision their gradient is rounding
    // alone.
    let dims = [draw.size(1..=3), draw.size(1..=3), draw.size(2..=4), draw.size(2..=3)];
    let affine = dims[1..].iter().product::<usize>();
    let layout = draw.layout();
    let x = draw.normal(dims, 1.0);
    let shift = draw.real(-2.0..2.0);
    let x = Value::new(dims, x.data().iter().map(|x| x + shift).collect());
    let gamma = Value::new([affine], (0..affine).map(|_| draw.real(0.3..2.0)).collect());
    draw.option("epsilon", &[EPSILON]);
    let check = context
        .check("layer_norm")
        .input("x", x)
        .parameter("gamma", gamma)
        .parameter("beta", draw.normal([affine], 1.0));
    let layer = move |t: &Arguments<'_>| LayerNorm::new(t.get("gamma"), t.get("beta"), EPSILON);
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| layer(t).forward(x(t)));
    let check = context.manual(
        check,
        move |t| layer(t).forward_saving(x(t)).0,
        move |t| {
            let (layer, g) = (layer(t), layout.arrange(t.cotangent::<4>()));
            let found = layer.backward(layer.forward_saving(x(t)).1, g);
            Gradients::new().with("x", found.input).with("gamma", found.gamma).with("beta", found.beta)
        },
    );
    let mutant = |check, name: &str, of: fn(Terms) -> Tensor<2>| {
        context.mutant(check, name, move |t| Gradients::new().with("x", of(Terms::new(t, 1)).reshape(dims)))
    };
    let check = mutant(check, "the term of the mean is lost", |s| (s.g - s.component) * s.inverse_deviation);
    let check = mutant(check, "the term of the variance is lost", |s| (s.g - s.mean) * s.inverse_deviation);
    let check = mutant(check, "the term of the variance has the wrong sign", |s| {
        (s.g - s.mean + s.component) * s.inverse_deviation
    });
    let check = mutant(check, "mean and variance taken for constants", |s| s.g * s.inverse_deviation);
    let check = mutant(check, "the deviation is lost", |s| s.g - s.mean - s.component);
    let check = context.mutant(check, "γ's gradient from x in the place of the normalised x", move |t| {
        let products = t.get::<4>("x") * t.cotangent::<4>();
        Gradients::new().with("gamma", products.sum_dim(0).reshape([affine]))
    });
    let check = context.mutant(check, "γ is outside of the sums", move |t| {
        let terms = Terms::of(t, 1, t.cotangent::<4>());
        let found = ((terms.g - terms.mean - terms.component) * terms.inverse_deviation).reshape(dims);
        Gradients::new().with("x", found * along(t))
    });
    Case { about: format!("{}{}", shape(&dims), layout.words()), check }
}

/// γ in the shape of the input.
fn along(t: &Arguments<'_>) -> Tensor<4> {
    let [_, channels, height, width] = t.get::<4>("x").dims();
    t.get::<1>("gamma").reshape([1, channels, height, width]).expand(t.get::<4>("x").dims())
}

/// What the right gradient `(ĝ − mean − component) ⊙ inverse_deviation` is made of, by rows.
struct Terms {
    g: Tensor<2>,
    mean: Tensor<2>,
    component: Tensor<2>,
    inverse_deviation: Tensor<2>,
}

impl Terms {
    fn new(t: &Arguments<'_>, groups: usize) -> Self {
        Self::of(t, groups, t.cotangent::<4>() * along(t))
    }

    /// With `gradient` in the place of `ĝ`.
    fn of(t: &Arguments<'_>, groups: usize, gradient: Tensor<4>) -> Self {
        let x = t.get::<4>("x");
        let dims = x.dims();
        let rows = [dims[0] * groups, dims[1..].iter().product::<usize>() / groups];
        let (x, g) = (x.reshape(rows), gradient.reshape(rows));
        let average = |tensor: Tensor<2>| tensor.sum_dim(1) * (1.0 / rows[1] as f64);
        let deviation = x.clone() - average(x);
        let inverse_deviation = (average(deviation.clone().powi_scalar(2)) + EPSILON).sqrt().recip();
        let normalized = deviation * inverse_deviation.clone();
        let component = normalized.clone() * average(g.clone() * normalized);
        Self { mean: average(g.clone()), g, component, inverse_deviation }
    }
}
