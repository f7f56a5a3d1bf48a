//! A body of layers and a shortcut beside it: the three shortcuts, and one residual layer inside of another.

use backproof_compiled::{Operation, Parameter, Shortcut};
use backproof_gradcheck::{Arguments, Gradients, Value};
use backproof_kernels::Conv2dShape;
use backproof_layers::{Conv2d, Conv2dOptions, Layer, Mode, Ranked, Residual, ResidualSaved, Saved, Tanh, ZeroPadding};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::kernels::Stack;
use crate::layer_task::LayerTask;
use crate::subject::{Case, Context, Draw, shape};

/// What is beside the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    ZeroPadding,
    Projection,
    /// The identity, and in the body another residual layer with a projection.
    Nested,
}

/// Shapes and options of a case.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    kind: Kind,
    outputs: usize,
    stride: usize,
    /// Whether tanh is between the convolutions. It has no kernel.
    bent: bool,
}

impl Sizes {
    /// The parameters in the order of the layers.
    fn names(self) -> &'static [&'static str] {
        match self.kind {
            Kind::Identity | Kind::ZeroPadding => &["first", "second"],
            Kind::Projection => &["first", "second", "projection"],
            Kind::Nested => &["first", "projection", "second"],
        }
    }

    /// The numbers of the layers that have these parameters, without tanh.
    fn numbers(self) -> &'static [usize] {
        match self.kind {
            Kind::Identity | Kind::ZeroPadding => &[1, 2],
            Kind::Projection => &[1, 2, 3],
            Kind::Nested => &[2, 3, 4],
        }
    }

    /// The layer. Its body is a 3×3 convolution, tanh or nothing, and a 1×1 convolution.
    fn layer(self, t: &Arguments<'_>) -> Residual {
        let conv = |name: &str, stride: usize| {
            let weight = t.get::<4>(name);
            let padding = weight.dims()[2] / 2;
            let options = Conv2dOptions { stride: [stride; 2], padding: [padding; 2], ..Conv2dOptions::default() };
            Layer::Conv2d(Conv2d::new(weight, None, options))
        };
        let (first, second) = (conv("first", self.stride), conv("second", 1));
        let bent = |layer: Layer| match self.bent {
            true => vec![layer, Layer::Tanh(Tanh)],
            false => vec![layer],
        };
        let body = |first: Layer, second: Layer| [bent(first), vec![second]].concat();
        match self.kind {
            Kind::Identity => Residual::new(body(first, second), vec![], None),
            Kind::ZeroPadding => {
                let padding = ZeroPadding { channels: self.outputs, stride: [self.stride; 2] };
                Residual::new(body(first, second), vec![], Some(padding))
            }
            Kind::Projection => Residual::new(body(first, second), vec![conv("projection", self.stride)], None),
            Kind::Nested => {
                let inner = Residual::new(bent(first), vec![conv("projection", 1)], None);
                Residual::new(body(Layer::Residual(inner), second), vec![], None)
            }
        }
    }

    /// The same on the kernels, without tanh, for images `[C, H, W]`.
    fn stack(self, [channels, height, width]: [usize; 3], inner: usize) -> Stack {
        let conv = |channels: usize, input: [usize; 2], outputs: usize, kernel: usize, stride: usize| {
            let shape = Conv2dShape {
                channels,
                input,
                outputs,
                kernel: [kernel; 2],
                stride: [stride; 2],
                padding: [kernel / 2; 2],
                dilation: [1, 1],
                groups: 1,
            };
            Operation::Conv2d { shape, bias: false }
        };
        let size = [height, width];
        let narrow = size.map(|size| size.div_ceil(self.stride));
        let first = conv(channels, size, inner, 3, self.stride);
        let second = conv(inner, narrow, self.outputs, 1, 1);
        let (body, shortcut) = match self.kind {
            Kind::Identity => (vec![first, second], Shortcut::Identity),
            Kind::ZeroPadding => {
                (vec![first, second], Shortcut::Pixels { channels: self.outputs, stride: [self.stride; 2] })
            }
            Kind::Projection => {
                (vec![first, second], Shortcut::Operations(vec![conv(channels, size, self.outputs, 1, self.stride)]))
            }
            Kind::Nested => {
                let shortcut = Shortcut::Operations(vec![conv(channels, size, inner, 1, 1)]);
                (vec![Operation::Residual { body: vec![first], shortcut }, second], Shortcut::Identity)
            }
        };
        let stack = Stack::new([channels, height, width], vec![Operation::Residual { body, shortcut }]);
        let parameters = self.names().iter().zip(self.numbers());
        parameters.fold(stack, |stack, (name, &number)| stack.parameter(number, Parameter::Weight, name))
    }
}

