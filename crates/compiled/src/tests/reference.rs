//! A network written out in double precision, straight from the definitions.

use backproof_kernels::ElementFunction;

use crate::{Operation, Shortcut};

/// One operation's parameters in row-major order: weight and bias.
pub(super) type Parameters = Vec<[Vec<f64>; 2]>;

/// Outputs `[N][features]` of `operations` with batch statistics, in double precision, straight from the definitions.
pub(super) fn forward(
    operations: &[Operation],
    parameters: &Parameters,
    input: [usize; 3],
    images: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    chain(operations, 0, parameters, input, images.to_vec()).1
}

/// The shape and the batch after operations, of which the first has the number `first`.
fn chain(
    operations: &[Operation],
    first: usize,
    parameters: &Parameters,
    mut shape: [usize; 3],
    mut batch: Vec<Vec<f64>>,
) -> ([usize; 3], Vec<Vec<f64>>) {
    let mut next = first;
    for operation in operations {
        let number = next;
        next += operation.count();
        let [weight, bias] = &parameters[number];
        let [channels, height, width] = shape;
        let at = move |c: usize, i: usize, j: usize| (c * height + i) * width + j;
        match operation {
            Operation::Flatten => shape = [channels * height * width, 1, 1],
            Operation::Relu | Operation::ReluPassingZero => batch.iter_mut().flatten().for_each(|x| *x = x.max(0.0)),
            Operation::Elementwise(f) => batch.iter_mut().flatten().for_each(|x| *x = value(*f, *x)),
            Operation::Prelu => {
                batch.iter_mut().flatten().for_each(|x| *x = if *x > 0.0 { *x } else { weight[0] * *x });
            }
            Operation::Dropout => {
                let elements = channels * height * width;
                for (n, image) in batch.iter_mut().enumerate() {
                    image.iter_mut().enumerate().for_each(|(e, x)| *x *= f64::from(mask(number, n * elements + e)));
                }
            }
            Operation::Linear { outputs, .. } => {
                for image in &mut batch {
                    let dot =
                        |o: usize| image.iter().enumerate().map(|(f, x)| x * weight[o * image.len() + f]).sum::<f64>();
                    *image = (0..*outputs).map(|o| dot(o) + bias.get(o).unwrap_or(&0.0)).collect();
                }
                shape = [*outputs, 1, 1];
            }
            Operation::Conv2d { shape: conv, .. } => {
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
            Operation::MaxPool2d { window, output: [rows, columns] }
            | Operation::AvgPool2d { window, output: [rows, columns], .. } => {
                let largest = matches!(operation, Operation::MaxPool2d { .. });
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
            Operation::BatchNorm { epsilon, .. } => {
                let [gamma, beta] = [(weight, 1.0), (bias, 0.0)]
                    .map(|(values, absent)| move |c: usize| values.get(c).copied().unwrap_or(absent));
                for c in 0..channels {
                    let pixels = height * width;
                    let range = c * pixels..(c + 1) * pixels;
                    let count = (batch.len() * pixels) as f64;
                    let mean = batch.iter().flat_map(|x| &x[range.clone()]).sum::<f64>() / count;
                    let variance =
                        batch.iter().flat_map(|x| &x[range.clone()]).map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                    for x in batch.iter_mut().flat_map(|image| &mut image[range.clone()]) {
                        *x = (*x - mean) / (variance + epsilon).sqrt() * gamma(c) + beta(c);
                    }
                }
            }
            Operation::Residual { body, shortcut } => {
                let of_shortcut = number + 1 + body.iter().map(Operation::count).sum::<usize>();
                let (output, of_body) = chain(body, number + 1, parameters, shape, batch.clone());
                let beside = match shortcut {
                    Shortcut::Identity => batch,
                    Shortcut::Operations(operations) => chain(operations, of_shortcut, parameters, shape, batch).1,
                    Shortcut::Pixels { stride, .. } => {
                        let pixel = |image: &[f64], c, i, j| {
                            if c < channels { image[at(c, i * stride[0], j * stride[1])] } else { 0.0 }
                        };
                        batch
                            .iter()
                            .map(|image| triples(output).map(|(c, i, j)| pixel(image, c, i, j)).collect())
                            .collect()
                    }
                };
                shape = output;
                batch =
                    of_body.iter().zip(&beside).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x + y).collect()).collect();
            }
        }
    }
    (shape, batch)
}

