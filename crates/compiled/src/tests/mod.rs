//! Plans against a network written out in double precision, whose gradients are central differences.

mod all_images;
mod element;
mod reference;
mod residual;

use backproof_kernels::{Conv2dShape, Divisor, Isa, MomentumStep, Window, Winograd};

use crate::testing::numbers;
use crate::{Differentiable, InferencePlan, Inputs, Objective, Operation, Parameter, Plan, SegmentPlan, TrainingPlan};
use reference::{Parameters, all, forward, loss, mask, sizes};

fn check(operations: &[Operation], input: [usize; 3], count: usize) {
    let sizes = sizes(operations, input);
    let all = all(operations);
    let mut parameters: Parameters = Vec::new();
    for (number, &[weights, biases]) in sizes.iter().enumerate() {
        let scale = if weights == 0 { 1.0 } else { (2.0 / (weights as f64 / biases.max(1) as f64)).sqrt() };
        let seed = number as u64;
        let draw =
            |count, seed, shift: f64| numbers(count, seed).iter().map(|&x| scale * f64::from(x) + shift).collect();
        let shift = if matches!(all[number], Operation::BatchNorm { .. }) { 1.0 } else { 0.0 };
        parameters.push([draw(weights, seed, shift), draw(biases, 100 + seed, 0.0)]);
    }
    // Values that single precision holds exactly, so that both compute with the same.
    parameters.iter_mut().flatten().flatten().for_each(|x| *x = f64::from(*x as f32));
    let elements: usize = input.iter().product();
    let images: Vec<Vec<f64>> =
        (0..count).map(|n| numbers(elements, 50 + n as u64).iter().map(|&x| f64::from(x)).collect()).collect();
    let classes = forward(operations, &parameters, input, &images)[0].len();
    let labels: Vec<usize> = (0..count).map(|n| n % classes).collect();
    let expected = forward(operations, &parameters, input, &images);
    let expected_loss = loss(operations, &parameters, input, &images, &labels);

    for isa in Isa::available() {
        let mut plan = TrainingPlan::new(isa, input, operations);
        let names = [Parameter::Weight, Parameter::Bias];
        for (number, sizes) in sizes.iter().enumerate() {
            for (which, &size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0) {
                let values: Vec<f32> = parameters[number][which].iter().map(|&x| x as f32).collect();
                plan.set(number, names[which], &values);
                let mut back = vec![0.0; size];
                plan.get(number, names[which], &mut back);
                assert_eq!(back, values);
            }
        }
        let write = |n: usize, to: &mut [f32]| to.iter_mut().zip(&images[n]).for_each(|(to, &x)| *to = x as f32);
        let masks = |operation: usize, first: usize, to: &mut [f32]| {
            to.iter_mut().enumerate().for_each(|(e, to)| *to = mask(operation, first + e));
        };
        let batch = Inputs { count, image: &write, mask: &masks };
        let found = plan.pass(&batch, &labels, &Objective::CrossEntropy);
        assert!((found.loss - expected_loss).abs() < 1e-5, "{isa}: loss {}, not {expected_loss}", found.loss);
        for (n, expected) in expected.iter().enumerate() {
            for (found, expected) in plan.outputs(n).iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-4, "{isa}: output {found}, not {expected}");
            }
        }
        plan.finish_gradients();
        for (number, sizes) in sizes.iter().enumerate() {
            for (which, &size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0) {
                let mut gradient = vec![0.0; size];
                plan.gradient(number, names[which], &mut gradient);
                // A sample of them: every difference is two passes. The step is small, so that no ReLU changes sides.
                for index in (0..size).step_by(size.div_ceil(7)) {
                    let mut at = |step: f64| {
                        let value = parameters[number][which][index];
                        parameters[number][which][index] = value + step;
                        let found = loss(operations, &parameters, input, &images, &labels);
                        parameters[number][which][index] = value;
                        found
                    };
                    let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
                    let error = (f64::from(gradient[index]) - slope).abs();
                    assert!(
                        error < 2e-5 + 1e-4 * slope.abs(),
                        "{isa}: {:?} of {:?} [{index}]: {}, not {slope}",
                        names[which],
                        all[number],
                        gradient[index]
                    );
                }
            }
        }
        let again = plan.clone().pass(&batch, &labels, &Objective::CrossEntropy);
        assert_eq!(again.loss.to_bits(), found.loss.to_bits(), "a pass repeats bit for bit");
        plan.step(&MomentumStep::new(0.01, 0.0, 0.0));
        let after = plan.pass(&batch, &labels, &Objective::CrossEntropy);
        assert!(
            after.loss < found.loss,
            "a step along the gradient makes the loss smaller: {} {}",
            found.loss,
            after.loss
        );
    }
}

