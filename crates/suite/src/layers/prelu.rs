//! `y = x` where `x > 0`, `b x` elsewhere, with one slope `b` that is learnt.

use backproof_compiled::{Operation, Parameter};
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_layers::Prelu;
use burn::tensor::Tensor;

use super::conventions;
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "PReLU",
    forward: "y = x where x > 0, and slope · x elsewhere; `slope` is one number that is learnt",
    conventions: &[conventions::KINK],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=3), draw.size(1..=4), draw.size(2..=7)];
    let (x, slope, layout) = (draw.values(dims, 1.0), draw.real(-0.5..0.9), draw.layout());
    let none_negative = x.data().iter().all(|&x| x >= 0.0);
    let check = context.check("prelu").input("x", x).parameter("slope", Value::new([1], vec![slope]));
    let check = if none_negative { check.expect_zero() } else { check };
    let layer = |t: &Arguments<'_>| Prelu::new(t.get("slope"));
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<3>("x"));
    let check = context.autodiff(check, move |t| layer(t).forward(x(t)));
    let check = context.manual(
        check,
        move |t| layer(t).forward_saving(x(t)).0,
        move |t| {
            let (layer, g) = (layer(t), layout.arrange(t.cotangent::<3>()));
            let found = layer.backward(layer.forward_saving(x(t)).1, g);
            Gradients::new().with("x", found.input).with("slope", found.slope)
        },
    );
    let stack = Stack::new([dims[1], dims[2], 1], vec![Operation::Prelu]).parameter(0, Parameter::Weight, "slope");
    let check = stack.check(context, check, dims);
    let negative = |x: Tensor<3>| {
        let dtype = x.dtype();
        x.lower_equal_elem(0.0).float().cast(dtype)
    };
    let slopes = |t: &Arguments<'_>, mask: Tensor<3>| {
        let slope: Tensor<3> = t.get::<1>("slope").unsqueeze();
        mask.clone() * slope + (-mask + 1.0)
    };
    let check = context.mutant(check, "the slope's gradient counts the positive side too", |t| {
        Gradients::new().with("slope", (t.get::<3>("x") * t.cotangent::<3>()).sum())
    });
    let check = context.mutant(check, "the slope's gradient is a mean", move |t| {
        let x = t.get::<3>("x");
        Gradients::new().with("slope", (negative(x.clone()) * x * t.cotangent::<3>()).mean())
    });
    let check = context.mutant(check, "the slope's gradient without x", move |t| {
        Gradients::new().with("slope", (negative(t.get::<3>("x")) * t.cotangent::<3>()).sum())
    });
    let check = context.mutant(check, "the mask of another batch", move |t| {
        let mask = negative(t.get::<3>("x").flip([0, 1, 2]));
        let slope = (mask.clone() * t.get::<3>("x") * t.cotangent::<3>()).sum();
        Gradients::new().with("x", slopes(t, mask) * t.cotangent::<3>()).with("slope", slope)
    });
    let check = context.mutant(check, "the sides are exchanged", move |t| {
        Gradients::new().with("x", slopes(t, negative(-t.get::<3>("x"))) * t.cotangent::<3>())
    });
    Case { about: format!("{}{}, slope {slope:.3}", shape(&dims), layout.words()), check }
}
