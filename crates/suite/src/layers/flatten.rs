//! The same numbers in another shape.

use backproof_compiled::{Operation, Parameter};
use backproof_gradcheck::Gradients;
use backproof_layers::Flatten;
use burn::tensor::Tensor;

use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Flatten",
    forward: "y[n, :] = the elements of x[n] one after the other: channel by channel, row by row. The column is the \
             fastest index",
    conventions: &["MATLAB's `x(:)` and `reshape` take the first index for the fastest: use `permute` first."],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let dims = [draw.size(1..=3), draw.channels(1..=4), draw.size(1..=5), draw.size(2..=5)];
    let layout = draw.layout();
    let check = context.check("flatten").input("x", draw.normal(dims, 1.0));
    let check = context.autodiff(check, move |t| Flatten.forward(layout.arrange(t.get::<4>("x"))));
    let check = context.manual(
        check,
        move |t| Flatten.forward_saving(layout.arrange(t.get::<4>("x"))).0,
        move |t| {
            let (_, saved) = Flatten.forward_saving(layout.arrange(t.get::<4>("x")));
            Gradients::new().with("x", Flatten.backward(saved, layout.arrange(t.cotangent::<2>())))
        },
    );
    let [samples, channels, height, width] = dims;
    // To the kernels it is how a linear layer reads an image: here one that passes every feature on.
    let features = channels * height * width;
    let identity = (0..features * features).map(|at| f32::from(u8::from(at % (features + 1) == 0))).collect();
    let layers = vec![Operation::Flatten, Operation::Linear { outputs: features, bias: false }];
    let stack = Stack::new([channels, height, width], layers).constant(1, Parameter::Weight, identity);
    let check = stack.check(context, check, [samples, features]);
    let check = context.mutant(check, "read as if the channels came last", move |t| {
        let g: Tensor<4> = t.cotangent::<2>().reshape([samples, height, width, channels]);
        Gradients::new().with("x", g.permute([0, 3, 1, 2]))
    });
    let check = context.mutant(check, "read as if columns came before rows", move |t| {
        let g: Tensor<4> = t.cotangent::<2>().reshape([samples, channels, width, height]);
        Gradients::new().with("x", g.swap_dims(2, 3))
    });
    Case { about: format!("{}{}", shape(&dims), layout.words()), check }
}