fn conv(channels: usize, outputs: usize, size: [usize; 2], kernel: usize, padding: usize) -> Operation {
    let shape = Conv2dShape {
        channels,
        outputs,
        input: size,
        kernel: [kernel; 2],
        stride: [1, 1],
        padding: [padding; 2],
        dilation: [1, 1],
        groups: 1,
    };
    Operation::Conv2d { shape, bias: true }
}

fn window(kernel: usize, stride: usize, padding: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], dilation: [1, 1] }
}

fn halved(size: usize) -> Operation {
    Operation::MaxPool2d { window: window(2, 2, 0), output: [size / 2; 2] }
}

#[test]
fn a_course_network_is_differentiated() {
    let operations = [
        conv(3, 5, [8, 8], 5, 2),
        Operation::Relu,
        halved(8),
        conv(5, 18, [4, 4], 5, 2),
        Operation::Relu,
        Operation::Flatten,
        Operation::Linear { outputs: 10, bias: true },
    ];
    for count in [1, 5, 40] {
        check(&operations, [3, 8, 8], count);
    }
}

#[test]
fn normalisation_and_dropout_between_convolutions_are_differentiated() {
    let norm = || Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true };
    let operations = [
        conv(1, 7, [6, 6], 3, 1),
        Operation::Relu,
        norm(),
        conv(7, 6, [6, 6], 3, 1),
        Operation::Relu,
        norm(),
        halved(6),
        Operation::Dropout,
        conv(6, 8, [3, 3], 3, 1),
        norm(),
        Operation::Relu,
        Operation::Flatten,
        Operation::Linear { outputs: 9, bias: false },
        Operation::Relu,
        Operation::Dropout,
        Operation::Linear { outputs: 4, bias: true },
    ];
    check(&operations, [1, 6, 6], 6);
    check(&operations, [1, 6, 6], 19);
}

/// The missing γ is 1 and the missing β is 0 after a step too, with weight decay.
#[test]
fn normalisations_without_scale_or_shift_are_differentiated() {
    let norm = |scale, shift| Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale, shift };
    let operations = [
        conv(1, 7, [6, 6], 3, 1),
        norm(false, true),
        Operation::Relu,
        conv(7, 6, [6, 6], 3, 1),
        norm(true, false),
        Operation::Relu,
        norm(false, false),
        halved(6),
        Operation::Flatten,
        Operation::Linear { outputs: 4, bias: true },
    ];
    check(&operations, [1, 6, 6], 6);
    let [mut plan, fresh] = [(); 2].map(|()| TrainingPlan::new(Isa::Portable, [2, 1, 1], &[norm(false, false)]));
    let image = |n: usize, to: &mut [f32]| to.copy_from_slice(&[n as f32, 1.0 - n as f32]);
    let mask = |_: usize, _: usize, _: &mut [f32]| {};
    let batch = Inputs { count: 3, image: &image, mask: &mask };
    let before = fresh.clone().pass(&batch, &[0, 1, 1], &Objective::CrossEntropy);
    plan.pass(&batch, &[0, 1, 1], &Objective::CrossEntropy);
    plan.step(&MomentumStep::new(0.5, 0.9, 0.5));
    assert_eq!(plan.pass(&batch, &[0, 1, 1], &Objective::CrossEntropy).loss.to_bits(), before.loss.to_bits());
}

