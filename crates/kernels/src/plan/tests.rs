//! Plans against a network written out in double precision, whose gradients are central differences.

use super::*;
use crate::conv2d::Conv2dShape;
use crate::momentum::MomentumStep;
use crate::pool::{Divisor, Window};
use crate::testing::numbers;
use crate::winograd::Winograd;

/// One layer's parameters in row-major order: weight and bias.
type Parameters = Vec<[Vec<f64>; 2]>;

/// Outputs `[N][features]` of `layers` with batch statistics, in double precision, straight from the definitions.
fn forward(layers: &[Layer], parameters: &Parameters, input: [usize; 3], images: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut shape = input;
    let mut batch: Vec<Vec<f64>> = images.to_vec();
    for (number, layer) in layers.iter().enumerate() {
        let [weight, bias] = &parameters[number];
        let [channels, height, width] = shape;
        let at = move |c: usize, i: usize, j: usize| (c * height + i) * width + j;
        match layer {
            Layer::Flatten => shape = [channels * height * width, 1, 1],
            Layer::Relu => batch.iter_mut().flatten().for_each(|x| *x = x.max(0.0)),
            Layer::Dropout => {
                let elements = channels * height * width;
                for (n, image) in batch.iter_mut().enumerate() {
                    image.iter_mut().enumerate().for_each(|(e, x)| *x *= f64::from(mask(number, n * elements + e)));
                }
            }
            Layer::Linear { outputs, .. } => {
                for image in &mut batch {
                    let dot =
                        |o: usize| image.iter().enumerate().map(|(f, x)| x * weight[o * image.len() + f]).sum::<f64>();
                    *image = (0..*outputs).map(|o| dot(o) + bias.get(o).unwrap_or(&0.0)).collect();
                }
                shape = [*outputs, 1, 1];
            }
            Layer::Conv2d { shape: conv, .. } => {
                let [rows, columns] = conv.output();
                let (inputs, outputs) = (conv.channels / conv.groups, conv.outputs / conv.groups);
                for image in &mut batch {
                    let mut out = Vec::new();
                    for o in 0..conv.outputs {
                        for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                            let mut sum = *bias.get(o).unwrap_or(&0.0);
                            for (c, k, l) in triples([inputs, conv.kernel[0], conv.kernel[1]]) {
                                let row = (i * conv.stride[0] + k * conv.dilation[0]).wrapping_sub(conv.padding[0]);
                                let column = (j * conv.stride[1] + l * conv.dilation[1]).wrapping_sub(conv.padding[1]);
                                if row < height && column < width {
                                    let weight = weight[((o * inputs + c) * conv.kernel[0] + k) * conv.kernel[1] + l];
                                    sum += weight * image[at(o / outputs * inputs + c, row, column)];
                                }
                            }
                            out.push(sum);
                        }
                    }
                    *image = out;
                }
                shape = [conv.outputs, rows, columns];
            }
            Layer::MaxPool2d { window, output: [rows, columns] }
            | Layer::AvgPool2d { window, output: [rows, columns], .. } => {
                let largest = matches!(layer, Layer::MaxPool2d { .. });
                for image in &mut batch {
                    let mut out = Vec::new();
                    for (c, i, j) in triples([channels, *rows, *columns]) {
                        let seen: Vec<f64> = triples([1, window.kernel[0], window.kernel[1]])
                            .filter_map(|(_, k, l)| {
                                let row = (i * window.stride[0] + k).wrapping_sub(window.padding[0]);
                                let column = (j * window.stride[1] + l).wrapping_sub(window.padding[1]);
                                (row < height && column < width).then(|| image[at(c, row, column)])
                            })
                            .collect();
                        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
                        out.push(if largest { seen.iter().copied().fold(f64::NEG_INFINITY, f64::max) } else { mean });
                    }
                    *image = out;
                }
                shape = [channels, *rows, *columns];
            }
            Layer::BatchNorm { epsilon, .. } => {
                for c in 0..channels {
                    let pixels = height * width;
                    let range = c * pixels..(c + 1) * pixels;
                    let count = (batch.len() * pixels) as f64;
                    let mean = batch.iter().flat_map(|x| &x[range.clone()]).sum::<f64>() / count;
                    let variance =
                        batch.iter().flat_map(|x| &x[range.clone()]).map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                    for x in batch.iter_mut().flat_map(|image| &mut image[range.clone()]) {
                        *x = (*x - mean) / (variance + epsilon).sqrt() * weight[c] + bias[c];
                    }
                }
            }
        }
    }
    batch
}

