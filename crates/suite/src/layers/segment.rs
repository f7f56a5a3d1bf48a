//! A convolution with what follows it, ReLU, maximum, and at times batch normalisation and dropout, which the CPU
//! kernels compute as one.

use backproof_compiled::{Operation, Parameter};
#[cfg(feature = "flex")]
use backproof_compiled::{Segment, SegmentParameters};
#[cfg(feature = "flex")]
use backproof_gradcheck::Check;
use backproof_gradcheck::{Arguments, Gradients, Kinks, Value};
use backproof_kernels::{Conv2dShape, LANES, Window};
use backproof_layers::{
    BatchNorm, BatchNormSaved, Conv2d, Conv2dOptions, Dropout, MaxPool2d, MaxPool2dOptions, Mode, Relu, ReluSaved,
};
use burn::tensor::Tensor;

use super::windows::tiled;

use crate::kernels::Stack;
#[cfg(feature = "flex")]
use crate::kernels::{segments_name, with_gradient};
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, Layout, extent, shape};

/// Large enough that a channel in which hardly anything is above zero is no ill-conditioned one.
const EPSILON: f64 = 1e-2;
const MOMENTUM: f64 = 0.1;
const TRAINING: Mode = Mode::Training { dropout_seed: [0; 32] };

/// It is made of layers that have exercises.
pub(super) const TASK: Option<LayerTask> = None;

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let by_tiles = draw.once_in(8);
    let groups = if by_tiles { 1 } else { draw.pick(&[1, 1, 1, 2]) };
    // Of more than 16 images some are one thread's together.
    let norm = draw.pick(&[None, None, Some(NormPosition::BeforeRelu), Some(NormPosition::AfterRelu)]);
    let least = if norm.is_some() { 3 } else { 1 };
    let samples = if draw.once_in(10) { draw.size(17..=19) } else { draw.size(least..=least + 2) };
    let (mut of_group, mut outputs) = (draw.size(1..=3), groups * draw.size(1..=9));
    let (mut kernel, mut stride, window) = (draw.pair(1..=3), draw.pair(1..=2), draw.pair(1..=3));
    let mut padding = kernel.map(|kernel| draw.size(0..=kernel / 2));
    let (step, layout) = (draw.pair(1..=2), draw.layout());
    // A bias in front of a normalisation changes nothing.
    let has_bias = !draw.once_in(4) && norm != Some(NormPosition::BeforeRelu);
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
    let positive = Value::new([outputs], (0..outputs).map(|_| draw.real(0.3..2.0)).collect());
    let beta = draw.normal([outputs], 1.0);
    let check = match norm {
        Some(_) => check.parameter("gamma", positive).expect_zero().parameter("beta", beta).expect_zero(),
        None => check,
    };
    let dropout = draw.once_in(3).then(|| (Dropout::new(draw.real(0.05..0.6)), [(draw.seed() % 251) as u8; 32]));
    let about = format!(
        "{} → {}, kernel {}, stride {}, padding {}, groups {groups}{}{}, maximum of {} by {}{}{}",
        shape(&dims),
        backproof_spec::counted(outputs, "channel"),
        extent(kernel),
        extent(stride),
        extent(padding),
        if has_bias { "" } else { ", no bias" },
        match norm {
            None => ", ReLU",
            Some(NormPosition::BeforeRelu) => ", batch normalisation, ReLU",
            Some(NormPosition::AfterRelu) => ", ReLU, batch normalisation",
        },
        extent(window),
        extent(step),
        if dropout.is_some() { ", dropout" } else { "" },
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
    let layers = Layers { options, pool, has_bias, norm, dropout, layout };
    let of_forward = layers.clone();
    let check = context
        .at_point(check)
        .forward_recording(&context.reference, move |t, kinks| of_forward.forward(t, kinks))
        .autodiff(&context.autodiff_device())
        .source_roundoff(context.unit_roundoff);
    let [of_forward, of_backward] = [layers.clone(), layers.clone()];
    let check = context.manual(
        check,
        move |t| of_forward.forward(t, &Kinks::ignored()),
        move |t| of_backward.backward(t, |saved, _, gradient| Relu::default().backward(saved, gradient)),
    );

    let shape =
        Conv2dShape { channels: dims[1], input: size, outputs, kernel, stride, padding, dilation: [1, 1], groups };
    let output = layers.pool.output_size(shape.output());
    let window = Window { kernel: window, stride: step, padding: [0, 0], dilation: [1, 1] };
    let of_kernels =
        layers.of_kernels(Operation::Conv2d { shape, bias: has_bias }, Operation::MaxPool2d { window, output });
    let input = [dims[1], size[0], size[1]];
    #[cfg(feature = "flex")]
    let check = as_one_node(context, check, &layers, input, [outputs, output[0], output[1]], &of_kernels);
    let position = of_kernels.iter().position(|layer| matches!(layer, Operation::BatchNorm { .. }));
    let stack = Stack::new(input, of_kernels).parameter(0, Parameter::Weight, "weight");
    let stack = if has_bias { stack.parameter(0, Parameter::Bias, "bias") } else { stack };
    let stack = match position {
        Some(position) => {
            stack.parameter(position, Parameter::Weight, "gamma").parameter(position, Parameter::Bias, "beta")
        }
        None => stack,
    };
    let stack = match layers.dropout.clone() {
        Some((dropout, seed)) => stack.mask(move |first, mask| dropout.write_mask(seed, first, mask)),
        None => stack,
    };
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

/// Where the batch normalisation is.
#[derive(Clone, Copy, PartialEq)]
enum NormPosition {
    BeforeRelu,
    AfterRelu,
}

/// The layers, one after the other.
#[derive(Clone)]
struct Layers {
    options: Conv2dOptions,
    pool: MaxPool2d,
    has_bias: bool,
    norm: Option<NormPosition>,
    dropout: Option<(Dropout, [u8; 32])>,
    layout: Layout,
}

impl Layers {
    fn conv(&self, t: &Arguments<'_>) -> Conv2d {
        Conv2d::new(t.get("weight"), self.has_bias.then(|| t.get("bias")), self.options.clone())
    }

    /// The normalisation, if it is at this position. It is made anew for each pass, which moves its running statistics.
    fn norm(&self, t: &Arguments<'_>, position: NormPosition) -> Option<BatchNorm> {
        (self.norm == Some(position)).then(|| BatchNorm::new(t.get("gamma"), t.get("beta"), EPSILON, MOMENTUM))
    }

    fn of_kernels(&self, conv: Operation, pool: Operation) -> Vec<Operation> {
        let norm = |position| {
            (self.norm == Some(position)).then_some(Operation::BatchNorm {
                epsilon: EPSILON,
                momentum: MOMENTUM,
                scale: true,
                shift: true,
            })
        };
        let [before, after] = [NormPosition::BeforeRelu, NormPosition::AfterRelu].map(norm);
        let dropout = self.dropout.as_ref().map(|_| Operation::Dropout);
        [Some(conv), before, Some(Operation::Relu), after, Some(pool), dropout].into_iter().flatten().collect()
    }

    fn forward(&self, t: &Arguments<'_>, kinks: &Kinks) -> Tensor<4> {
        let mut features = self.conv(t).forward(self.layout.arrange(t.get::<4>("x")));
        if let Some(norm) = self.norm(t, NormPosition::BeforeRelu) {
            features = norm.forward(features, TRAINING);
        }
        features = Relu::default().forward(features);
        kinks.signs(&features);
        if let Some(norm) = self.norm(t, NormPosition::AfterRelu) {
            features = norm.forward(features, TRAINING);
        }
        kinks.argmax(&self.pool.forward_saving(features.clone()).1.argmax);
        features = self.pool.forward(features);
        match &self.dropout {
            Some((dropout, seed)) => dropout.forward(features, Mode::Training { dropout_seed: *seed }),
            None => features,
        }
    }

    /// By hand, with this backward of the ReLU: from what it saved, what came into it, and the gradient of what came
    /// out.
    fn backward(&self, t: &Arguments<'_>, relu: impl Fn(ReluSaved<4>, Tensor<4>, Tensor<4>) -> Tensor<4>) -> Gradients {
        let conv = self.conv(t);
        let (mut features, of_conv) = conv.forward_saving(self.layout.arrange(t.get::<4>("x")));
        let before = self.norm(t, NormPosition::BeforeRelu).map(|norm| {
            let (output, saved) = norm.forward_saving(features.clone(), TRAINING);
            features = output;
            (norm, saved)
        });
        let (mut activated, of_relu) = Relu::default().forward_saving(features.clone());
        let after = self.norm(t, NormPosition::AfterRelu).map(|norm| {
            let (output, saved) = norm.forward_saving(activated.clone(), TRAINING);
            activated = output;
            (norm, saved)
        });
        let (pooled, of_pool) = self.pool.forward_saving(activated);

        let mut gradient = self.layout.arrange(t.cotangent::<4>());
        if let Some((dropout, seed)) = &self.dropout {
            let (_, saved) = dropout.forward_saving(pooled, Mode::Training { dropout_seed: *seed });
            gradient = dropout.backward(saved, gradient);
        }
        gradient = self.pool.backward(of_pool, gradient);
        let mut found = Gradients::new();
        let mut through = |norm: Option<(BatchNorm, BatchNormSaved<4>)>, gradient| match norm {
            None => gradient,
            Some((norm, saved)) => {
                let of_norm = norm.backward(saved, gradient);
                found = std::mem::take(&mut found).with("gamma", of_norm.gamma).with("beta", of_norm.beta);
                of_norm.input
            }
        };
        gradient = through(after, gradient);
        gradient = relu(of_relu, features, gradient);
        gradient = through(before, gradient);
        let of_conv = conv.backward(of_conv, gradient);
        let found = found.with("x", of_conv.input).with("weight", of_conv.weight);
        of_conv.bias.into_iter().fold(found, |all, bias| all.with("bias", bias))
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
    of_kernels: &[Operation],
) -> Check<'static> {
    let Some(&isa) = context.kernels.first() else { return check };
    let segment = Segment::new(isa, input, of_kernels.to_vec(), output);
    let of_forward = segment.clone();
    let [layers, plain] = [layers.clone(), layers.clone()];
    check
        .source(&segments_name(isa), &context.device, move |t| {
            let [x, weight] = ["x", "weight"].map(|name| t.get::<4>(name).autodiff().require_grad());
            let vector = |name: &str| t.get::<1>(name).autodiff().require_grad();
            let bias = layers.has_bias.then(|| vector("bias"));
            let norm = layers.norm.map(|_| BatchNorm::new(vector("gamma"), vector("beta"), EPSILON, MOMENTUM));
            let parameters = layers.parameters(weight.clone(), bias.clone(), norm.as_ref());
            let output = layers.layout.arrange(segment.forward(layers.layout.arrange(x.clone()), parameters));
            let gradients = (output * t.cotangent::<4>().autodiff()).sum().backward();
            let found = with_gradient(Gradients::new(), "x", &x, &gradients);
            let found = with_gradient(found, "weight", &weight, &gradients);
            let of_norm = norm.map(|norm| {
                [("gamma", norm.gamma), ("beta", norm.beta)].map(|(name, of)| (name, of.expect("it has one").val()))
            });
            let vectors = bias.map(|bias| ("bias", bias)).into_iter().chain(of_norm.into_iter().flatten());
            vectors.fold(found, |found, (name, vector)| with_gradient(found, name, &vector, &gradients))
        })
        .source_forward(&context.device, move |t| {
            let norm = plain.norm.map(|_| BatchNorm::new(t.get("gamma"), t.get("beta"), EPSILON, MOMENTUM));
            let bias = plain.has_bias.then(|| t.get("bias"));
            let parameters = plain.parameters(t.get("weight"), bias, norm.as_ref());
            of_forward.forward(plain.layout.arrange(t.get("x")), parameters)
        })
        .source_roundoff(context.unit_roundoff)
}

#[cfg(feature = "flex")]
impl Layers {
    fn parameters(&self, weight: Tensor<4>, bias: Option<Tensor<1>>, norm: Option<&BatchNorm>) -> SegmentParameters {
        let mask = self.dropout.as_ref().map(|(dropout, seed)| dropout.in_segment(*seed));
        SegmentParameters { weight, bias, normalization: norm.map(BatchNorm::in_segment), mask }
    }
}