#[test]
fn a_perceptron_is_differentiated() {
    let operations = [
        Operation::Flatten,
        Operation::Linear { outputs: 12, bias: true },
        Operation::Relu,
        Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true },
        Operation::Linear { outputs: 7, bias: true },
        Operation::Relu,
        Operation::Linear { outputs: 3, bias: true },
    ];
    check(&operations, [3, 3, 5], 8);
}

#[test]
fn strides_groups_overlapping_windows_and_successive_maxima_are_differentiated() {
    let grouped = Conv2dShape {
        channels: 6,
        outputs: 10,
        input: [6, 6],
        kernel: [3, 2],
        stride: [2, 1],
        padding: [1, 1],
        dilation: [1, 2],
        groups: 2,
    };
    let operations = [
        Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true },
        conv(2, 6, [13, 13], 3, 1),
        Operation::Relu,
        Operation::MaxPool2d { window: window(3, 2, 0), output: [6, 6] },
        Operation::Conv2d { shape: grouped, bias: false },
        Operation::Relu,
        Operation::AvgPool2d { window: window(2, 1, 0), divisor: Divisor::Inside, output: [2, 5] },
        Operation::MaxPool2d { window: window(2, 1, 0), output: [1, 4] },
        Operation::MaxPool2d { window: Window { kernel: [1, 2], ..window(2, 1, 0) }, output: [1, 3] },
        Operation::Flatten,
        Operation::Linear { outputs: 3, bias: true },
    ];
    check(&operations, [2, 13, 13], 5);
}

#[test]
fn convolutions_by_tiles_are_differentiated() {
    let operations = [
        conv(16, 18, [4, 4], 5, 2),
        Operation::Relu,
        Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true },
        conv(18, 16, [4, 4], 3, 1),
        Operation::Relu,
        halved(4),
        conv(16, 16, [2, 2], 5, 2),
        Operation::Relu,
        Operation::Flatten,
        Operation::Linear { outputs: 3, bias: true },
    ];
    for operation in &operations {
        assert!(!matches!(operation, Operation::Conv2d { shape, .. } if !Winograd::pays(shape)), "{operation:?}");
    }
    check(&operations, [16, 4, 4], 1);
    check(&operations, [16, 4, 4], 18);
}

#[test]
fn inference_uses_the_running_statistics_and_drops_nothing() {
    let operations = [
        Operation::BatchNorm { epsilon: 1e-5, momentum: 0.5, scale: true, shift: true },
        Operation::Dropout,
        Operation::Flatten,
    ];
    let mut plan = InferencePlan::new(Isa::Portable, [2, 1, 1], &operations);
    plan.set(0, Parameter::Weight, &[2.0, 2.0]);
    plan.set(0, Parameter::Bias, &[1.0, 1.0]);
    plan.set(0, Parameter::RunningMean, &[3.0, 3.0]);
    plan.set(0, Parameter::RunningVariance, &[4.0, 4.0]);
    let image = |_: usize, to: &mut [f32]| to.copy_from_slice(&[3.0, 5.0]);
    let mask = |_: usize, _: usize, _: &mut [f32]| panic!("inference drops nothing");
    plan.infer(&Inputs { count: 3, image: &image, mask: &mask });
    let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    close(plan.outputs(2)[0], 1.0);
    close(plan.outputs(2)[1], 3.0);
}