fn triples([a, b, c]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

/// A mask that drops every third element.
fn mask(layer: usize, element: usize) -> f32 {
    if (element * 7 + layer).is_multiple_of(3) { 0.0 } else { 1.5 }
}

fn loss(layers: &[Layer], parameters: &Parameters, input: [usize; 3], images: &[Vec<f64>], labels: &[usize]) -> f64 {
    let outputs = forward(layers, parameters, input, images);
    let of = |(z, &label): (&Vec<f64>, &usize)| z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[label];
    outputs.iter().zip(labels).map(of).sum::<f64>() / labels.len() as f64
}

/// Sizes of weight and bias of each layer.
fn sizes(layers: &[Layer], input: [usize; 3]) -> Vec<[usize; 2]> {
    let mut shape = input;
    layers
        .iter()
        .map(|layer| match layer {
            Layer::Conv2d { shape: conv, bias } => {
                shape = [conv.outputs, conv.output()[0], conv.output()[1]];
                [conv.weights(), if *bias { conv.outputs } else { 0 }]
            }
            Layer::MaxPool2d { output, .. } | Layer::AvgPool2d { output, .. } => {
                shape = [shape[0], output[0], output[1]];
                [0, 0]
            }
            Layer::Linear { outputs, bias } => {
                let features: usize = shape.iter().product();
                shape = [*outputs, 1, 1];
                [outputs * features, if *bias { *outputs } else { 0 }]
            }
            Layer::BatchNorm { .. } => [shape[0], shape[0]],
            Layer::Flatten => {
                shape = [shape.iter().product(), 1, 1];
                [0, 0]
            }
            Layer::Relu | Layer::Dropout => [0, 0],
        })
        .collect()
}

fn check(layers: &[Layer], input: [usize; 3], count: usize) {
    let sizes = sizes(layers, input);
    let mut parameters: Parameters = Vec::new();
    for (number, &[weights, biases]) in sizes.iter().enumerate() {
        let scale = if weights == 0 { 1.0 } else { (2.0 / (weights as f64 / biases.max(1) as f64)).sqrt() };
        let seed = number as u64;
        let draw =
            |count, seed, shift: f64| numbers(count, seed).iter().map(|&x| scale * f64::from(x) + shift).collect();
        let shift = if matches!(layers[number], Layer::BatchNorm { .. }) { 1.0 } else { 0.0 };
        parameters.push([draw(weights, seed, shift), draw(biases, 100 + seed, 0.0)]);
    }
    // Values that single precision holds exactly, so that both compute with the same.
    parameters.iter_mut().flatten().flatten().for_each(|x| *x = f64::from(*x as f32));
    let elements: usize = input.iter().product();
    let images: Vec<Vec<f64>> =
        (0..count).map(|n| numbers(elements, 50 + n as u64).iter().map(|&x| f64::from(x)).collect()).collect();
    let classes = forward(layers, &parameters, input, &images)[0].len();
    let labels: Vec<usize> = (0..count).map(|n| n % classes).collect();
    let expected = forward(layers, &parameters, input, &images);
    let expected_loss = loss(layers, &parameters, input, &images, &labels);

    for isa in Isa::available() {
        let mut plan = TrainingPlan::new(isa, input, layers);
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
        let masks = |layer: usize, first: usize, to: &mut [f32]| {
            to.iter_mut().enumerate().for_each(|(e, to)| *to = mask(layer, first + e));
        };
        let batch = Batch { count, image: &write, mask: &masks };
        let found = plan.pass(&batch, &labels, Objective::CrossEntropy);
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
                        let found = loss(layers, &parameters, input, &images, &labels);
                        parameters[number][which][index] = value;
                        found
                    };
                    let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
                    let error = (f64::from(gradient[index]) - slope).abs();
                    assert!(
                        error < 2e-5 + 1e-4 * slope.abs(),
                        "{isa}: {:?} of {:?} [{index}]: {}, not {slope}",
                        names[which],
                        layers[number],
                        gradient[index]
                    );
                }
            }
        }
        let again = plan.clone().pass(&batch, &labels, Objective::CrossEntropy);
        assert_eq!(again.loss.to_bits(), found.loss.to_bits(), "a pass repeats bit for bit");
        plan.momentum_step(MomentumStep::new(0.01, 0.0, 0.0));
        let after = plan.pass(&batch, &labels, Objective::CrossEntropy);
        assert!(
            after.loss < found.loss,
            "a step along the gradient makes the loss smaller: {} {}",
            found.loss,
            after.loss
        );
    }
}

