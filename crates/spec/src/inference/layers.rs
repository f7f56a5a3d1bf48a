//! One function a layer with parameters or windows.

use super::window::Window;
use super::{Inferred, Misfit};
use crate::{AvgPool2d, BatchNorm, Conv2d, Dropout, Layer, Linear, MaxPool2d, Shape, Size2, counted};

pub(super) fn infer(layer: &Layer, input: Shape) -> Result<Inferred, Misfit> {
    match layer {
        Layer::Conv2d(conv) => conv2d(conv, input),
        Layer::MaxPool2d(pool) => max_pool2d(pool, input),
        Layer::AvgPool2d(pool) => avg_pool2d(pool, input),
        Layer::Linear(linear) => fully_connected(linear, input),
        Layer::Flatten => Ok(Inferred::without_parameters(Shape::vector(input.elements()))),
        Layer::BatchNorm(norm) => batch_norm(norm, input),
        Layer::Dropout(dropout) => {
            check_dropout(dropout)?;
            Ok(Inferred::without_parameters(input))
        }
        Layer::Prelu { initial_slope } => {
            check_finite("initial_slope", *initial_slope)?;
            Ok(Inferred { weights: 1, ..Inferred::without_parameters(input) })
        }
        Layer::LeakyRelu { slope } => {
            check_finite("slope", *slope)?;
            Ok(Inferred::without_parameters(input))
        }
        Layer::Elu { alpha } => {
            check_finite("alpha", *alpha)?;
            Ok(Inferred::without_parameters(input))
        }
        Layer::Relu | Layer::Gelu | Layer::Sigmoid | Layer::Tanh => Ok(Inferred::without_parameters(input)),
    }
}

fn conv2d(conv: &Conv2d, input: Shape) -> Result<Inferred, Misfit> {
    let (channels, height, width) = image(input)?;
    check_positive("out_channels", conv.out_channels)?;
    check_positive("groups", conv.groups)?;
    for (what, count) in [("channels that come in", channels), ("channels that go out", conv.out_channels)] {
        if count % conv.groups != 0 {
            return Err(Misfit::new(format!("groups = {} does not divide the {count} {what}", conv.groups)));
        }
    }
    let [down, across] = windows(conv.kernel, conv.stride, conv.padding, conv.dilation, false)?;
    let output =
        Shape::image(conv.out_channels, fit(down, height, "height", input)?, fit(across, width, "width", input)?);
    let weights = product(&[conv.out_channels, channels / conv.groups, conv.kernel.height, conv.kernel.width])
        .ok_or_else(|| Misfit::too_large("its kernels"))?;
    Ok(Inferred { output, weights, biases: if conv.bias { conv.out_channels } else { 0 }, running_statistics: 0 })
}

fn max_pool2d(pool: &MaxPool2d, input: Shape) -> Result<Inferred, Misfit> {
    let windows = windows(pool.kernel, pool.effective_stride(), pool.padding, pool.dilation, pool.ceil_mode)?;
    pooled(windows, input)
}

fn avg_pool2d(pool: &AvgPool2d, input: Shape) -> Result<Inferred, Misfit> {
    let windows = windows(pool.kernel, pool.effective_stride(), pool.padding, Size2::square(1), pool.ceil_mode)?;
    pooled(windows, input)
}

fn pooled([down, across]: [Window; 2], input: Shape) -> Result<Inferred, Misfit> {
    let (channels, height, width) = image(input)?;
    down.check_pooling_padding(height)?;
    across.check_pooling_padding(width)?;
    Ok(Inferred::without_parameters(Shape::image(
        channels,
        fit(down, height, "height", input)?,
        fit(across, width, "width", input)?,
    )))
}

fn fully_connected(linear: &Linear, input: Shape) -> Result<Inferred, Misfit> {
    let Shape::Vector { features } = input else {
        return Err(Misfit::new(format!("expected a vector, got an image {input}")).help("put a `flatten` before it"));
    };
    check_positive("out_features", linear.out_features)?;
    Ok(Inferred {
        output: Shape::vector(linear.out_features),
        weights: product(&[features, linear.out_features]).ok_or_else(|| Misfit::too_large("its weights"))?,
        biases: if linear.bias { linear.out_features } else { 0 },
        running_statistics: 0,
    })
}

fn batch_norm(norm: &BatchNorm, input: Shape) -> Result<Inferred, Misfit> {
    if !(norm.epsilon.is_finite() && norm.epsilon > 0.0) {
        return Err(Misfit::new(format!("epsilon must be positive, got {}", norm.epsilon)));
    }
    if !(norm.momentum > 0.0 && norm.momentum <= 1.0) {
        return Err(Misfit::new(format!("momentum must be in (0, 1], got {}", norm.momentum)));
    }
    let normalized = match input {
        Shape::Image { channels, .. } => channels,
        Shape::Vector { features } => features,
    };
    Ok(Inferred {
        output: input,
        weights: normalized,
        biases: normalized,
        running_statistics: 2 * normalized, // a mean and a variance each; inputs are at most 2³¹ − 1
    })
}

fn check_dropout(dropout: &Dropout) -> Result<(), Misfit> {
    if (0.0..1.0).contains(&dropout.probability) {
        Ok(())
    } else {
        Err(Misfit::new(format!("probability must be in [0, 1), got {}", dropout.probability)))
    }
}

fn image(input: Shape) -> Result<(usize, usize, usize), Misfit> {
    match input {
        Shape::Image { channels, height, width } => Ok((channels, height, width)),
        Shape::Vector { features } => {
            Err(Misfit::new(format!("expected an image, got a vector of {}", counted(features, "feature")))
                .help("put it before the `flatten` or `linear` layer that makes the vector"))
        }
    }
}

/// The windows along the vertical and the horizontal axis, with nothing zero that must not be.
fn windows(
    kernel: Size2,
    stride: Size2,
    padding: Size2,
    dilation: Size2,
    ceil_mode: bool,
) -> Result<[Window; 2], Misfit> {
    for (key, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        if size.height == 0 || size.width == 0 {
            return Err(Misfit::new(format!("{key} must be at least 1, got {size}")));
        }
    }
    let down = Window {
        kernel: kernel.height,
        stride: stride.height,
        padding: padding.height,
        dilation: dilation.height,
        ceil_mode,
    };
    let across = Window {
        kernel: kernel.width,
        stride: stride.width,
        padding: padding.width,
        dilation: dilation.width,
        ceil_mode,
    };
    Ok([down, across])
}

fn fit(window: Window, pixels: usize, axis: &str, input: Shape) -> Result<usize, Misfit> {
    window.count(pixels).ok_or_else(|| {
        let mut taps = format!("a window of {}", window.kernel);
        if window.dilation > 1 {
            taps += &format!(" with dilation {}", window.dilation);
        }
        Misfit::new(format!("{taps} does not fit in {axis} {pixels} with padding {}, got {input}", window.padding))
            .help("use a smaller kernel, more padding, or less pooling before it")
    })
}

fn check_positive(key: &str, value: usize) -> Result<(), Misfit> {
    if value == 0 {
        return Err(Misfit::new(format!("{key} must be at least 1, got 0")));
    }
    Ok(())
}

fn check_finite(key: &str, value: f64) -> Result<(), Misfit> {
    if value.is_finite() { Ok(()) } else { Err(Misfit::new(format!("{key} must be finite, got {value}"))) }
}

fn product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor))
}
