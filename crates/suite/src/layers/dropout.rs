//! Inverted dropout, with a mask that is a function of a seed.

use backproof_compiled::Operation;
use backproof_gradcheck::Gradients;
use backproof_layers::{Dropout, Mode};
use burn::tensor::{DType, Tensor};

use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Dropout",
    forward: "With `training` 1: y = mask · x / (1 − probability). With 0: y = x",
    conventions: &["The mask is given: 1 is kept, and 0 is dropped."],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=3), draw.channels(1..=4), draw.size(2..=7)];
    let (probability, layout) = (draw.real(0.05..0.8), draw.layout());
    let seed = |draw: &mut Draw| Mode::Training { dropout_seed: [(draw.seed() % 251) as u8; 32] };
    let (mode, another) = match draw.once_in(5) {
        true => (Mode::Inference, Mode::Inference),
        false => (seed(draw), seed(draw)),
    };
    // A small tensor may be dropped altogether.
    let check = context.check("dropout").input("x", draw.normal(dims, 1.0)).expect_zero();
    let layer = Dropout::new(probability);
    let (by_autodiff, by_hand, forward) = (layer.clone(), layer.clone(), layer.clone());
    let check = context.autodiff(check, move |t| by_autodiff.forward(layout.arrange(t.get::<3>("x")), mode));
    let check = context.manual(
        check,
        move |t| forward.forward_saving(layout.arrange(t.get::<3>("x")), mode).0,
        move |t| {
            let (_, saved) = by_hand.forward_saving(layout.arrange(t.get::<3>("x")), mode);
            Gradients::new().with("x", by_hand.backward(saved, layout.arrange(t.cotangent::<3>())))
        },
    );
    let check = match mode {
        Mode::Training { dropout_seed } => {
            let masking = layer.clone();
            let stack = Stack::new([dims[1], dims[2], 1], vec![Operation::Dropout])
                .mask(move |first, mask| masking.write_mask(dropout_seed, first, mask));
            stack.check(context, check, dims)
        }
        Mode::Inference => check,
    };
    // Dropping a tensor of ones gives the mask, with its scale.
    let ones = Tensor::<3>::ones(dims, (&context.reference, DType::F64));
    let kept = match mode {
        Mode::Training { .. } => layer.forward(ones.clone(), mode).sign(),
        Mode::Inference => ones,
    };
    draw.flag("training", mode.is_training());
    draw.option("probability", &[probability]);
    draw.options.push(("mask", kept.into()));
    let mask = move |g: &Tensor<3>, mode: Mode| layer.forward(g.ones_like(), mode);
    let (first, second, third, fourth) = (mask.clone(), mask.clone(), mask.clone(), mask);
    let scale = 1.0 / (1.0 - probability);
    let check = context.mutant(check, "the mask of another step", move |t| {
        let g = t.cotangent::<3>();
        Gradients::new().with("x", first(&g, another) * g)
    });
    let check = context.mutant(check, "the scale 1/(1 − p) is lost", move |t| {
        let g = t.cotangent::<3>();
        Gradients::new().with("x", second(&g, mode).sign() * g)
    });
    let check = context.mutant(check, "the scale 1/(1 − p) twice", move |t| {
        let g = t.cotangent::<3>();
        Gradients::new().with("x", third(&g, mode) * g * scale)
    });
    let check = context.mutant(check, "what was dropped gets a gradient too", move |t| {
        Gradients::new().with("x", t.cotangent::<3>() * scale)
    });
    let check = context.mutant(check, "what was dropped gets the gradient, what was kept none", move |t| {
        let g = t.cotangent::<3>();
        Gradients::new().with("x", (-fourth(&g, mode).sign() + 1.0) * g)
    });
    let mode = if mode.is_training() { "training" } else { "inference" };
    Case { about: format!("{}{}, p {probability:.2}, {mode}", shape(&dims), layout.words()), check }
}