fn conv(channels: usize, outputs: usize, size: [usize; 2], kernel: usize, padding: usize) -> Layer {
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
    Layer::Conv2d { shape, bias: true }
}

fn window(kernel: usize, stride: usize, padding: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], dilation: [1, 1] }
}

fn halved(size: usize) -> Layer {
    Layer::MaxPool2d { window: window(2, 2, 0), output: [size / 2; 2] }
}

#[test]
fn a_course_network_is_differentiated() {
    let layers = [
        conv(3, 5, [8, 8], 5, 2),
        Layer::Relu,
        halved(8),
        conv(5, 18, [4, 4], 5, 2),
        Layer::Relu,
        Layer::Flatten,
        Layer::Linear { outputs: 10, bias: true },
    ];
    for count in [1, 5, 40] {
        check(&layers, [3, 8, 8], count);
    }
}

#[test]
fn normalisation_and_dropout_between_convolutions_are_differentiated() {
    let norm = || Layer::BatchNorm { epsilon: 1e-3, momentum: 0.1 };
    let layers = [
        conv(1, 7, [6, 6], 3, 1),
        Layer::Relu,
        norm(),
        conv(7, 6, [6, 6], 3, 1),
        Layer::Relu,
        norm(),
        halved(6),
        Layer::Dropout,
        conv(6, 8, [3, 3], 3, 1),
        norm(),
        Layer::Relu,
        Layer::Flatten,
        Layer::Linear { outputs: 9, bias: false },
        Layer::Relu,
        Layer::Dropout,
        Layer::Linear { outputs: 4, bias: true },
    ];
    check(&layers, [1, 6, 6], 6);
    check(&layers, [1, 6, 6], 19);
}

#[test]
fn a_perceptron_is_differentiated() {
    let layers = [
        Layer::Flatten,
        Layer::Linear { outputs: 12, bias: true },
        Layer::Relu,
        Layer::BatchNorm { epsilon: 1e-3, momentum: 0.1 },
        Layer::Linear { outputs: 7, bias: true },
        Layer::Relu,
        Layer::Linear { outputs: 3, bias: true },
    ];
    check(&layers, [3, 3, 5], 8);
}

#[test]
fn strides_groups_overlapping_windows_and_maxima_behind_each_other_are_differentiated() {
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
    let layers = [
        Layer::BatchNorm { epsilon: 1e-3, momentum: 0.1 },
        conv(2, 6, [13, 13], 3, 1),
        Layer::Relu,
        Layer::MaxPool2d { window: window(3, 2, 0), output: [6, 6] },
        Layer::Conv2d { shape: grouped, bias: false },
        Layer::Relu,
        Layer::AvgPool2d { window: window(2, 1, 0), divisor: Divisor::Inside, output: [2, 5] },
        Layer::MaxPool2d { window: window(2, 1, 0), output: [1, 4] },
        Layer::MaxPool2d { window: Window { kernel: [1, 2], ..window(2, 1, 0) }, output: [1, 3] },
        Layer::Flatten,
        Layer::Linear { outputs: 3, bias: true },
    ];
    check(&layers, [2, 13, 13], 5);
}

