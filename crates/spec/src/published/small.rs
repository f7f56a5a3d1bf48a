//! The networks that `auto` chooses, which are ours: blocks of a 3×3 convolution, batch normalisation, ReLU and 2×2 max
//! pooling, and one linear layer.

use super::parts::{CIFAR, MNIST, flatten, linear, network, pool2, relu};
use crate::{Architecture, BatchNormSpec, Conv2dSpec, LayerSpec, Shape};

/// The shorter side of the smallest images that `auto` has a network for.
pub const LEAST_SIDE: usize = 8;

const SQUARE_64: Shape = Shape::image(3, 64, 64);

/// The network for images of this shape, still for the images and classes that it is published for; `None` for vectors
/// and for images whose shorter side is below [`LEAST_SIDE`].
///
/// The number of blocks grows with the logarithm of the shorter side, so that the last block leaves 2 to 8 pixels of
/// it. Channels and classes change the first and the last layer alone
/// ([`Architecture::fitted`](crate::Architecture::fitted)).
pub fn for_images(shape: Shape) -> Option<Architecture> {
    let Shape::Image { height, width, .. } = shape else { return None };
    match height.min(width) {
        ..LEAST_SIDE => None,
        LEAST_SIDE..32 => Some(small_cnn_2()),
        32..64 => Some(small_cnn_3()),
        64..128 => Some(small_cnn_4()),
        128..256 => Some(small_cnn_5()),
        256.. => Some(small_cnn_6()),
    }
}

/// Two blocks, of 16 and 32 channels, on 1×28×28 images: 20,538 trainable parameters and 96 running statistics.
pub fn small_cnn_2() -> Architecture {
    blocks("small-cnn-2", MNIST, 2) // 32 · 7 · 7 = 1,568 features
}

/// Three blocks, of 16, 32 and 64 channels, on 3×32×32 images: 33,946 trainable parameters and 224 running statistics.
pub fn small_cnn_3() -> Architecture {
    blocks("small-cnn-3", CIFAR, 3) // 64 · 4 · 4 = 1,024 features
}

/// [`small_cnn_3`] and a block of 64 channels, on 3×64×64 images: 70,938 trainable parameters.
pub fn small_cnn_4() -> Architecture {
    blocks("small-cnn-4", SQUARE_64, 4) // 64 · 4 · 4 = 1,024 features
}

/// [`small_cnn_4`] and another block of 64 channels; on 3×64×64 images, 100,250 trainable parameters.
pub fn small_cnn_5() -> Architecture {
    blocks("small-cnn-5", SQUARE_64, 5) // 64 · 2 · 2 = 256 features
}

/// [`small_cnn_5`] and another block of 64 channels; on 3×64×64 images, 135,322 trainable parameters.
pub fn small_cnn_6() -> Architecture {
    blocks("small-cnn-6", SQUARE_64, 6) // 64 features
}

fn blocks(name: &str, input: Shape, blocks: usize) -> Architecture {
    let block = |number: usize| {
        let channels = (16 << number).min(64);
        let convolution = Conv2dSpec::new(channels, 3).padding(1).without_bias();
        [LayerSpec::Conv2d(convolution), LayerSpec::BatchNorm(BatchNormSpec::default()), relu(), pool2()]
    };
    let mut layers: Vec<LayerSpec> = (0..blocks).flat_map(block).collect();
    layers.extend([flatten(), linear(10)]);
    network(name, input, layers)
}
