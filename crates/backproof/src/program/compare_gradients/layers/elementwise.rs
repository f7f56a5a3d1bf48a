//! Activations without parameters: `y_i = φ(x_i)`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use backproof_compiled::Operation as Layer;
use backproof_gradcheck::{Check, Gradients};
use backproof_layers::{Elu, Gelu, LeakyRelu, Relu, Sigmoid, Tanh};
use burn::tensor::{Tensor, activation};

use crate::compare_gradients::kernels::Stack;
use crate::compare_gradients::subject::{Case, Context, Draw, Layout, shape};

/// The part that all activations share: dimensions, layout and values of the input.
struct Point {
    dims: [usize; 3],
    layout: Layout,
    check: Check<'static>,
}

impl Point {
    fn new(name: &str, scale: f64, context: &Context, draw: &mut Draw) -> Self {
        let dims = [draw.size(1..=3), draw.channels(1..=4), draw.size(1..=7)];
        let layout = draw.layout();
        let x = draw.values(dims, scale);
        // Where everything is cut off, a gradient of zero is right.
        let flat = x.data().iter().all(|&x| x <= 0.0);
        let check = context.check(name).input("x", x);
        Self { dims, layout, check: if flat { check.expect_zero() } else { check } }
    }

    fn about(&self) -> String {
        format!("{}{}", shape(&self.dims), self.layout.words())
    }
}

/// Adds both sources of a layer to a check with the input `x`.
macro_rules! sources {
    ($context:expr, $point:expr, $layer:expr) => {{
        let (layer, layout) = ($layer, $point.layout);
        let (by_autodiff, by_hand) = (layer.clone(), layer.clone());
        let check = $context.autodiff($point.check, move |t| by_autodiff.forward(layout.place(t.get::<3>("x"))));
        $context.manual(
            check,
            move |t| layer.forward_saving(layout.place(t.get::<3>("x"))).0,
            move |t| {
                let (_, saved) = by_hand.forward_saving(layout.place(t.get::<3>("x")));
                Gradients::new().with("x", by_hand.backward(saved, layout.place(t.cotangent::<3>())))
            },
        )
    }};
}

/// A backward that multiplies the cotangent by a wrong derivative.
fn wrong(
    context: &Context,
    check: Check<'static>,
    name: &str,
    derivative: impl Fn(Tensor<3>) -> Tensor<3> + 'static,
) -> Check<'static> {
    context.mutant(check, name, move |t| Gradients::new().with("x", derivative(t.get::<3>("x")) * t.cotangent::<3>()))
}

/// `[x > 0]`.
fn positive(x: Tensor<3>) -> Tensor<3> {
    let dtype = x.dtype();
    x.greater_elem(0.0).float().cast(dtype)
}

/// Other values of the same shape: those of a batch that the forward did not see.
fn of_another_batch(x: Tensor<3>) -> Tensor<3> {
    x.flip([0, 1, 2])
}

pub(super) fn relu(context: &Context, draw: &mut Draw) -> Case {
    let point = Point::new("relu", 1.0, context, draw);
    let (about, dims) = (point.about(), point.dims);
    let check = sources!(context, point, Relu);
    let check = Stack::new([dims[1], dims[2], 1], vec![Layer::Relu]).check(context, check, dims);
    let check = wrong(context, check, "the mask is lost: the gradient passes everywhere", |x| x.ones_like());
    let check = wrong(context, check, "the mask of another batch", |x| positive(of_another_batch(x)));
    let check = wrong(context, check, "the mask is inverted", |x| positive(-x));
    let check = wrong(context, check, "the output in the place of its derivative", activation::relu);
    Case { about, check }
}

