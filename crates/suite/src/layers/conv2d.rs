//! Convolution with stride, padding, dilation and groups.

use backproof_compiled::{Operation, Parameter};
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_kernels::{Conv2dShape, LANES};
use backproof_layers::{Conv2d, Conv2dOptions};

use super::conventions;
use super::windows::{SLIPS, Windows, convolution, convolution_by, plane, tiled};
use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, extent, shape};

struct Sizes {
    samples: usize,
    /// Channels of the input in a group.
    of_group: usize,
    outputs: usize,
    groups: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    size: [usize; 2],
}

impl Sizes {
    fn any(draw: &mut Draw) -> Self {
        let groups = draw.pick(&[1, 1, 1, 2, 3]);
        let large = draw.once_in(12);
        let [samples, of_group, outputs] = match large {
            true => [draw.size(1..=3), draw.size(1..=8), groups * draw.size(2..=8)],
            false => [draw.size(1..=3), draw.size(1..=3), groups * draw.size(1..=3)],
        };
        let (kernel, stride, dilation) = (draw.pair(1..=3), draw.pair(1..=3), draw.pair(1..=3));
        let padding = [0, 1].map(|axis| draw.size(0..=dilation[axis] * (kernel[axis] - 1)));
        // The image is at least as large as the kernel, padding included.
        let rest = draw.pair(if large { 8..=14 } else { 0..=4 });
        let size = [0, 1].map(|axis| {
            let reach = dilation[axis] * (kernel[axis] - 1) + 1;
            (reach + rest[axis]).saturating_sub(2 * padding[axis]).max(1)
        });
        Self { samples, of_group, outputs, groups, kernel, stride, padding, dilation, size }
    }

    /// Of a convolution that the kernels compute by tiles.
    fn by_tiles(draw: &mut Draw) -> Self {
        let (samples, [kernel, padding, size]) = (draw.size(1..=2), tiled(draw));
        let [stride, dilation] = [[1, 1]; 2];
        Self { samples, of_group: LANES, outputs: LANES, groups: 1, kernel, stride, padding, dilation, size }
    }
}