/// Every operation, those inside of others included, by number.
pub(super) fn all(operations: &[Operation]) -> Vec<&Operation> {
    let mut found = Vec::new();
    for operation in operations {
        found.push(operation);
        if let Operation::Residual { body, shortcut } = operation {
            found.extend(all(body));
            if let Shortcut::Operations(operations) = shortcut {
                found.extend(all(operations));
            }
        }
    }
    found
}

fn triples([a, b, c]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

/// A function of one element.
fn value(f: ElementFunction, x: f64) -> f64 {
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    match f {
        ElementFunction::Gelu => {
            // Φ by the series of Abramowitz and Stegun 26.2.11, for the moderate numbers of these tests.
            let terms = (1..200).scan(x, |term, k| {
                *term *= x * x / f64::from(2 * k + 1);
                Some(*term)
            });
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            x * (0.5 + density * (x + terms.sum::<f64>()))
        }
        ElementFunction::GeluTanh => x * logistic((8.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))),
        ElementFunction::LeakyRelu { slope } => x.max(0.0) + f64::from(slope) * x.min(0.0),
        ElementFunction::Scale { factor } => f64::from(factor) * x,
        ElementFunction::Silu => x * logistic(x),
        ElementFunction::Sigmoid => logistic(x),
        ElementFunction::Tanh => x.tanh(),
        ElementFunction::Softplus => x.exp().ln_1p(),
        ElementFunction::Elu { alpha } => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha) * x.exp_m1()
            }
        }
    }
}

/// A mask that drops every third element.
pub(super) fn mask(operation: usize, element: usize) -> f32 {
    if (element * 7 + operation).is_multiple_of(3) { 0.0 } else { 1.5 }
}

pub(super) fn loss(
    operations: &[Operation],
    parameters: &Parameters,
    input: [usize; 3],
    images: &[Vec<f64>],
    labels: &[usize],
) -> f64 {
    let outputs = forward(operations, parameters, input, images);
    let of = |(z, &label): (&Vec<f64>, &usize)| z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[label];
    outputs.iter().zip(labels).map(of).sum::<f64>() / labels.len() as f64
}

/// Sizes of weight and bias of each operation.
pub(super) fn sizes(operations: &[Operation], input: [usize; 3]) -> Vec<[usize; 2]> {
    sizes_of_chain(operations, &mut { input })
}

fn sizes_of_chain(operations: &[Operation], shape: &mut [usize; 3]) -> Vec<[usize; 2]> {
    let of_single = |operation: &Operation, shape: &mut [usize; 3]| match operation {
        Operation::Conv2d { shape: conv, bias } => {
            *shape = [conv.outputs, conv.output()[0], conv.output()[1]];
            [conv.weights(), if *bias { conv.outputs } else { 0 }]
        }
        Operation::MaxPool2d { output, .. } | Operation::AvgPool2d { output, .. } => {
            *shape = [shape[0], output[0], output[1]];
            [0, 0]
        }
        Operation::Linear { outputs, bias } => {
            let features: usize = shape.iter().product();
            *shape = [*outputs, 1, 1];
            [outputs * features, if *bias { *outputs } else { 0 }]
        }
        Operation::BatchNorm { scale, shift, .. } => {
            [scale, shift].map(|is_there| if *is_there { shape[0] } else { 0 })
        }
        Operation::Prelu => [1, 0],
        Operation::Flatten => {
            *shape = [shape.iter().product(), 1, 1];
            [0, 0]
        }
        _ => [0, 0],
    };
    let mut sizes = Vec::new();
    for operation in operations {
        sizes.push(of_single(operation, shape));
        if let Operation::Residual { body, shortcut } = operation {
            let mut of_shortcut = *shape;
            sizes.extend(sizes_of_chain(body, shape));
            if let Shortcut::Operations(operations) = shortcut {
                sizes.extend(sizes_of_chain(operations, &mut of_shortcut));
            }
        }
    }
    sizes
}
