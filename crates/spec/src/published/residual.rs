//! Networks with residual connections.

use super::parts::{CIFAR, flatten, network, pool2, relu};
use crate::{
    Architecture, AvgPool2dSpec, BatchNormSpec, Conv2dSpec, LayerSpec, LinearSpec, MaxPool2dSpec, ResidualSpec,
    ScaleSpec, Shortcut,
};

/// He, Zhang, Ren and Sun 2015 (arXiv:1512.03385), section 4.2 with n = 3, for CIFAR-10: 269,722 trainable parameters
/// and 1,376 running statistics.
///
/// Three stages of three blocks, with 16, 32 and 64 channels. A block has two convolutions. The first one of the
/// second and of the third stage halves the image, and there the shortcut is option A, zero padding. The mean of each
/// channel goes into the one linear layer.
pub fn resnet_20() -> Architecture {
    let mut layers = convolution(16, 1);
    layers.push(relu());
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..3 {
            let narrows = stage > 0 && block == 0;
            let mut body = convolution(channels, if narrows { 2 } else { 1 });
            body.push(relu());
            body.extend(convolution(channels, 1));
            let shortcut = if narrows { Shortcut::ZeroPadding } else { Shortcut::Identity };
            layers.extend([LayerSpec::Residual(ResidualSpec::new(body).shortcut(shortcut)), relu()]);
        }
    }
    layers.extend([
        LayerSpec::AvgPool2d(AvgPool2dSpec::new(8)), // of the whole 8×8 image
        flatten(),
        LayerSpec::Linear(LinearSpec::new(10)),
    ]);
    network("resnet-20", CIFAR, layers)
}

/// Page 2018 (*How to train your ResNet*, and the repository `cifar10-fast`, DAWNBench), for CIFAR-10: 6,573,120
/// trainable parameters and 4,480 running statistics.
///
/// A block adds what comes out of its second ReLU to the input, and no ReLU follows. The scores are multiplied with
/// 0.125 before the loss.
pub fn resnet_9() -> Architecture {
    let step = |channels| {
        let mut layers = convolution(channels, 1);
        layers.push(relu());
        layers
    };
    let block = |channels| LayerSpec::Residual(ResidualSpec::new([step(channels), step(channels)].concat()));
    let layers = [
        step(64),
        step(128),
        vec![pool2(), block(128)],
        step(256),
        vec![pool2()],
        step(512),
        vec![
            pool2(),
            block(512),
            LayerSpec::MaxPool2d(MaxPool2dSpec::new(4)), // of the whole 4×4 image
            flatten(),
            LayerSpec::Linear(LinearSpec { bias: false, ..LinearSpec::new(10) }),
            LayerSpec::Scale(ScaleSpec { factor: 0.125 }),
        ],
    ];
    network("resnet-9", CIFAR, layers.concat())
}

/// A 3×3 convolution without a bias, and batch normalisation.
fn convolution(channels: usize, stride: usize) -> Vec<LayerSpec> {
    let convolution = Conv2dSpec::new(channels, 3).padding(1).stride(stride).without_bias();
    vec![LayerSpec::Conv2d(convolution), LayerSpec::BatchNorm(BatchNormSpec::default())]
}
