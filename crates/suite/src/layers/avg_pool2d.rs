//! Average pooling: what it divides by, with padding and in ceil mode.

use backproof_compiled::Operation;
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_kernels as kernels;
use backproof_layers::{AvgPool2d, AvgPool2dOptions};

use super::conventions;
use super::windows::{SLIPS, Windows, plane};
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, extent, shape};

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "Average pooling",
    forward: "y[n, c, i, j] = the sum over the window of x, divided by a count",
    conventions: &[
        "With `count_include_pad` 1 the count is that of all places of the window in the image or its padding; \
                 with 0 it is that of places in the image.",
        conventions::WINDOWS,
        conventions::CEIL,
    ],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let (kernel, stride) = (draw.pair(1..=3), draw.pair(1..=3));
    let padding = kernel.map(|kernel| draw.size(0..=kernel / 2));
    let (ceil_mode, count_include_pad) = (draw.once_in(2), draw.once_in(2));
    let rest = draw.pair(0..=5);
    let dims = [draw.size(1..=2), draw.channels(1..=4), kernel[0] + rest[0], kernel[1] + rest[1]];
    let layout = draw.layout();
    let about = format!(
        "{}, kernel {}, stride {}, padding {}{}{}{}",
        shape(&dims),
        extent(kernel),
        extent(stride),
        extent(padding),
        if count_include_pad { " that counts" } else { "" },
        if ceil_mode { ", ceil mode" } else { "" },
        layout.words(),
    );
    for (name, pair) in [("kernel", kernel), ("stride", stride), ("padding", padding)] {
        draw.pair_option(name, pair);
    }
    draw.flag("ceil_mode", ceil_mode);
    draw.flag("count_include_pad", count_include_pad);
    let layer = AvgPool2d::new(AvgPool2dOptions { kernel, stride, padding, ceil_mode, count_include_pad });
    let check = context.check("avg_pool2d").input("x", draw.normal(dims, 1.0));
    let [of_autodiff, of_forward] = [layer.clone(), layer.clone()];
    let output = layer.output_size([dims[2], dims[3]]);
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| of_autodiff.forward(x(t)));
    let check = context.manual(
        check,
        move |t| of_forward.forward_saving(x(t)).0,
        move |t| {
            let (_, saved) = layer.forward_saving(x(t));
            Gradients::new().with("x", layer.backward(saved, layout.arrange(t.cotangent::<4>())))
        },
    );

    let window = kernels::Window { kernel, stride, padding, dilation: [1, 1] };
    let divisor = if count_include_pad { kernels::Divisor::Padded } else { kernels::Divisor::Inside };
    let stack = Stack::new([dims[1], dims[2], dims[3]], vec![Operation::AvgPool2d { window, divisor, output }]);
    let check = stack.check(context, check, [dims[0], dims[1], output[0], output[1]]);

    let windows = Windows { stride, padding, dilation: [1, 1] };
    let divisor = if count_include_pad { Divisor::Padded } else { Divisor::Pixels };
    let pool = move |t: &Arguments<'_>, windows: Windows, divisor: Divisor| {
        Gradients::new().with("x", gradient(windows, kernel, t, divisor))
    };
    let mut check = check;
    for (name, slip) in SLIPS {
        check = context.mutant(check, name, move |t| pool(t, slip(windows), divisor));
    }
    for (name, divisor) in [
        ("divided by the pixels alone, where the padding counts", Divisor::Pixels),
        ("divided by pixels and padding, where the padding does not count", Divisor::Padded),
        ("divided by the whole kernel, also where it reaches over the padding", Divisor::Kernel),
        ("not divided at all", Divisor::One),
    ] {
        check = context.mutant(check, name, move |t| pool(t, windows, divisor));
    }
    check = context.mutant(check, "only every other channel is written", move |t| {
        let right = gradient(windows, kernel, t, divisor);
        let [rows, columns] = plane(&right);
        let written = |index: usize| (index / (rows * columns) % right.dims()[1]).is_multiple_of(2);
        let data = right.data().iter().enumerate().map(|(index, &g)| if written(index) { g } else { 0.0 }).collect();
        Gradients::new().with("x", Value::new(right.dims(), data))
    });
    Case { about, check }
}

/// What a window's sum is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Divisor {
    /// Its pixels of the image.
    Pixels,
    /// Its pixels of the image and of the padding.
    Padded,
    /// The kernel.
    Kernel,
    /// Nothing.
    One,
}

fn gradient(windows: Windows, kernel: [usize; 2], t: &Arguments<'_>, divisor: Divisor) -> Value {
    let (x, g) = (t.value("x"), t.cotangent_value());
    let (outputs, size) = (plane(g), plane(x));
    let planes = g.len() / (outputs[0] * outputs[1]);
    let sizes = [outputs, kernel, size];
    let mut pixels = vec![0.0; g.len()];
    windows.for_each(planes, sizes, |_, output, _, _| pixels[output] += 1.0);
    let padded = |output: usize| -> f64 {
        let at = [output / outputs[1] % outputs[0], output % outputs[1]];
        let inside = |axis: usize| {
            let end = size[axis] + 2 * windows.padding[axis];
            (0..kernel[axis]).filter(|k| at[axis] * windows.stride[axis] + k < end).count() as f64
        };
        inside(0) * inside(1)
    };
    let mut gradient = vec![0.0; x.len()];
    windows.for_each(planes, sizes, |_, output, input, _| {
        let count = match divisor {
            Divisor::Pixels => pixels[output],
            Divisor::Padded => padded(output),
            Divisor::Kernel => (kernel[0] * kernel[1]) as f64,
            Divisor::One => 1.0,
        };
        gradient[input] += g.data()[output] / count;
    });
    Value::new(x.dims(), gradient)
}
