//! A convolution with the ReLU and the maximum behind it, which the CPU kernels compute as one.

#[cfg(feature = "flex")]
use backproof_gradcheck::Check;
use backproof_gradcheck::{Arguments, Gradients, Kinks};
use backproof_kernels::{Conv2dShape, LANES, Layer, Parameter, Window};
#[cfg(feature = "flex")]
use backproof_layers::Segment;
use backproof_layers::{Conv2d, Conv2dOptions, MaxPool2d, MaxPool2dOptions, Relu, ReluSaved};
use burn::tensor::Tensor;

use super::windows::tiled;

use crate::compare_gradients::kernels::Stack;
#[cfg(feature = "flex")]
use crate::compare_gradients::kernels::segments_name;
use crate::compare_gradients::subject::{Case, Context, Draw, Layout, extent, shape};

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let by_tiles = draw.once_in(8);
    let groups = if by_tiles { 1 } else { draw.pick(&[1, 1, 1, 2]) };
    // Of more than 16 images some are one thread's together.
    let samples = if draw.once_in(10) { draw.size(17..=19) } else { draw.size(1..=3) };
    let (mut of_group, mut outputs) = (draw.size(1..=3), groups * draw.size(1..=9));
    let (mut kernel, mut stride, window) = (draw.pair(1..=3), draw.pair(1..=2), draw.pair(1..=3));
    let mut padding = kernel.map(|kernel| draw.size(0..=kernel / 2));
    let (step, has_bias, layout) = (draw.pair(1..=2), !draw.once_in(4), draw.layout());
    // After the convolution at least one window is left.
    let rest = draw.pair(0..=4);
    let mut size = [0, 1].map(|axis| (window[axis] - 1) * stride[axis] + kernel[axis] + rest[axis]);
    if by_tiles {
        (of_group, outputs, stride) = (LANES, LANES, [1, 1]);
        [kernel, padding, size] = tiled(draw);
    }
    let dims = [samples, groups * of_group, size[0], size[1]];
    let scale = (1.0 / (of_group * kernel[0] * kernel[1]) as f64).sqrt();
    let (x, weight) = (draw.normal(dims, 1.0), draw.normal([outputs, of_group, kernel[0], kernel[1]], scale));
    let bias = draw.normal([outputs], 0.5);
    // A small one may have no window whose maximum is above zero.
    let check = context.check("segment").input("x", x).expect_zero();
    let check = check.parameter("weight", weight).expect_zero();
    let check = if has_bias { check.parameter("bias", bias).expect_zero() } else { check };
    let about = format!(
        "{} → {outputs} channels, kernel {}, stride {}, padding {}, groups {groups}{}, ReLU, maximum of {} by {}{}",
        shape(&dims),
        extent(kernel),
        extent(stride),
        extent(padding),
        if has_bias { "" } else { ", no bias" },
        extent(window),
        extent(step),
        layout.words(),
    );

    let options = Conv2dOptions { stride, padding, dilation: [1, 1], groups };
    let pool = MaxPool2d::new(MaxPool2dOptions {
        kernel: window,
        stride: step,
        padding: [0, 0],
        dilation: [1, 1],
        ceil_mode: false,
    });
    let layers = Layers { options, pool, has_bias, layout };
    let of_forward = layers.clone();
    let check = check
        .forward_recording(&context.reference, move |t, kinks| of_forward.forward(t, kinks))
        .autodiff(&context.device)
        .source_roundoff(context.unit_roundoff);
    let [of_forward, of_backward] = [layers.clone(), layers.clone()];
    let check = context.manual(
        check,
        move |t| of_forward.forward(t, &Kinks::ignored()),
        move |t| of_backward.backward(t, |saved, _, gradient| Relu.backward(saved, gradient)),
    );

    let shape =
        Conv2dShape { channels: dims[1], input: size, outputs, kernel, stride, padding, dilation: [1, 1], groups };
    let output = layers.pool.output_size(shape.output());
    let window = Window { kernel: window, stride: step, padding: [0, 0], dilation: [1, 1] };
    let of_kernels = vec![Layer::Conv2d { shape, bias: has_bias }, Layer::Relu, Layer::MaxPool2d { window, output }];
    let input = [dims[1], size[0], size[1]];
    #[cfg(feature = "flex")]
    let check = as_one_node(context, check, &layers, input, [outputs, output[0], output[1]], &of_kernels);
    let stack = Stack::new(input, of_kernels).parameter(0, Parameter::Weight, "weight");
    let stack = if has_bias { stack.parameter(0, Parameter::Bias, "bias") } else { stack };
    let check = stack.check(context, check, [samples, outputs, output[0], output[1]]);

    let of_first = layers.clone();
    let check =
        context.mutant(check, "the ReLU is forgotten", move |t| of_first.backward(t, |_, _, gradient| gradient));
    let check = context.mutant(check, "the mask of another batch", move |t| {
        layers.backward(t, |_, features, gradient| {
            let dtype = gradient.dtype();
            gradient * features.flip([0, 1, 2, 3]).greater_elem(0.0).float().cast(dtype)
        })
    });
    Case { about, check }
}

