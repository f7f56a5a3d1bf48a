//! Pooling and resampling as modules: with paddings that keep the size, and unequal ones.

use burn::nn::interpolate::{Interpolate1dConfig, Interpolate2dConfig, InterpolateMode};
use burn::nn::pool::{
    AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AdaptiveAvgPool3dConfig, AvgPool1dConfig, AvgPool2dConfig,
    MaxPool1dConfig, MaxPool2dConfig,
};
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::Tensor;

use crate::burn::maker::{Maker, subject};
use crate::subject::{Case, Subject, extent};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("MaxPool1d", |mut m| {
        let ([kernel], stride, dilation) = ([m.draw.size(2..=3)], m.draw.size(1..=3), m.draw.size(1..=2));
        let (padding, ceil_mode) = (padding_1d(&mut m), m.draw.once_in(2));
        let dilation = if padding == PaddingConfig1d::Same { 1 } else { dilation };
        let options = format!("kernel {kernel}, stride {stride}, dilation {dilation}, {padding:?}, ceil {ceil_mode}");
        let config = MaxPool1dConfig::new(kernel).with_stride(stride).with_padding(padding).with_dilation(dilation);
        let (module, dims) = (config.with_ceil_mode(ceil_mode).init(), [m.draw.size(1..=2), 2, m.draw.size(5..=8)]);
        let x = m.distinct(dims);
        m.module(&options, x, module, |pool, x: Tensor<3>| pool.forward(x))
    }),
    subject!("MaxPool2d", |mut m| {
        let (kernel, strides, dilation) = (m.draw.pair(2..=3), m.draw.pair(1..=3), m.draw.pair(1..=2));
        let (padding, ceil_mode) = (padding_2d(&mut m), m.draw.once_in(2));
        let dilation = if padding == PaddingConfig2d::Same { [1, 1] } else { dilation };
        let options =
            format!("kernel {kernel:?}, stride {strides:?}, dilation {dilation:?}, {padding:?}, ceil {ceil_mode}");
        let config = MaxPool2dConfig::new(kernel).with_strides(strides).with_padding(padding).with_dilation(dilation);
        let (module, dims) = (config.with_ceil_mode(ceil_mode).init(), [1, 2, m.draw.size(5..=6), m.draw.size(5..=7)]);
        let x = m.distinct(dims);
        m.module(&options, x, module, |pool, x: Tensor<4>| pool.forward(x))
    }),
    subject!(smooth "AvgPool1d", |mut m| {
        let ([kernel], stride) = ([m.draw.size(2..=3)], m.draw.size(1..=3));
        let (padding, ceil_mode, counts) = (padding_1d(&mut m), m.draw.once_in(2), m.draw.once_in(2));
        let options = format!("kernel {kernel}, stride {stride}, {padding:?}, ceil {ceil_mode}, padding counts {counts}");
        let config = AvgPool1dConfig::new(kernel).with_stride(stride).with_padding(padding);
        let module = config.with_ceil_mode(ceil_mode).with_count_include_pad(counts).init();
        let dims = [m.draw.size(1..=2), 2, m.draw.size(3..=7)];
        let x = m.draw.normal(dims, 1.0);
        m.module(&options, x, module, |pool, x: Tensor<3>| pool.forward(x))
    }),
    subject!(smooth "AvgPool2d", |mut m| {
        let (kernel, strides) = (m.draw.pair(2..=3), m.draw.pair(1..=3));
        let (padding, ceil_mode, counts) = (padding_2d(&mut m), m.draw.once_in(2), m.draw.once_in(2));
        let options = format!("kernel {kernel:?}, stride {strides:?}, {padding:?}, ceil {ceil_mode}, padding counts {counts}");
        let config = AvgPool2dConfig::new(kernel).with_strides(strides).with_padding(padding);
        let module = config.with_ceil_mode(ceil_mode).with_count_include_pad(counts).init();
        let dims = [1, 2, m.draw.size(3..=5), m.draw.size(3..=6)];
        let x = m.draw.normal(dims, 1.0);
        m.module(&options, x, module, |pool, x: Tensor<4>| pool.forward(x))
    }),
    subject!(smooth "AdaptiveAvgPool1d", |mut m| {
        let (dims, size) = ([m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=8)], m.draw.size(1..=5));
        let (x, module) = (m.draw.normal(dims, 1.0), AdaptiveAvgPool1dConfig::new(size).init());
        m.module(&format!("to {size}"), x, module, |pool, x: Tensor<3>| pool.forward(x))
    }),
    subject!(smooth "AdaptiveAvgPool2d", |mut m| {
        let (dims, size) = ([1, m.draw.size(1..=2), m.draw.size(1..=6), m.draw.size(1..=6)], m.draw.pair(1..=4));
        let (x, module) = (m.draw.normal(dims, 1.0), AdaptiveAvgPool2dConfig::new(size).init());
        m.module(&format!("to {}", extent(size)), x, module, |pool, x: Tensor<4>| pool.forward(x))
    }),
    subject!(smooth "AdaptiveAvgPool3d", |mut m| {
        let dims = [1, m.draw.size(1..=2), m.draw.size(1..=4), m.draw.size(1..=4), m.draw.size(1..=4)];
        let size = [m.draw.size(1..=3), m.draw.size(1..=3), m.draw.size(1..=3)];
        let (x, module) = (m.draw.normal(dims, 1.0), AdaptiveAvgPool3dConfig::new(size).init());
        m.module(&format!("to {size:?}"), x, module, |pool, x: Tensor<5>| pool.forward(x))
    }),
    subject!(smooth "Interpolate1d", |mut m| {
        let (dims, aligned) = ([m.draw.size(1..=2), 2, m.draw.size(2..=5)], m.draw.once_in(2));
        let (x, (mode, by_factor)) = (m.draw.normal(dims, 1.0), (mode(&mut m), m.draw.once_in(2)));
        let mut config = Interpolate1dConfig::new().with_mode(mode).with_align_corners(aligned);
        (config.output_size, config.scale_factor) = match by_factor {
            true => (None, Some(m.draw.pick(&[0.5, 1.5, 2.0]))),
            false => (Some(m.draw.size(1..=6)), None),
        };
        m.module(&format!("{config:?}"), x, config.init(), |resize, x: Tensor<3>| resize.forward(x))
    }),
    subject!(smooth "Interpolate2d", interpolate_2d),
];