const MODE: Mode = Mode::Inference;

/// The layer after a forward pass, and the gradient that comes in.
fn forward(sizes: Sizes, t: &Arguments<'_>) -> (Residual, ResidualSaved, Tensor<4>) {
    let layer = sizes.layer(t);
    let chain = |layers: &[Layer], _: usize, input| {
        layers.iter().fold((input, Vec::new()), |(features, mut kept), layer| {
            let (output, saved) = layer.forward_saving(features, MODE);
            kept.push(saved);
            (output, kept)
        })
    };
    let (_, saved) = layer.forward_saving_by(Ranked::Images(t.get::<4>("x")), chain);
    (layer, saved, t.cotangent::<4>())
}

/// The gradients of the parameters by their names.
struct ByName<'g> {
    registered: &'g GradientsParams,
    names: std::slice::Iter<'static, &'static str>,
    found: Gradients,
}

impl ModuleVisitor for ByName<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let name = self.names.next().expect("a name for each parameter");
        if let Some(gradient) = self.registered.get::<D>(parameter.id) {
            self.found = std::mem::take(&mut self.found).with(name, gradient);
        }
    }
}

fn by_name(sizes: Sizes, layer: &Residual, registered: &GradientsParams, x: Tensor<4>) -> Gradients {
    let mut visitor = ByName { registered, names: sizes.names().iter(), found: Gradients::new().with("x", x) };
    layer.visit(&mut visitor);
    visitor.found
}

/// The gradient of the input through some layers.
fn through(layers: &[Layer], saved: Vec<Saved>, g: Tensor<4>, gradients: &mut GradientsParams) -> Tensor<4> {
    let pairs = layers.iter().zip(saved).rev();
    pairs.fold(Ranked::Images(g), |g, (layer, saved)| layer.backward(saved, g, gradients)).images()
}

/// The gradients with those of the input through the body and through the shortcut put together by `join`. The body is
/// given the output's gradient times `factor`, and the shortcut gets it times `beside`.
fn joined(
    sizes: Sizes,
    t: &Arguments<'_>,
    [factor, beside]: [f64; 2],
    join: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<4>,
) -> Gradients {
    let (layer, saved, g) = forward(sizes, t);
    let mut registered = GradientsParams::new();
    let images = saved.images.expect("the input is images");
    let body = through(&layer.body, saved.body, g.clone() * factor, &mut registered);
    let shortcut = match &layer.padding {
        Some(padding) => padding.backward(images, g * beside),
        None => through(&layer.shortcut, saved.shortcut, g * beside, &mut registered),
    };
    by_name(sizes, &layer, &registered, join(body, shortcut))
}

/// It is made of layers that have exercises.
pub(super) const TASK: Option<LayerTask> = None;

