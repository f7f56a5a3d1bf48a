//! Functions with a right backward by hand, shared by the tests.

use backproof_gradcheck::{Arguments, Check, Gradients, Value};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, Tensor, activation};

pub(crate) fn device() -> Device {
    Device::flex()
}

/// `y = x w + b` with a batch of 6, 4 inputs and 3 outputs: no two sizes are equal.
pub(crate) fn linear(dtype: DType) -> Check<'static> {
    Check::new("linear")
        .dtype(dtype)
        .input("x", Value::normal([6, 4], 1))
        .parameter("w", Value::normal([4, 3], 2))
        .parameter("b", Value::normal([3], 3))
        .forward(&device(), |t| t.get::<2>("x").matmul(t.get::<2>("w")) + t.get::<1>("b").unsqueeze())
}

pub(crate) fn linear_backward(t: &Arguments<'_>) -> Gradients {
    let g = t.cotangent::<2>();
    Gradients::new()
        .with("x", g.clone().matmul(t.get::<2>("w").transpose()))
        .with("w", t.get::<2>("x").transpose().matmul(g.clone()))
        .with("b", g.sum_dim(0))
}

/// [`linear_backward`] with the bias in its own shape.
pub(crate) fn linear_manual(t: &Arguments<'_>) -> Gradients {
    let g = t.cotangent::<2>();
    let [_, outputs] = g.dims();
    Gradients::new()
        .with("x", g.clone().matmul(t.get::<2>("w").transpose()))
        .with("w", t.get::<2>("x").transpose().matmul(g.clone()))
        .with("b", g.sum_dim(0).reshape([outputs]))
}

pub(crate) fn conv(dtype: DType, channels: [usize; 2], size: usize, stride: usize, padding: usize) -> Check<'static> {
    Check::new("conv2d")
        .dtype(dtype)
        .input("x", Value::normal([2, channels[0], size, size + 1], 1))
        .parameter("w", Value::normal([channels[1], channels[0], 3, 2], 2))
        .parameter("b", Value::normal([channels[1]], 3))
        .forward(&device(), move |t| {
            let options = ConvOptions::new([stride, 1], [padding, 0], [1, 1], 1);
            conv2d(t.get("x"), t.get("w"), Some(t.get("b")), options)
        })
        .autodiff(&device())
}

pub(crate) fn relu(dtype: DType, x: Value) -> Check<'static> {
    Check::new("relu")
        .dtype(dtype)
        .input("x", x)
        .forward(&device(), |t| activation::relu(t.get::<2>("x")))
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let x = t.get::<2>("x");
            Gradients::new().with("x", t.cotangent::<2>().mask_fill(x.lower_equal_scalar(0.0), 0.0))
        })
}

pub(crate) fn softmax(dtype: DType, x: Value) -> Check<'static> {
    Check::new("softmax")
        .dtype(dtype)
        .input("x", x)
        .forward(&device(), |t| activation::softmax(t.get::<2>("x"), 1))
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let p = activation::softmax(t.get::<2>("x"), 1);
            let g = t.cotangent::<2>();
            let mean = (g.clone() * p.clone()).sum_dim(1);
            Gradients::new().with("x", p * (g - mean))
        })
}

/// The mean cross-entropy of `[N, 5]` logits, with the targets as one-hot rows.
pub(crate) fn cross_entropy(dtype: DType) -> Check<'static> {
    let targets: Vec<f64> = (0..6 * 5).map(|i| f64::from(i % 5 == (i / 5 * 2) % 5)).collect();
    Check::new("softmax cross-entropy")
        .dtype(dtype)
        .input("x", Value::normal([6, 5], 1))
        .constant("t", Value::new([6, 5], targets))
        .forward(&device(), |t| {
            let losses = -(activation::log_softmax(t.get::<2>("x"), 1) * t.get::<2>("t")).sum_dim(1);
            losses.mean()
        })
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let difference = activation::softmax(t.get::<2>("x"), 1) - t.get::<2>("t");
            Gradients::new().with("x", difference / 6.0 * t.cotangent::<1>().unsqueeze())
        })
}

/// Batch normalisation of `[N, C]`, written out.
pub(crate) fn batch_norm(dtype: DType, rows: usize, channels: usize) -> Check<'static> {
    Check::new("batch norm")
        .dtype(dtype)
        .input("x", Value::normal([rows, channels], 4))
        .parameter("gamma", Value::normal([channels], 5))
        .parameter("beta", Value::normal([channels], 6))
        .forward(&device(), |t| normalised(t).0 * t.get::<1>("gamma").unsqueeze() + t.get::<1>("beta").unsqueeze())
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let (normal, deviation) = normalised(t);
            let g = t.cotangent::<2>();
            let [rows, channels] = g.dims();
            let gamma = (g.clone() * normal.clone()).sum_dim(0);
            let beta = g.clone().sum_dim(0);
            let inner = g - beta.clone() / rows as f64 - normal * gamma.clone() / rows as f64;
            Gradients::new()
                .with("x", inner / deviation * t.get::<1>("gamma").unsqueeze())
                .with("gamma", gamma.reshape([channels]))
                .with("beta", beta.reshape([channels]))
        })
}

fn normalised(t: &Arguments<'_>) -> (Tensor<2>, Tensor<2>) {
    let x = t.get::<2>("x");
    let centred = x.clone() - x.mean_dim(0);
    let deviation = (centred.clone().square().mean_dim(0) + 1e-5).sqrt();
    (centred / deviation.clone(), deviation)
}

pub(crate) fn max_pool(dtype: DType, x: Value) -> Check<'static> {
    Check::new("max pool")
        .dtype(dtype)
        .input("x", x)
        .forward(&device(), |t| max_pool2d(t.get("x"), MaxPoolOptions::new([2, 2]).with_stride([2, 2])))
        .autodiff(&device())
}