/// What an exercise asks for.
pub(super) const TASK: Option<LayerTask> = Some(LayerTask {
    title: "A convolution",
    forward: "y[n, o, i, j] = bias[o] + Σ_c,k,l weight[o, c, k, l] x[n, c′, i·stride − padding + k·dilation, j·stride \
              − padding + l·dilation]\n\nRow indices take the first number of each pair, column indices the second; x \
              is 0 outside of the image. With `groups` G, the output channels are G equal groups one after the other, \
              and so are the input channels: c counts within the group of o, and c′ is that channel of x.",
    conventions: &[
        "The kernel is not flipped: this is a correlation, as in PyTorch. MATLAB's `conv2` flips it.",
        conventions::WINDOWS,
    ],
});

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let Sizes { samples, of_group, outputs, groups, kernel, stride, padding, dilation, size } =
        if draw.once_in(8) { Sizes::by_tiles(draw) } else { Sizes::any(draw) };
    let (has_bias, layout) = (!draw.once_in(4), draw.layout());
    for (name, pair) in [("stride", stride), ("padding", padding), ("dilation", dilation)] {
        draw.pair_option(name, pair);
    }
    draw.option("groups", &[groups as f64]);
    let options = Conv2dOptions { stride, padding, dilation, groups };
    let scale = (1.0 / (of_group * kernel[0] * kernel[1]) as f64).sqrt();
    let dims = [samples, groups * of_group, size[0], size[1]];
    let windows = Windows { stride, padding, dilation };
    let (x, weight) = (draw.normal(dims, 1.0), draw.normal([outputs, of_group, kernel[0], kernel[1]], scale));
    let mut check = context.check("conv2d").input("x", x);
    // Where all windows lie on padding alone, the output is the bias, and zero is right for the rest.
    let blind = !windows.touch(kernel, size);
    check = if blind { check.expect_zero() } else { check }.parameter("weight", weight);
    check = if blind { check.expect_zero() } else { check };
    if has_bias {
        check = check.parameter("bias", draw.normal([outputs], 1.0));
    }
    let about = format!(
        "{} → {}, kernel {}, stride {}, padding {}, dilation {}, groups {groups}{}{}",
        shape(&dims),
        backproof_spec::counted(outputs, "channel"),
        extent(kernel),
        extent(stride),
        extent(padding),
        extent(dilation),
        if has_bias { "" } else { ", no bias" },
        layout.words(),
    );

    let layer = move |t: &Arguments<'_>| Conv2d::new(t.get("weight"), has_bias.then(|| t.get("bias")), options.clone());
    let [of_autodiff, of_forward] = [layer.clone(), layer.clone()];
    let x = move |t: &Arguments<'_>| layout.arrange(t.get::<4>("x"));
    let check = context.autodiff(check, move |t| of_autodiff(t).forward(x(t)));
    let check = context.manual(
        check,
        move |t| of_forward(t).forward_saving(x(t)).0,
        move |t| {
            let (layer, g) = (layer(t), layout.arrange(t.cotangent::<4>()));
            let found = layer.backward(layer.forward_saving(x(t)).1, g);
            let gradients = Gradients::new().with("x", found.input).with("weight", found.weight);
            found.bias.into_iter().fold(gradients, |all, bias| all.with("bias", bias))
        },
    );

    let shape = Conv2dShape { channels: dims[1], input: size, outputs, kernel, stride, padding, dilation, groups };
    let [rows, columns] = shape.output();
    let stack = Stack::new([dims[1], size[0], size[1]], vec![Operation::Conv2d { shape, bias: has_bias }]).parameter(
        0,
        Parameter::Weight,
        "weight",
    );
    let stack = if has_bias { stack.parameter(0, Parameter::Bias, "bias") } else { stack };
    let check = stack.check(context, check, [samples, outputs, rows, columns]);

    let per_group = outputs / groups;
    let by_definition = move |t: &Arguments<'_>, windows: Windows, shift: usize| {
        let values = [t.value("x"), t.value("weight"), t.cotangent_value()];
        let [x, weight] = convolution(windows, values, |o| (o / per_group + shift) % groups);
        Gradients::new().with("x", x).with("weight", weight)
    };
    let mut check = check;
    for (name, slip) in SLIPS {
        check = context.mutant(check, name, move |t| by_definition(t, slip(windows), 0));
    }
    check = context.mutant(check, "the outputs read another group's channels", move |t| by_definition(t, windows, 1));
    check = context.mutant(check, "the kernel is flipped", move |t| {
        let flipped = t.get::<4>("weight").flip([2, 3]);
        let values = [t.value("x"), &Value::from(flipped), t.cotangent_value()];
        let [x, weight] = convolution(windows, values, |o| o / per_group);
        let weight = weight.tensor::<4>(t.device(), t.dtype()).flip([2, 3]);
        Gradients::new().with("x", x).with("weight", weight)
    });
    if kernel[0] == kernel[1] {
        check = context.mutant(check, "the kernel's rows and columns are exchanged", move |t| {
            let exchanged = Value::from(t.get::<4>("weight").swap_dims(2, 3));
            let [x, weight] = convolution(windows, [t.value("x"), &exchanged, t.cotangent_value()], |o| o / per_group);
            let weight = weight.tensor::<4>(t.device(), t.dtype()).swap_dims(2, 3);
            Gradients::new().with("x", x).with("weight", weight)
        });
    }
    check = context.mutant(check, "only the first sample counts for the weight", move |t| {
        let [x, g] = [t.get::<4>("x"), t.cotangent::<4>()].map(|tensor| Value::from(tensor.narrow(0, 0, 1)));
        Gradients::new().with("weight", convolution(windows, [&x, t.value("weight"), &g], |o| o / per_group)[1].clone())
    });
    check = context.mutant(check, "the weight's gradient is overwritten: `=` in the place of `+=`", move |t| {
        let values = [t.value("x"), t.value("weight"), t.cotangent_value()];
        let [_, weight] = convolution_by(windows, values, |o| o / per_group, |sum, term| *sum = term);
        Gradients::new().with("weight", weight)
    });
    if has_bias {
        check = context.mutant(check, "the bias averaged over batch and positions", |t| {
            let g = t.cotangent::<4>();
            let [rows, columns] = plane(t.cotangent_value());
            let count = (g.dims()[0] * rows * columns) as f64;
            Gradients::new().with("bias", g.sum_dims_squeeze::<1, _>(&[0, 2, 3]) * (1.0 / count))
        });
        check = context.mutant(check, "the bias summed over the batch at the first position alone", |t| {
            let first = t.cotangent::<4>().narrow(2, 0, 1).narrow(3, 0, 1);
            Gradients::new().with("bias", first.sum_dims_squeeze::<1, _>(&[0, 2, 3]))
        });
    }
    Case { about, check }
}
