//! `Y = X W + b`.

#[cfg(feature = "flex")]
use backproof_compiled::linear_on_kernels;
use backproof_compiled::{Operation, Parameter};
#[cfg(feature = "flex")]
use backproof_gradcheck::Check;
use backproof_gradcheck::{Arguments, Gradients};
use backproof_layers::Linear;

use crate::kernels::Stack;
#[cfg(feature = "flex")]
use crate::kernels::{segments_name, with_gradient};
use crate::layer_task::LayerTask;
#[cfg(feature = "flex")]
use crate::subject::Layout;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "A linear layer",
    forward: "y[n, o] = Σ_i x[n, i] weight[i, o] + bias[o]",
    conventions: &[],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let [samples, inputs, outputs] = match draw.once_in(10) {
        true => [draw.size(9..=17), draw.size(30..=65), draw.size(20..=33)],
        false => [draw.size(1..=6), draw.size(1..=9), draw.size(1..=7)],
    };
    let (has_bias, layout) = (!draw.once_in(5), draw.layout());
    let scale = (1.0 / inputs as f64).sqrt();
    let mut check = context
        .check("linear")
        .input("x", draw.normal([samples, inputs], 1.0))
        .parameter("weight", draw.normal([inputs, outputs], scale));
    if has_bias {
        check = check.parameter("bias", draw.normal([outputs], 1.0));
    }
    let layer = move |t: &Arguments<'_>| Linear::new(t.get("weight"), has_bias.then(|| t.get("bias")));
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<2>("x"));
    let check = context.autodiff(check, move |t| layer(t).forward(x(t)));
    let check = context.manual(
        check,
        move |t| layer(t).forward_saving(x(t)).0,
        move |t| {
            let (layer, g) = (layer(t), layout.arrange(t.cotangent::<2>()));
            let found = layer.backward(layer.forward_saving(x(t)).1, g);
            let gradients = Gradients::new().with("x", found.input).with("weight", found.weight);
            found.bias.into_iter().fold(gradients, |all, bias| all.with("bias", bias))
        },
    );
    #[cfg(feature = "flex")]
    let check = as_one_node(context, check, has_bias, layout);
    let stack = Stack::new([inputs, 1, 1], vec![Operation::Linear { outputs, bias: has_bias }]).parameter(
        0,
        Parameter::Weight,
        "weight",
    );
    let stack = if has_bias { stack.parameter(0, Parameter::Bias, "bias") } else { stack };
    let check = stack.check(context, check, [samples, outputs]);
    let check = context.mutant(check, "only the first sample counts for the weight", |t| {
        let (x, g) = (t.get::<2>("x").narrow(0, 0, 1), t.cotangent::<2>().narrow(0, 0, 1));
        Gradients::new().with("weight", x.transpose().matmul(g))
    });
    let check = context.mutant(check, "the weight's gradient from the absolute input", |t| {
        Gradients::new().with("weight", t.get::<2>("x").abs().transpose().matmul(t.cotangent::<2>()))
    });
    let check = context.mutant(check, "the samples of the input in another order than those of the gradient", |t| {
        Gradients::new().with("weight", t.get::<2>("x").flip([0]).transpose().matmul(t.cotangent::<2>()))
    });
    let check = context.mutant(check, "the outputs of the weight in another order than those of the gradient", |t| {
        Gradients::new().with("x", t.cotangent::<2>().matmul(t.get::<2>("weight").flip([1]).transpose()))
    });
    let check = match has_bias {
        false => check,
        true => context.mutant(check, "the bias averaged over the batch", |t| {
            Gradients::new().with("bias", t.cotangent::<2>().mean_dim(0).squeeze_dim::<1>(0))
        }),
    };
    let bias = if has_bias { "" } else { ", no bias" };
    Case { about: format!("{} → {outputs}{}{bias}", shape(&[samples, inputs]), layout.words()), check }
}

/// Adds the kernels as one node of autodiff's graph, as training by autodiff uses them.
#[cfg(feature = "flex")]
fn as_one_node(context: &Context, check: Check<'static>, has_bias: bool, layout: Layout) -> Check<'static> {
    let Some(&isa) = context.kernels.first() else { return check };
    check
        .source(&segments_name(isa), &context.device, move |t| {
            let [x, weight] = ["x", "weight"].map(|name| t.get::<2>(name).autodiff().require_grad());
            let bias = has_bias.then(|| t.get::<1>("bias").autodiff().require_grad());
            let output = linear_on_kernels(isa, layout.arrange(x.clone()), weight.clone(), bias.clone());
            let gradients = (layout.arrange(output) * t.cotangent::<2>().autodiff()).sum().backward();
            let found = with_gradient(Gradients::new(), "x", &x, &gradients);
            let found = with_gradient(found, "weight", &weight, &gradients);
            bias.into_iter().fold(found, |found, bias| with_gradient(found, "bias", &bias, &gradients))
        })
        .source_forward(&context.device, move |t| {
            let bias = has_bias.then(|| t.get("bias"));
            linear_on_kernels(isa, layout.arrange(t.get("x")), t.get("weight"), bias)
        })
        .source_roundoff(context.unit_roundoff)
}
