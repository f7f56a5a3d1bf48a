//! The two networks that began it, as Jäppinen describes them layer by layer: with ReLU and max pooling throughout.

use super::parts::{conv3, dropout, flatten, linear, network, pool2, relu};
use crate::{Architecture, Conv2dSpec, LayerSpec, MaxPool2dSpec, Shape};

/// LeNet-5 on 1×32×32 images: 61,706 trainable parameters.
///
/// LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the
/// IEEE 86, 1998. The original has tanh units, trained pooling, a partly connected second convolution and radial basis
/// functions at the end; this is its usual form today.
pub fn lenet_5() -> Architecture {
    let conv = |kernels| LayerSpec::Conv2d(Conv2dSpec::new(kernels, 5));
    network(
        "lenet-5",
        Shape::image(1, 32, 32),
        vec![
            conv(6), // 28×28
            relu(),
            pool2(),
            conv(16), // 10×10
            relu(),
            pool2(),
            flatten(), // 16 · 5 · 5 = 400
            linear(120),
            relu(),
            linear(84),
            relu(),
            linear(10),
        ],
    )
}

/// AlexNet on 3×224×224 images and 1,000 classes: 60,965,224 trainable parameters.
///
/// Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional neural networks*, NIPS 2012. The
/// second, fourth and fifth convolution have two groups, one for each of the two GPUs of then. Without padding the
/// first would give ⌊(224 − 11) / 4⌋ + 1 = 54 rows; padded by 2 it gives the 55 of the paper. The paper's local
/// response normalisation is left out.
pub fn alexnet() -> Architecture {
    let pool = || LayerSpec::MaxPool2d(MaxPool2dSpec { stride: Some(2.into()), ..MaxPool2dSpec::new(3) });
    let grouped = |kernels, size: usize| LayerSpec::Conv2d(Conv2dSpec::new(kernels, size).padding(size / 2).groups(2));
    network(
        "alexnet",
        Shape::image(3, 224, 224),
        vec![
            LayerSpec::Conv2d(Conv2dSpec::new(96, 11).stride(4).padding(2)), // 55×55
            relu(),
            pool(), // 27×27
            grouped(256, 5),
            relu(),
            pool(), // 13×13
            conv3(384),
            relu(),
            grouped(384, 3),
            relu(),
            grouped(256, 3),
            relu(),
            pool(),    // 6×6
            flatten(), // 256 · 6 · 6 = 9,216
            linear(4_096),
            relu(),
            dropout(0.5),
            linear(4_096),
            relu(),
            dropout(0.5),
            linear(1_000),
        ],
    )
}