#[test]
fn running_statistics_follow_the_batch() {
    let operations =
        [Operation::BatchNorm { epsilon: 1e-5, momentum: 0.25, scale: true, shift: true }, Operation::Flatten];
    let mut plan = TrainingPlan::new(Isa::Portable, [1, 1, 1], &operations);
    let image = |n: usize, to: &mut [f32]| to[0] = [0.0, 2.0, 1.0, 3.0][n];
    let mask = |_: usize, _: usize, _: &mut [f32]| {};
    plan.pass(&Inputs { count: 4, image: &image, mask: &mask }, &[0; 4], &Objective::CrossEntropy);
    let get = |parameter| {
        let mut value = [0.0];
        plan.get(0, parameter, &mut value);
        value[0]
    };
    // Of 0, 2, 1, 3: mean 1.5, Σ (x − 1.5)² = 5, unbiased variance 5/3.
    assert!((get(Parameter::RunningMean) - 0.25 * 1.5).abs() < 1e-6);
    assert!((get(Parameter::RunningVariance) - (0.75 + 0.25 * 5.0 / 3.0)).abs() < 1e-6);
}

/// A segment's gradients with output gradient g are those of a network that goes on linearly with slopes g: here
/// compared by differences of `Σ g · y`.
#[test]
fn a_segment_gives_the_gradients_of_its_input_and_parameters() {
    let operations = [conv(3, 5, [8, 8], 5, 2), Operation::Relu, halved(8)];
    let (count, elements, outputs) = (3, 3 * 64, 5 * 16);
    let mut images: Vec<Vec<f64>> =
        (0..count).map(|n| numbers(elements, n as u64).iter().map(|&x| f64::from(x)).collect()).collect();
    let weight = numbers(5 * 75, 7);
    let bias = numbers(5, 8);
    let g = numbers(count * outputs, 9);
    let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let parameters: Parameters = vec![[wide(&weight), wide(&bias)], [vec![], vec![]], [vec![], vec![]]];
    let dot = |images: &[Vec<f64>], parameters: &Parameters| -> f64 {
        let outputs = forward(&operations, parameters, [3, 8, 8], images);
        outputs.iter().flatten().zip(&g).map(|(y, &g)| y * f64::from(g)).sum()
    };
    for isa in Isa::available() {
        let mut plan = SegmentPlan::new(isa, [3, 8, 8], &operations);
        plan.set(0, Parameter::Weight, &weight);
        plan.set(0, Parameter::Bias, &bias);
        let given = images.clone();
        let write = |n: usize, to: &mut [f32]| to.iter_mut().zip(&given[n]).for_each(|(to, &x)| *to = x as f32);
        let mask = |_: usize, _: usize, _: &mut [f32]| {};
        plan.forward(&Inputs { count, image: &write, mask: &mask });
        let mut y = vec![0.0; count * outputs];
        plan.output(&mut y);
        let expected = forward(&operations, &parameters, [3, 8, 8], &images);
        for (found, expected) in y.iter().zip(expected.iter().flatten()) {
            assert!((f64::from(*found) - expected).abs() < 1e-5);
        }
        plan.backward(&|n, to| to.copy_from_slice(&g[n * outputs..(n + 1) * outputs]), true);
        let mut dx = vec![0.0; count * elements];
        plan.input_gradient(&mut dx);
        for index in (0..dx.len()).step_by(37) {
            let (n, e) = (index / elements, index % elements);
            let mut at = |step: f64| {
                let value = images[n][e];
                images[n][e] = value + step;
                let found = dot(&images, &parameters);
                images[n][e] = value;
                found
            };
            let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
            assert!((f64::from(dx[index]) - slope).abs() < 1e-4, "{isa}: x[{index}] {}, not {slope}", dx[index]);
        }
        let mut dw = vec![0.0; weight.len()];
        plan.gradient(0, Parameter::Weight, &mut dw);
        for index in (0..dw.len()).step_by(41) {
            let at = |step: f64| {
                let mut moved = parameters.clone();
                moved[0][0][index] += step;
                dot(&images, &moved)
            };
            let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
            assert!((f64::from(dw[index]) - slope).abs() < 1e-3, "{isa}: w[{index}] {}, not {slope}", dw[index]);
        }
    }
}