pub(super) fn case(context: &Context, draw: &mut Draw) -> Case {
    let kind = draw.pick(&[Kind::Identity, Kind::ZeroPadding, Kind::Projection, Kind::Nested]);
    let [samples, channels, inner] = [draw.size(1..=3), draw.channels(1..=3), draw.size(1..=3)];
    let size = draw.pair(2..=5);
    let widens = matches!(kind, Kind::ZeroPadding | Kind::Projection);
    let (stride, more) = if widens { (draw.size(1..=2), draw.size(0..=2)) } else { (1, 0) };
    let outputs = channels + more;
    let bent = draw.once_in(2);
    let sizes = Sizes { kind, outputs, stride, bent };
    let dims = [samples, channels, size[0], size[1]];
    let scale = |inputs: usize| (1.0 / inputs as f64).sqrt();
    let projected = if kind == Kind::Nested { inner } else { outputs };
    let mut check = context
        .check("residual")
        .input("x", draw.normal(dims, 1.0))
        .parameter("first", draw.normal([inner, channels, 3, 3], scale(9 * channels)))
        .parameter("second", draw.normal([outputs, inner, 1, 1], scale(inner)));
    if matches!(kind, Kind::Projection | Kind::Nested) {
        check = check.parameter("projection", draw.normal([projected, channels, 1, 1], scale(channels)));
    }
    let run = move |t: &Arguments<'_>| {
        let chain = |layers: &[Layer], _: usize, input| {
            layers.iter().fold(input, |features, layer| layer.forward(features, MODE))
        };
        sizes.layer(t).forward_by(Ranked::Images(t.get::<4>("x")), chain).images()
    };
    let check = context.autodiff(check, run);
    let check = context.manual(check, run, move |t| {
        let (layer, saved, g) = forward(sizes, t);
        let mut registered = GradientsParams::new();
        let x = layer.backward(saved, Ranked::Images(g), &mut registered).images();
        by_name(sizes, &layer, &registered, x)
    });

    let [rows, columns] = size.map(|size| size.div_ceil(stride));
    let output = [samples, outputs, rows, columns];
    let stack = (!bent).then(|| sizes.stack([channels, size[0], size[1]], inner));
    let check = match stack {
        Some(stack) => stack.check(context, check, output),
        None => check,
    };

    let mutant = |check, name: &str, factors: [f64; 2], join: fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
        context.mutant(check, name, move |t| joined(sizes, t, factors, join))
    };
    let check = mutant(check, "the gradient through the shortcut is lost", [1.0; 2], |body, _| body);
    let check =
        mutant(check, "the gradient through the shortcut counts twice", [1.0, 2.0], |body, beside| body + beside);
    let check = mutant(check, "the gradient through the body is lost", [1.0; 2], |_, beside| beside);
    let check = mutant(check, "the gradient through the body counts twice", [2.0, 1.0], |body, beside| body + beside);
    let check = mutant(check, "each branch gets half of the gradient", [0.5; 2], |body, beside| body + beside);
    let check = mutant(check, "the branches are subtracted", [1.0, -1.0], |body, beside| body + beside);
    let check = match kind {
        Kind::ZeroPadding => of_zero_padding(context, check, sizes),
        Kind::Nested => context.mutant(check, "the gradient through the inner shortcut is lost", move |t| {
            let (layer, mut saved, g) = forward(sizes, t);
            let mut registered = GradientsParams::new();
            let inner_saved = saved.body.remove(0);
            let g_inner = through(&layer.body[1..], saved.body, g.clone(), &mut registered);
            let x = match (&layer.body[0], inner_saved) {
                (Layer::Residual(inner), Saved::Residual(saved)) => {
                    through(&inner.body, saved.body, g_inner, &mut registered)
                }
                _ => unreachable!("the first layer of the body is residual"),
            };
            Gradients::new().with("x", x + g)
        }),
        _ => check,
    };
    let words = match kind {
        Kind::Identity => "identity",
        Kind::ZeroPadding => "zero padding",
        Kind::Projection => "projection",
        Kind::Nested => "one in another",
    };
    let bent = if bent { ", tanh" } else { "" };
    let about = format!("{} → {outputs} by {inner}, {words}, stride {stride}{bent}", shape(&dims));
    Case { about, check }
}

/// Ways to get the zero padding wrong.
fn of_zero_padding(
    context: &Context,
    check: backproof_gradcheck::Check<'static>,
    sizes: Sizes,
) -> backproof_gradcheck::Check<'static> {
    /// The gradient of the input, with that of the shortcut at pixel `place(u, v)` of the channel `channel(c)`.
    fn placed(
        sizes: Sizes,
        t: &Arguments<'_>,
        place: impl Fn([usize; 2]) -> Option<[usize; 2]>,
        channel: impl Fn(usize, usize) -> usize,
    ) -> Gradients {
        let (x, g) = (t.value("x").dims().to_vec(), t.cotangent_value());
        let [_, outputs, rows, columns] = *g.dims() else { unreachable!("images") };
        let of_pixel = |index: usize| {
            let (v, u, c) = (index % x[3], index / x[3] % x[2], index / (x[2] * x[3]) % x[1]);
            let n = index / (x[1] * x[2] * x[3]);
            let Some([i, j]) = place([u, v]).filter(|&[i, j]| i < rows && j < columns) else { return 0.0 };
            g.data()[((n * outputs + channel(c, outputs - x[1])) * rows + i) * columns + j]
        };
        let beside = Value::new(x.clone(), (0..x.iter().product()).map(of_pixel).collect());
        let beside = beside.tensor::<4>(t.device(), t.dtype());
        joined(sizes, t, [1.0; 2], move |body, _| body + beside.clone())
    }
    let Sizes { stride, .. } = sizes;
    let at = move |[u, v]: [usize; 2], offset: usize| {
        let along = |at: usize| at.checked_sub(offset).filter(|at| at % stride == 0).map(|at| at / stride);
        Some([along(u)?, along(v)?])
    };
    let first = |c: usize, _: usize| c;
    let check = context.mutant(check, "the shortcut's gradient lies one pixel further", move |t| {
        placed(sizes, t, |pixel| at(pixel, 1), first)
    });
    let check = context.mutant(check, "the shortcut's gradient goes to all pixels of a stride", move |t| {
        placed(sizes, t, |[u, v]| Some([u / stride, v / stride]), first)
    });
    let check = context
        .mutant(check, "the shortcut's gradient lies in the first pixels", move |t| placed(sizes, t, Some, first));
    context.mutant(check, "the channels of zeros are taken for the first ones", move |t| {
        placed(sizes, t, |pixel| at(pixel, 0), |c, more| c + more)
    })
}