pub(super) fn leaky_relu(context: &Context, draw: &mut Draw) -> Case {
    let slope = draw.real(0.01..0.5);
    let point = Point::new("leaky_relu", 1.0, context, draw);
    let about = format!("{}, slope {slope:.3}", point.about());
    let check = sources!(context, point, LeakyRelu::new(slope));
    let slopes = move |x: Tensor<3>| positive(x) * (1.0 - slope) + slope;
    let check = wrong(context, check, "the slope of the negative side is lost", positive);
    let check = wrong(context, check, "the mask of another batch", move |x| slopes(of_another_batch(x)));
    let check = wrong(context, check, "the sides are exchanged", move |x| slopes(-x));
    let check = wrong(context, check, "the mask is lost: the slope is 1 everywhere", |x| x.ones_like());
    Case { about, check }
}

pub(super) fn elu(context: &Context, draw: &mut Draw) -> Case {
    let alpha = draw.real(0.3..2.0);
    let point = Point::new("elu", 1.5, context, draw);
    let about = format!("{}, α {alpha:.3}", point.about());
    let check = sources!(context, point, Elu::new(alpha));
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

pub(super) fn gelu(context: &Context, draw: &mut Draw) -> Case {
    let point = Point::new("gelu", 2.0, context, draw);
    let about = point.about();
    let check = sources!(context, point, Gelu);
    let phi = |x: Tensor<3>| (x.powi_scalar(2) * -0.5).exp() * (1.0 / (2.0 * PI).sqrt());
    let cumulative = |x: Tensor<3>| ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    let check = wrong(
        context,
        check,
        "the forward is the exact erf, the backward differentiates the tanh approximation",
        tanh_approximation,
    );
    let check = wrong(context, check, "the term x φ(x) is lost", cumulative);
    let check = wrong(context, check, "the term Φ(x) is lost", move |x| x.clone() * phi(x));
    let check = wrong(context, check, "φ without 1/√(2π)", move |x| {
        cumulative(x.clone()) + x.clone() * phi(x) * (2.0 * PI).sqrt()
    });
    Case { about, check }
}

/// The derivative of `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
fn tanh_approximation(x: Tensor<3>) -> Tensor<3> {
    let rate = (2.0 / PI).sqrt();
    let tanh = ((x.clone() + x.clone().powi_scalar(3) * 0.044_715) * rate).tanh();
    let inner = (x.clone().powi_scalar(2) * (3.0 * 0.044_715) + 1.0) * rate;
    (tanh.clone() + 1.0) * 0.5 + x * (-tanh.powi_scalar(2) + 1.0) * inner * 0.5
}

pub(super) fn sigmoid(context: &Context, draw: &mut Draw) -> Case {
    let point = Point::new("sigmoid", 2.0, context, draw);
    let about = point.about();
    let check = sources!(context, point, Sigmoid);
    let y = |x: Tensor<3>| ((-x).exp() + 1.0).recip();
    let check = wrong(context, check, "y in the place of y (1 − y)", y);
    let check = wrong(context, check, "1 − y in the place of y (1 − y)", move |x| -y(x) + 1.0);
    let check = wrong(context, check, "x (1 − x) in the place of y (1 − y)", |x| x.clone() * (-x + 1.0));
    let check = wrong(context, check, "1 − y², as for tanh", move |x| -y(x).powi_scalar(2) + 1.0);
    Case { about, check }
}

pub(super) fn tanh(context: &Context, draw: &mut Draw) -> Case {
    let point = Point::new("tanh", 1.0, context, draw);
    let about = point.about();
    let check = sources!(context, point, Tanh);
    let check = wrong(context, check, "1 − y in the place of 1 − y²", |x| -x.tanh() + 1.0);
    let check = wrong(context, check, "1 − x² in the place of 1 − y²", |x| -x.powi_scalar(2) + 1.0);
    let check = wrong(context, check, "y (1 − y), as for sigmoid", |x| x.clone().tanh() * (-x.tanh() + 1.0));
    let check = wrong(context, check, "1 + y² in the place of 1 − y²", |x| x.tanh().powi_scalar(2) + 1.0);
    Case { about, check }
}
