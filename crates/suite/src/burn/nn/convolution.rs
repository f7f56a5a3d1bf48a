//! Convolutions as modules, which know paddings that their operations do not: one that keeps the size, and unequal
//! ones.

use backproof_gradcheck::Value;
use burn::module::Module;
use burn::nn::conv::{
    Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig, ConvTranspose3dConfig,
    DeformConv2dConfig,
};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::burn::convolution::{assert_groups_divide, uncropped_by_groups};
use crate::burn::maker::{Maker, subject};
use crate::burn::window::Windows;
use crate::subject::{Case, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "Conv1d", |mut m| {
        let (windows, groups, bias) = (Windows::<1>::draw(&mut m, 5), 1, m.draw.once_in(2));
        let ([inputs, outputs], [same]) = (m.draw.pair(1..=2), [m.draw.once_in(3)]);
        let padding = match same {
            true => PaddingConfig1d::Same,
            false => PaddingConfig1d::Explicit(windows.padding[0], windows.padding[0] + m.draw.size(0..=1)),
        };
        let options = words(&windows, groups, bias, &padding);
        let config = Conv1dConfig::new(inputs * groups, outputs * groups, windows.kernel[0]).with_groups(groups);
        let config = config.with_stride(windows.stride[0]).with_bias(bias).with_padding(padding);
        let module = config.with_dilation(dilation(&windows, same)[0]).init(&m.context.reference);
        let dims = [m.draw.size(1..=2), inputs * groups, windows.image[0]];
        let x = m.draw.normal(dims, 1.0);
        in_full(m, &options, x, module, |conv, x: Tensor<3>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "Conv1d_groups", grouped),
    subject!(smooth "Conv2d", |mut m| {
        let (windows, groups, bias) = drawn::<2>(&mut m, 2);
        let ([inputs, outputs], same) = (m.draw.pair(1..=2), m.draw.once_in(3));
        let padding = padding_2d(&mut m, &windows, same);
        let options = words(&windows, groups, bias, &padding);
        let config = Conv2dConfig::new([inputs * groups, outputs * groups], windows.kernel).with_groups(groups);
        let config = config.with_stride(windows.stride).with_bias(bias).with_padding(padding);
        let module = config.with_dilation(dilation(&windows, same)).init(&m.context.reference);
        let dims = [m.draw.size(1..=2), inputs * groups, windows.image[0], windows.image[1]];
        let x = m.draw.normal(dims, 1.0);
        in_full(m, &options, x, module, |conv, x: Tensor<4>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "Conv3d", |mut m| {
        let (mut windows, groups, bias) = drawn::<3>(&mut m, 1);
        let ([inputs, outputs], same) = (m.draw.pair(1..=2), m.draw.once_in(3));
        let padding = match same {
            true => {
                // It is for odd kernels and a stride of 1.
                (windows.kernel, windows.stride) = ([3, 1, 3], [1; 3]);
                PaddingConfig3d::Same
            }
            false => PaddingConfig3d::Explicit(windows.padding[0], windows.padding[1], windows.padding[2]),
        };
        let options = words(&windows, groups, bias, &padding);
        let config = Conv3dConfig::new([inputs * groups, outputs * groups], windows.kernel).with_groups(groups);
        let config = config.with_stride(windows.stride).with_bias(bias).with_padding(padding);
        let module = config.with_dilation(dilation(&windows, same)).init(&m.context.reference);
        let dims = [1, inputs * groups, windows.image[0], windows.image[1], windows.image[2]];
        let x = m.draw.normal(dims, 1.0);
        in_full(m, &options, x, module, |conv, x: Tensor<5>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "ConvTranspose1d", |mut m| {
        let (windows, groups, bias) = transposed::<1>(&mut m, 2);
        let ([inputs, outputs], [out]) = (m.draw.pair(1..=2), more(&mut m, &windows));
        let options = words(&windows, groups, bias, &format!("{out} more out"));
        let config = ConvTranspose1dConfig::new([inputs * groups, outputs * groups], windows.kernel[0]);
        let config = config.with_groups(groups).with_stride(windows.stride[0]).with_dilation(windows.dilation[0]);
        let config = config.with_padding(windows.padding[0]).with_padding_out(out).with_bias(bias);
        let dims = [m.draw.size(1..=2), inputs * groups, windows.image[0]];
        let (x, module) = (m.draw.normal(dims, 1.0), config.init(&m.context.reference));
        in_full(m, &options, x, module, |conv, x: Tensor<3>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "ConvTranspose2d", |mut m| {
        let (windows, groups, bias) = transposed::<2>(&mut m, 1);
        let ([inputs, outputs], out) = (m.draw.pair(1..=2), more(&mut m, &windows));
        let options = words(&windows, groups, bias, &format!("{out:?} more out"));
        let config = ConvTranspose2dConfig::new([inputs * groups, outputs * groups], windows.kernel);
        let config = config.with_groups(groups).with_stride(windows.stride).with_dilation(windows.dilation);
        let config = config.with_padding(windows.padding).with_padding_out(out).with_bias(bias);
        let [height, width] = windows.image;
        let dims = [m.draw.size(1..=2), inputs * groups, height, width];
        let (x, module) = (m.draw.normal(dims, 1.0), config.init(&m.context.reference));
        in_full(m, &options, x, module, |conv, x: Tensor<4>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "ConvTranspose3d", |mut m| {
        let (windows, groups, bias) = transposed::<3>(&mut m, 0);
        let ([inputs, outputs], out) = (m.draw.pair(1..=2), more(&mut m, &windows));
        let options = words(&windows, groups, bias, &format!("{out:?} more out"));
        let config = ConvTranspose3dConfig::new([inputs * groups, outputs * groups], windows.kernel);
        let config = config.with_groups(groups).with_stride(windows.stride).with_dilation(windows.dilation);
        let config = config.with_padding(windows.padding).with_padding_out(out).with_bias(bias);
        let [depth, height, width] = windows.image.map(|size| size.min(2));
        let dims = [1, inputs * groups, depth, height, width];
        let (x, module) = (m.draw.normal(dims, 1.0), config.init(&m.context.reference));
        in_full(m, &options, x, module, |conv, x: Tensor<5>| {
            assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
            conv.forward(x)
        })
    }),
    subject!(smooth "DeformConv2d", deform),
];

/// Windows of a transposed convolution: no more padding than the output has to give.
fn transposed<const N: usize>(m: &mut Maker<'_>, larger: usize) -> (Windows<N>, usize, bool) {
    let (mut windows, groups, bias) = drawn::<N>(m, larger);
    for axis in 0..N {
        windows.image[axis] = windows.image[axis].min(3);
        // The middle of a window stays, if it has one.
        let middle = if windows.kernel[axis] == 3 { windows.dilation[axis] } else { 0 };
        windows.padding[axis] = windows.padding[axis].min(middle);
    }
    (windows, groups, bias)
}

fn drawn<const N: usize>(m: &mut Maker<'_>, larger: usize) -> (Windows<N>, usize, bool) {
    (Windows::draw(m, larger), m.draw.pick(&[1, 1, 2]), m.draw.once_in(2))
}

/// The padding that keeps the size is made for kernels without dilation.
fn dilation<const N: usize>(windows: &Windows<N>, same: bool) -> [usize; N] {
    if same { [1; N] } else { windows.dilation }
}

fn padding_2d(m: &mut Maker<'_>, windows: &Windows<2>, same: bool) -> PaddingConfig2d {
    let ([top, left], [down, right]) = (windows.padding, m.draw.pair(0..=1));
    match same {
        true => PaddingConfig2d::Same,
        false => PaddingConfig2d::Explicit(top, left, top + down, left + right),
    }
}

/// Positions at the end of a transposed convolution: fewer than a stride or a dilation.
fn more<const N: usize>(m: &mut Maker<'_>, windows: &Windows<N>) -> [usize; N] {
    std::array::from_fn(|axis| m.draw.size(0..=windows.stride[axis].max(windows.dilation[axis]) - 1))
}

fn words<const N: usize>(windows: &Windows<N>, groups: usize, bias: bool, padding: &impl std::fmt::Debug) -> String {
    let with = if bias { ", with bias" } else { "" };
    format!("{}, {}{with}, {padding:?}", windows.words(), backproof_spec::counted(groups, "group"))
}

/// Strides leave so few numbers with a gradient that a choice could miss them.
fn in_full<M: Module + 'static, const D: usize, const E: usize>(
    mut m: Maker<'_>,
    options: &str,
    x: Value,
    module: M,
    forward: impl Fn(&M, Tensor<D>) -> Tensor<E> + 'static,
) -> Case {
    let full = x.len().max(256);
    let case = m.module(options, x, module, forward);
    let options = backproof_gradcheck::Options { full, ..m.options() };
    Case { check: case.check.options(options), ..case }
}

fn deform(mut m: Maker<'_>) -> Case {
    let mut windows = Windows::<2>::draw(&mut m, 1);
    windows.kernel = windows.kernel.map(|size| size.min(2));
    let outputs = [windows.count(0), windows.count(1)];
    let (groups, offset_groups, masked) = (m.draw.pick(&[1, 2]), m.draw.pick(&[1, 2]), m.draw.once_in(2));
    let taps = windows.kernel[0] * windows.kernel[1];
    let [top, left] = windows.padding;
    let config = DeformConv2dConfig::new([2, 2], windows.kernel).with_weight_groups(groups);
    let config = config.with_offset_groups(offset_groups).with_stride(windows.stride).with_dilation(windows.dilation);
    let module = config.with_padding(PaddingConfig2d::Explicit(top, left, top, left)).init(&m.context.reference);
    let x = m.draw.normal([1, 2, windows.image[0], windows.image[1]], 1.0);
    let about = format!(
        "{}, {}, {}, {offset_groups} of offsets",
        shape(x.dims()),
        windows.words(),
        backproof_spec::counted(groups, "group")
    );
    // A fifth of a pixel from the next one at least: there the slope of the interpolation changes.
    let offset = m.signed([1, 2 * offset_groups * taps, outputs[0], outputs[1]], 0.2..0.8);
    let mut check = m.check().input("x", x).input("offset", offset);
    if masked {
        check = check.input("mask", m.uniform([1, offset_groups * taps, outputs[0], outputs[1]], 0.2..1.0));
    }
    let (check, placed) = Placed::new(m.draw, check, module);
    m.case(about, check, move |t| placed.at(t).forward(t.get("x"), t.get("offset"), masked.then(|| t.get("mask"))))
}

/// By itself, for a fault of the operation.
fn grouped(mut m: Maker<'_>) -> Case {
    let (windows, groups, bias) = (Windows::<1>::draw(&mut m, 5), m.draw.pick(&[2, 3]), m.draw.once_in(2));
    let [inputs, outputs] = m.draw.pair(1..=2);
    let padding = PaddingConfig1d::Explicit(windows.padding[0], windows.padding[0]);
    let options = words(&windows, groups, bias, &padding);
    let config = Conv1dConfig::new(inputs * groups, outputs * groups, windows.kernel[0]).with_groups(groups);
    let config = config.with_stride(windows.stride[0]).with_bias(bias).with_padding(padding);
    let module = config.with_dilation(windows.dilation[0]).init(&m.context.reference);
    let dims = [m.draw.size(1..=2), inputs * groups, windows.image[0]];
    let x = m.draw.normal(dims, 1.0);
    let context = m.context;
    let case = in_full(m, &options, x, module, |conv, x: Tensor<3>| {
        assert_groups_divide(conv.groups, &x.dims(), &conv.weight.dims());
        conv.forward(x)
    });
    Case { check: uncropped_by_groups(context, case.check, windows, groups), ..case }
}