#[test]
fn convolutions_by_tiles_are_differentiated() {
    let layers = [
        conv(16, 18, [4, 4], 5, 2),
        Layer::Relu,
        Layer::BatchNorm { epsilon: 1e-3, momentum: 0.1 },
        conv(18, 16, [4, 4], 3, 1),
        Layer::Relu,
        halved(4),
        conv(16, 16, [2, 2], 5, 2),
        Layer::Relu,
        Layer::Flatten,
        Layer::Linear { outputs: 3, bias: true },
    ];
    for layer in &layers {
        assert!(!matches!(layer, Layer::Conv2d { shape, .. } if !Winograd::pays(shape)), "{layer:?}");
    }
    check(&layers, [16, 4, 4], 1);
    check(&layers, [16, 4, 4], 18);
}

#[test]
fn inference_uses_the_running_statistics_and_drops_nothing() {
    let layers = [Layer::BatchNorm { epsilon: 1e-5, momentum: 0.5 }, Layer::Dropout, Layer::Flatten];
    let mut plan = InferencePlan::new(Isa::Portable, [2, 1, 1], &layers);
    plan.set(0, Parameter::Weight, &[2.0, 2.0]);
    plan.set(0, Parameter::Bias, &[1.0, 1.0]);
    plan.set(0, Parameter::RunningMean, &[3.0, 3.0]);
    plan.set(0, Parameter::RunningVariance, &[4.0, 4.0]);
    let image = |_: usize, to: &mut [f32]| to.copy_from_slice(&[3.0, 5.0]);
    let mask = |_: usize, _: usize, _: &mut [f32]| panic!("inference drops nothing");
    plan.infer(&Batch { count: 3, image: &image, mask: &mask });
    let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    close(plan.outputs(2)[0], 1.0);
    close(plan.outputs(2)[1], 3.0);
}

#[test]
fn running_statistics_follow_the_batch() {
    let layers = [Layer::BatchNorm { epsilon: 1e-5, momentum: 0.25 }, Layer::Flatten];
    let mut plan = TrainingPlan::new(Isa::Portable, [1, 1, 1], &layers);
    let image = |n: usize, to: &mut [f32]| to[0] = [0.0, 2.0, 1.0, 3.0][n];
    let mask = |_: usize, _: usize, _: &mut [f32]| {};
    plan.pass(&Batch { count: 4, image: &image, mask: &mask }, &[0; 4], Objective::CrossEntropy);
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
    let layers = [conv(3, 5, [8, 8], 5, 2), Layer::Relu, halved(8)];
    let (count, elements, outputs) = (3, 3 * 64, 5 * 16);
    let mut images: Vec<Vec<f64>> =
        (0..count).map(|n| numbers(elements, n as u64).iter().map(|&x| f64::from(x)).collect()).collect();
    let weight = numbers(5 * 75, 7);
    let bias = numbers(5, 8);
    let g = numbers(count * outputs, 9);
    let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let parameters: Parameters = vec![[wide(&weight), wide(&bias)], [vec![], vec![]], [vec![], vec![]]];
    let dot = |images: &[Vec<f64>], parameters: &Parameters| -> f64 {
        let outputs = forward(&layers, parameters, [3, 8, 8], images);
        outputs.iter().flatten().zip(&g).map(|(y, &g)| y * f64::from(g)).sum()
    };
    for isa in Isa::available() {
        let mut plan = SegmentPlan::new(isa, [3, 8, 8], &layers);
        plan.set(0, Parameter::Weight, &weight);
        plan.set(0, Parameter::Bias, &bias);
        let given = images.clone();
        let write = |n: usize, to: &mut [f32]| to.iter_mut().zip(&given[n]).for_each(|(to, &x)| *to = x as f32);
        let mask = |_: usize, _: usize, _: &mut [f32]| {};
        plan.forward(&Batch { count, image: &write, mask: &mask });
        let mut y = vec![0.0; count * outputs];
        plan.output(&mut y);
        let expected = forward(&layers, &parameters, [3, 8, 8], &images);
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
