//! Convolutions that take all images of a shard at once.

use backproof_kernels::Winograd;

use super::{check, conv, halved};
use crate::Operation;

/// Before and after each kind of neighbour: an operation of one image at a time, a normalisation, one of their own kind,
/// a linear operation, and the input.
#[test]
fn convolutions_of_all_images_at_once_are_differentiated() {
    let wide = |channels: usize, outputs: usize, size: usize| {
        let operation = conv(channels, outputs, [size; 2], 3, 1);
        let Operation::Conv2d { shape, .. } = &operation else { unreachable!() };
        assert!(Winograd::together(shape), "{shape:?}");
        operation
    };
    let norm = || Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true };
    let linear = || Operation::Linear { outputs: 4, bias: true };
    let between = [
        conv(2, 96, [6, 6], 3, 0),
        Operation::Relu,
        wide(96, 90, 4),
        Operation::Relu,
        wide(90, 96, 4),
        norm(),
        Operation::Relu,
        wide(96, 90, 4),
        halved(4),
        Operation::Flatten,
        linear(),
    ];
    check(&between, [2, 6, 6], 2);
    // Two images in some shards.
    check(&[wide(96, 90, 3), Operation::Relu, Operation::Flatten, linear()], [96, 3, 3], 18);
}