fn padding_1d(m: &mut Maker<'_>) -> PaddingConfig1d {
    match m.draw.size(0..=2) {
        0 => PaddingConfig1d::Valid,
        1 => PaddingConfig1d::Same,
        _ => PaddingConfig1d::Explicit(m.draw.size(0..=1), m.draw.size(0..=1)),
    }
}

fn padding_2d(m: &mut Maker<'_>) -> PaddingConfig2d {
    let mut side = || m.draw.size(0..=1);
    let explicit = PaddingConfig2d::Explicit(side(), side(), side(), side());
    match m.draw.size(0..=2) {
        0 => PaddingConfig2d::Valid,
        1 => PaddingConfig2d::Same,
        _ => explicit,
    }
}

/// The other modes have no backward on the CPU.
fn mode(m: &mut Maker<'_>) -> InterpolateMode {
    match m.draw.size(0..=2) {
        0 => InterpolateMode::Nearest,
        1 => InterpolateMode::Linear,
        _ => InterpolateMode::Cubic,
    }
}

fn interpolate_2d(mut m: Maker<'_>) -> Case {
    let (dims, aligned) = ([1, m.draw.size(1..=2), m.draw.size(2..=4), m.draw.size(2..=4)], m.draw.once_in(2));
    let (x, (mode, by_factor)) = (m.draw.normal(dims, 1.0), (mode(&mut m), m.draw.once_in(2)));
    let mut config = Interpolate2dConfig::new().with_mode(mode).with_align_corners(aligned);
    (config.output_size, config.scale_factor) = match by_factor {
        true => (None, Some([m.draw.pick(&[0.5, 1.5, 2.0]), m.draw.pick(&[0.5, 1.5, 2.0])])),
        false => (Some(m.draw.pair(1..=5)), None),
    };
    m.module(&format!("{config:?}"), x, config.init(), |resize, x: Tensor<4>| resize.forward(x))
}
