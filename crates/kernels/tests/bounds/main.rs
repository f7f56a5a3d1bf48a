//! No kernel leaves its slices, and none takes slices of other lengths.
//!
//! A fault ends the process with a signal; `cargo test -p backproof-kernels --test bounds -- --nocapture` shows the
//! call before it. `CONTRIBUTING.md` has the command that runs all tests under AddressSanitizer.

mod calls;
mod guard;

use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_kernels::{
    Border, Conv2dShape, DirectConv2d, Isa, Layout, Window, linear_forward, linear_weight_gradient,
};
use calls::Call;
use guard::{Guarded, Side};
use proptest::prelude::*;

/// Calls of all kernels, on sizes below, at and past the width of a vector.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    let window = (pair(1..=5), pair(1..=3), pair(0..=2), pair(1..=2), pair(0..=19));
    let channels = (1usize..=3, 1usize..=6, 1usize..=20);
    (window, channels, any::<bool>()).prop_map(|((kernel, stride, padding, dilation, extra), channels, planar)| {
        let (groups, inputs, outputs) = channels;
        let reach: [usize; 2] = std::array::from_fn(|axis| dilation[axis] * (kernel[axis] - 1) + 1);
        let input = std::array::from_fn(|axis| reach[axis].saturating_sub(2 * padding[axis]).max(1) + extra[axis]);
        let (channels, outputs) = (groups * inputs, groups * outputs);
        let shape = Conv2dShape { channels, input, outputs, kernel, stride, padding, dilation, groups };
        let image = [outputs, input[0], input[1]];
        let side = 3 + 2 * (extra[0] % 2);
        let by_tiles = Conv2dShape {
            channels: 15 + inputs,
            input: extra.map(|extra| 2 + extra),
            outputs: 12 + outputs,
            kernel: [side; 2],
            stride: [1, 1],
            padding: padding.map(|padding| padding.max(1)),
            dilation: [1, 1],
            groups: 1,
        };
        let halves = [input[0] / 2, input[1] / 2].map(|half| half.max(1));
        let quarters = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
        let even = [outputs, 2 * halves[0], 2 * halves[1]];
        // A padding as wide as the window would leave some windows with nothing in them, whose mean is NaN.
        let window =
            Window { kernel, stride, padding: [0, 1].map(|axis| padding[axis].min(kernel[axis] / 2)), dilation };
        let windows: [usize; 2] = std::array::from_fn(|axis| {
            (input[axis] + 2 * window.padding[axis]).saturating_sub(reach[axis]) / stride[axis] + 1
        });
        Isa::available()
            .into_iter()
            .flat_map(|isa| {
                let mut calls = calls::convolution(isa, shape, planar);
                // Twice as wide, since a kernel may be wider than the image.
                let wide = by_tiles.input.map(|size| size + 4);
                calls.extend(calls::tiles(isa, Conv2dShape { input: wide, ..by_tiles }));
                calls.extend(calls::linear(isa, 1 + extra[0] % 9, outputs, 16 * (1 + extra[1])));
                calls.extend(calls::pooling(isa, window, image, windows));
                calls.extend(calls::pooling(isa, quarters, even, halves));
                calls.extend(calls::images(isa, image));
                calls.extend(calls::vectors(isa, outputs));
                calls
            })
            .collect()
    })
}

/// Runs a call on guarded slices of the given lengths.
fn run(call: &Call, lengths: &[usize], side: Side) -> Vec<Guarded> {
    let number = |i: usize| (i * 7 % 13) as f32 / 13.0 - 0.4;
    let mut slices: Vec<Guarded> = lengths.iter().map(|&length| Guarded::new(length, side, number)).collect();
    call.run(&mut slices.iter_mut().map(Guarded::numbers).collect::<Vec<_>>());
    slices
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_kernel_reads_or_writes_beside_its_slices(calls in calls().no_shrink()) {
        for call in calls {
            println!("{}", call.name);
            for side in [Side::Front, Side::Back] {
                let intact = run(&call, &call.lengths, side).iter_mut().all(Guarded::is_intact);
                prop_assert!(intact, "{}, {side:?}", call.name);
            }
        }
    }

    #[test]
    fn a_slice_of_another_length_is_refused(calls in calls().no_shrink()) {
        for call in calls {
            println!("{}", call.name);
            for (at, &length) in call.lengths.iter().enumerate() {
                for wrong in [length + 1, length.saturating_sub(1)].into_iter().filter(|&wrong| wrong != length) {
                    let mut lengths = call.lengths.clone();
                    lengths[at] = wrong;
                    let refused = catch_unwind(AssertUnwindSafe(|| run(&call, &lengths, Side::Back))).is_err();
                    prop_assert!(refused, "{}: slice {at} of {length} had {wrong}", call.name);
                }
            }
        }
    }
}

const SHAPE: Conv2dShape = Conv2dShape {
    channels: 16,
    input: [6, 6],
    outputs: 16,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 1,
};

fn make(shape: Conv2dShape, border: Border) -> bool {
    let image = Layout::blocked([16, 6, 6], border);
    let output = Layout::blocked([16, 6, 6], SHAPE.gradient_border());
    catch_unwind(|| DirectConv2d::new(shape, image, output, output, true)).is_ok()
}

#[test]
fn a_border_that_is_too_small_on_any_side_is_refused() {
    let enough = SHAPE.input_border();
    assert!(make(SHAPE, enough));
    // With more below, a window that leaves the right side would still be inside of the memory.
    let Border { top, left, bottom, right } = Border { bottom: 4, ..enough };
    for border in [
        Border { top: 0, left, bottom, right },
        Border { top, left: 0, bottom, right },
        Border { top, left, bottom: 0, right },
        Border { top, left, bottom, right: 0 },
    ] {
        assert!(!make(SHAPE, border), "{border:?}");
    }
}

#[test]
fn a_convolution_without_size_is_refused() {
    let border = SHAPE.input_border();
    assert!(!make(Conv2dShape { kernel: [0, 3], ..SHAPE }, border));
    assert!(!make(Conv2dShape { stride: [1, 0], ..SHAPE }, border));
    assert!(!make(Conv2dShape { dilation: [0, 1], ..SHAPE }, border));
    assert!(!make(Conv2dShape { groups: 0, ..SHAPE }, border));
    assert!(!make(Conv2dShape { groups: 3, ..SHAPE }, border));
}

/// 16 · 2⁶⁰ is 0 in 64 bits, which is the length of an empty slice.
#[test]
fn sizes_whose_product_overflows_are_refused() {
    let many = usize::MAX / 16 + 1;
    for isa in Isa::available() {
        assert!(catch_unwind(|| linear_forward(isa, [many, 16], &[], None, false, &[0.0; 16], &mut [], many)).is_err());
        assert!(catch_unwind(|| linear_weight_gradient(isa, 0..many, 16, &[], many, &mut [])).is_err());
        let part = [(&[0.0f32; 256][..], &[][..])];
        assert!(catch_unwind(|| linear_weight_gradient(isa, 0..1, 16, &part, many, &mut [0.0; 16])).is_err());
    }
}
