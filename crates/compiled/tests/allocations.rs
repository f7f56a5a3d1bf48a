//! A training step takes no memory from the allocator: all that it needs was taken by the first ones.

use std::alloc::System;

use backproof_compiled::{Inputs, Objective, Operation, Parameter, Plan, TrainingPlan};
use backproof_kernels::{Conv2dShape, Divisor, Isa, MomentumStep, Window};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One operation of each kind, of which the second convolution goes by tiles.
fn operations() -> Vec<Operation> {
    let conv = |channels, input, outputs, kernel: usize| Operation::Conv2d {
        shape: Conv2dShape {
            channels,
            input,
            outputs,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: [kernel / 2; 2],
            dilation: [1, 1],
            groups: 1,
        },
        bias: true,
    };
    let halves = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
    vec![
        conv(3, [16, 16], 16, 5),
        Operation::Relu,
        Operation::MaxPool2d { window: halves, output: [8, 8] },
        conv(16, [8, 8], 32, 3),
        Operation::BatchNorm { epsilon: 1e-5, momentum: 0.1, scale: true, shift: true },
        Operation::Relu,
        Operation::AvgPool2d { window: halves, divisor: Divisor::Padded, output: [4, 4] },
        Operation::Dropout,
        Operation::Flatten,
        Operation::Linear { outputs: 10, bias: true },
    ]
}

#[test]
fn a_training_step_allocates_nothing() {
    const IMAGES: usize = 20;
    let labels: Vec<usize> = (0..IMAGES).map(|image| image % 10).collect();
    let image = |n: usize, to: &mut [f32]| {
        to.iter_mut().enumerate().for_each(|(at, value)| *value = ((at * 7 + n * 13) % 11) as f32 / 11.0);
    };
    let mask = |_: usize, first: usize, to: &mut [f32]| {
        to.iter_mut().enumerate().for_each(|(at, value)| *value = ((first + at) % 2 * 2) as f32);
    };
    let inputs = Inputs { count: IMAGES, image: &image, mask: &mask };
    let step = MomentumStep::new(0.01, 0.9, 1e-4);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for isa in Isa::available() {
        let mut plan = TrainingPlan::new(isa, [3, 16, 16], &operations());
        for (operation, weights) in [(0, 16 * 3 * 25), (3, 32 * 16 * 9), (9, 10 * 32 * 16)] {
            let values: Vec<f32> = (0..weights).map(|at| ((at * 31) % 17) as f32 / 170.0 - 0.04).collect();
            plan.set(operation, Parameter::Weight, &values);
        }
        plan.set(4, Parameter::Weight, &[1.0; 32]);
        let mut train = |steps: usize| {
            // On a thread of the pool, as training does: from outside, every call would wait in a queue that has memory
            // of its own.
            pool.install(|| {
                for _ in 0..steps {
                    let loss = plan.pass(&inputs, &labels, &Objective::CrossEntropy).loss;
                    assert!(loss.is_finite());
                    plan.step(&step);
                }
            });
        };
        train(5);
        let steps = 50;
        let region = Region::new(ALLOCATOR);
        train(steps);
        let taken = region.change();
        // `install` itself may take a little; a step that took any would be there 50 times.
        let allocations = taken.allocations + taken.reallocations;
        assert!(allocations < steps, "{isa}: {allocations} allocations, {} bytes", taken.bytes_allocated);
    }
}
