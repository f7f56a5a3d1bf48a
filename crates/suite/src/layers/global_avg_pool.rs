//! The mean of each channel.

use backproof_compiled::Operation;
use backproof_gradcheck::{Arguments, Gradients};
use backproof_kernels::{Divisor, Window};
use backproof_layers::GlobalAvgPool;
use burn::tensor::Tensor;

use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "The mean of each channel",
    forward: "y[n, c] = 1/(H W) Σ_i,j x[n, c, i, j], in the shape N×C×1×1",
    conventions: &[],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    // With one pixel, every mistake below is none.
    let dims = [draw.size(1..=3), draw.channels(1..=4), draw.size(2..=5), draw.size(2..=5)];
    let layout = draw.layout();
    let check = context.check("global_avg_pool").input("x", draw.normal(dims, 1.0));
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| GlobalAvgPool.forward(x(t)));
    let check = context.manual(
        check,
        move |t| GlobalAvgPool.forward_saving(x(t)).0,
        move |t| {
            let (_, saved) = GlobalAvgPool.forward_saving(x(t));
            Gradients::new().with("x", GlobalAvgPool.backward(saved, t.cotangent::<4>()))
        },
    );
    let size = [dims[2], dims[3]];
    let window = Window { kernel: size, stride: size, padding: [0, 0], dilation: [1, 1] };
    let operation = Operation::AvgPool2d { window, divisor: Divisor::Inside, output: [1, 1] };
    let stack = Stack::new([dims[1], dims[2], dims[3]], vec![operation]);
    let check = stack.check(context, check, [dims[0], dims[1], 1, 1]);
    let wrong = |check, name: &str, of: fn(Tensor<4>, [usize; 4]) -> Tensor<4>| {
        context.mutant(check, name, move |t| {
            let found = of(t.cotangent::<4>(), dims);
            Gradients::new().with("x", found.expand(dims))
        })
    };
    let check = wrong(check, "not divided at all", |g, _| g);
    let check = wrong(check, "divided by the rows alone", |g, [_, _, height, _]| g * (1.0 / height as f64));
    let check = wrong(check, "divided by the channels too", |g, [_, channels, height, width]| {
        g * (1.0 / ((channels + 1) * height * width) as f64)
    });
    let check = context.mutant(check, "only the first pixel has a gradient", move |t| {
        let [samples, channels, height, width] = dims;
        let share = t.cotangent::<4>() * (1.0 / (height * width) as f64);
        let none = Tensor::zeros(dims, (t.device(), t.dtype()));
        Gradients::new().with("x", none.slice_assign([0..samples, 0..channels, 0..1, 0..1], share))
    });
    Case { about: format!("{}{}", shape(&dims), layout.words()), check }
}
