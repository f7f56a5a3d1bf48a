//! Plans with residual connections, against the same network in double precision.

use super::{check, conv, halved, window};
use crate::{Operation, Shortcut};
use backproof_kernels::{Conv2dShape, Divisor};

fn norm() -> Operation {
    Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true }
}

fn strided(channels: usize, outputs: usize, size: usize, kernel: usize) -> Operation {
    let shape = Conv2dShape {
        channels,
        outputs,
        input: [size; 2],
        kernel: [kernel; 2],
        stride: [2, 2],
        padding: [kernel / 2; 2],
        dilation: [1, 1],
        groups: 1,
    };
    Operation::Conv2d { shape, bias: false }
}

fn identity(body: Vec<Operation>) -> Operation {
    Operation::Residual { body, shortcut: Shortcut::Identity }
}

fn head() -> [Operation; 2] {
    [Operation::Flatten, Operation::Linear { outputs: 3, bias: true }]
}

/// He's block and its ReLU after the sum, the second with option A: the channels of zeros share a block with others.
#[test]
fn blocks_with_the_identity_and_with_zero_padding_are_differentiated() {
    let block = |channels, size| {
        vec![
            conv(channels, channels, [size; 2], 3, 1),
            norm(),
            Operation::Relu,
            conv(channels, channels, [size; 2], 3, 1),
            norm(),
        ]
    };
    for (channels, more) in [(5, 3), (5, 15), (16, 16)] {
        let narrow = vec![
            strided(channels, channels + more, 5, 3),
            norm(),
            Operation::Relu,
            conv(channels + more, channels + more, [3; 2], 3, 1),
            norm(),
        ];
        let padding = Shortcut::Pixels { channels: channels + more, stride: [2, 2] };
        let mut operations = vec![
            conv(2, channels, [5; 2], 3, 1),
            norm(),
            Operation::Relu,
            identity(block(channels, 5)),
            Operation::Relu,
        ];
        operations.extend([Operation::Residual { body: narrow, shortcut: padding }, Operation::Relu]);
        operations.push(Operation::AvgPool2d { window: window(3, 3, 0), divisor: Divisor::Inside, output: [1, 1] });
        operations.extend(head());
        check(&operations, [2, 5, 5], 5);
    }
}

#[test]
fn a_projection_and_one_connection_inside_of_another_are_differentiated() {
    let inner = identity(vec![norm(), Operation::Relu, conv(4, 4, [6; 2], 3, 1)]);
    let shortcut = Shortcut::Operations(vec![strided(4, 6, 6, 1), norm()]);
    let body = vec![inner, Operation::Relu, Operation::Dropout, strided(4, 6, 6, 3)];
    let mut operations = vec![conv(2, 4, [6; 2], 3, 1), Operation::Relu, Operation::Residual { body, shortcut }];
    operations.extend(head());
    for count in [1, 19] {
        check(&operations, [2, 6, 6], count);
    }
}

/// What begins a body may not take the ReLU before it for its own: the shortcut reads it too.
#[test]
fn a_relu_before_both_branches_is_heeded_once() {
    let relu = || vec![conv(2, 4, [6; 2], 3, 1), Operation::Relu];
    for body in [
        vec![norm(), conv(4, 4, [6; 2], 3, 1)],
        vec![Operation::Relu, conv(4, 4, [6; 2], 3, 1)],
        vec![Operation::ReluPassingZero, Operation::Dropout],
        vec![Operation::MaxPool2d { window: window(3, 1, 1), output: [6; 2] }],
    ] {
        let mut operations = relu();
        operations.push(identity(body));
        operations.push(halved(6));
        operations.extend(head());
        check(&operations, [2, 6, 6], 4);
    }
    // Without a ReLU before it, one that begins the body is the body's alone.
    let mut operations = vec![conv(2, 4, [6; 2], 3, 1), identity(vec![Operation::Relu, conv(4, 4, [6; 2], 3, 1)])];
    operations.extend(head());
    check(&operations, [2, 6, 6], 4);
}

#[test]
fn the_first_operation_and_the_last_images_may_be_a_sum() {
    let shortcut = Shortcut::Operations(vec![conv(3, 4, [4; 2], 1, 0), Operation::Relu]);
    let mut operations = vec![Operation::Residual { body: vec![conv(3, 4, [4; 2], 3, 1)], shortcut }];
    operations.extend(head());
    check(&operations, [3, 4, 4], 3);
    let mut operations = vec![identity(vec![norm(), conv(3, 3, [4; 2], 3, 1)]), Operation::ReluPassingZero];
    operations.extend(head());
    check(&operations, [3, 4, 4], 3);
}

#[test]
fn sums_of_vectors_are_differentiated() {
    let linear = |outputs| Operation::Linear { outputs, bias: true };
    let shortcut = Shortcut::Operations(vec![linear(7), norm()]);
    let operations = [
        Operation::Flatten,
        linear(6),
        Operation::Relu,
        identity(vec![linear(9), Operation::Relu, linear(6), norm()]),
        Operation::Relu,
        Operation::Residual { body: vec![linear(20), norm(), Operation::Relu, linear(7)], shortcut },
        Operation::Relu,
        linear(3),
    ];
    check(&operations, [2, 3, 2], 7);
    let branches = Operation::Residual {
        body: vec![Operation::Flatten, linear(3)],
        shortcut: Shortcut::Operations(vec![Operation::Flatten, linear(3)]),
    };
    check(&[conv(2, 3, [4; 2], 3, 1), Operation::Relu, branches], [2, 4, 4], 5);
    // A body of a flatten alone has no node, and the sum reads its input twice.
    let twice = Operation::Residual {
        body: vec![Operation::Flatten],
        shortcut: Shortcut::Operations(vec![Operation::Flatten]),
    };
    check(&[conv(2, 3, [4; 2], 3, 1), Operation::Relu, twice, linear(3)], [2, 4, 4], 5);
}