/// The three layers, one after the other.
#[derive(Clone)]
struct Layers {
    options: Conv2dOptions,
    pool: MaxPool2d,
    has_bias: bool,
    layout: Layout,
}

impl Layers {
    fn conv(&self, t: &Arguments<'_>) -> Conv2d {
        Conv2d::new(t.get("weight"), self.has_bias.then(|| t.get("bias")), self.options.clone())
    }

    fn forward(&self, t: &Arguments<'_>, kinks: &Kinks) -> Tensor<4> {
        let features = Relu.forward(self.conv(t).forward(self.layout.place(t.get::<4>("x"))));
        kinks.signs(&features);
        kinks.winners(&self.pool.forward_saving(features.clone()).1.winners);
        self.pool.forward(features)
    }

    /// By hand, with this backward of the ReLU: from what it saved, what came into it, and the gradient of what came out.
    fn backward(&self, t: &Arguments<'_>, relu: impl Fn(ReluSaved<4>, Tensor<4>, Tensor<4>) -> Tensor<4>) -> Gradients {
        let conv = self.conv(t);
        let (features, of_conv) = conv.forward_saving(self.layout.place(t.get::<4>("x")));
        let (rectified, of_relu) = Relu.forward_saving(features.clone());
        let (_, of_pool) = self.pool.forward_saving(rectified);
        let gradient = self.pool.backward(of_pool, self.layout.place(t.cotangent::<4>()));
        let found = conv.backward(of_conv, relu(of_relu, features, gradient));
        let gradients = Gradients::new().with("x", found.input).with("weight", found.weight);
        found.bias.into_iter().fold(gradients, |all, bias| all.with("bias", bias))
    }
}

/// Adds the kernels as one node of autodiff's graph, as training by autodiff uses them.
#[cfg(feature = "flex")]
fn as_one_node(
    context: &Context,
    check: Check<'static>,
    layers: &Layers,
    input: [usize; 3],
    output: [usize; 3],
    of_kernels: &[Layer],
) -> Check<'static> {
    let Some(&isa) = context.kernels.first() else { return check };
    let segment = Segment::new(isa, input, of_kernels.to_vec(), output);
    let of_forward = segment.clone();
    let Layers { has_bias, layout, .. } = *layers;
    check
        .source(&segments_name(isa), &context.device, move |t| {
            let [x, weight] = ["x", "weight"].map(|name| t.get::<4>(name).autodiff().require_grad());
            let bias = has_bias.then(|| t.get::<1>("bias").autodiff().require_grad());
            let output = layout.place(segment.forward(layout.place(x.clone()), weight.clone(), bias.clone()));
            let gradients = (output * t.cotangent::<4>().autodiff()).sum().backward();
            let mut found = Gradients::new();
            for (name, tensor) in [("x", x), ("weight", weight)] {
                found = tensor.grad(&gradients).into_iter().fold(found, |found, gradient| found.with(name, gradient));
            }
            let of_bias = bias.and_then(|bias| bias.grad(&gradients));
            of_bias.into_iter().fold(found, |found, gradient| found.with("bias", gradient))
        })
        .source_forward(&context.device, move |t| {
            let bias = has_bias.then(|| t.get("bias"));
            of_forward.forward(layout.place(t.get("x")), t.get("weight"), bias)
        })
        .source_roundoff(context.unit_roundoff)
}
