use backproof_kernels::{Conv2dShape, Window};
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device};

use super::*;
use crate::autodiff::testing::{random, values};

/// 3 images of 4 channels, 9×7, to 6 channels in 2 groups; then windows of 2×2 side by side.
const IMAGES: usize = 3;
const SHAPE: Conv2dShape = Conv2dShape {
    channels: 4,
    input: [9, 7],
    outputs: 6,
    kernel: [3, 2],
    stride: [1, 1],
    padding: [1, 0],
    dilation: [1, 1],
    groups: 2,
};
const OUTPUT: [usize; 3] = [6, 4, 3];

/// What there is besides convolution, ReLU and maximum.
#[derive(Debug, Clone, Copy)]
struct With {
    bias: bool,
    norm: bool,
    dropout: bool,
}

const PLAIN: With = With { bias: true, norm: false, dropout: false };
const EVERYTHING: With = With { bias: true, norm: true, dropout: true };
/// ε and the momentum of the normalisation.
const NORM: [f64; 2] = [1e-3, 0.2];

/// A mask that drops two of five elements.
fn write_mask(first: usize, mask: &mut [f32]) {
    mask.iter_mut().enumerate().for_each(|(e, mask)| *mask = if (first + e) * 7 % 5 < 2 { 0.0 } else { 1.5 });
}

fn segment(isa: Isa, with: With) -> Segment {
    let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
    let [epsilon, momentum] = NORM;
    let mut operations = vec![Operation::Conv2d { shape: SHAPE, bias: with.bias }, Operation::Relu];
    operations.extend(with.norm.then_some(Operation::BatchNorm { epsilon, momentum, scale: true, shift: true }));
    operations.push(Operation::MaxPool2d { window, output: [OUTPUT[1], OUTPUT[2]] });
    operations.extend(with.dropout.then_some(Operation::Dropout));
    Segment::new(isa, [4, 9, 7], operations, OUTPUT)
}

/// What a segment is given.
struct Point {
    input: Tensor<4>,
    parameters: SegmentParameters,
}

impl Point {
    fn new(seed: u64, with: With) -> Self {
        let vector = |salt: u64| random::<1>(seed ^ salt, [6]);
        let normalization = with.norm.then(|| SegmentNormalization {
            gamma: Some(vector(4)),
            beta: Some(vector(5)),
            running_mean: RunningState::new(vector(6)),
            running_variance: RunningState::new(vector(7).abs()),
        });
        let parameters = SegmentParameters {
            weight: random(seed ^ 2, [6, 2, 3, 2]),
            bias: with.bias.then(|| vector(3)),
            normalization,
            mask: with.dropout.then(|| -> WriteMask { Arc::new(write_mask) }),
        };
        Self { input: random(seed ^ 1, [IMAGES, 4, 9, 7]), parameters }
    }

    fn map(self, images: impl Fn(Tensor<4>) -> Tensor<4>, vector: impl Fn(Tensor<1>) -> Tensor<1>) -> Self {
        let SegmentParameters { weight, bias, normalization, mask } = self.parameters;
        let state = |state: &RunningState<Tensor<1>>| RunningState::new(vector(state.value_sync()).detach());
        let normalization = normalization.map(|of| SegmentNormalization {
            running_mean: state(&of.running_mean),
            running_variance: state(&of.running_variance),
            gamma: of.gamma.map(&vector),
            beta: of.beta.map(&vector),
        });
        let parameters = SegmentParameters { weight: images(weight), bias: bias.map(&vector), normalization, mask };
        Self { input: images(self.input), parameters }
    }

    fn cast(self, dtype: DType) -> Self {
        self.map(|tensor| tensor.cast(dtype), |tensor| tensor.cast(dtype))
    }

    fn watched(self) -> Self {
        self.map(|tensor| tensor.autodiff().require_grad(), |tensor| tensor.autodiff().require_grad())
    }

    /// The output of `forward`, the gradients of ⟨cotangent, output⟩ and the running statistics after it.
    fn differentiate(self, forward: impl FnOnce(&Self) -> Tensor<4>) -> Vec<(&'static str, Vec<f64>)> {
        let output = forward(&self);
        let cotangent = random::<4>(9, output.dims()).cast(output.dtype());
        let gradients = (output.clone() * cotangent.autodiff()).sum().backward();
        let Self { input, parameters } = self;
        let mut found = vec![
            ("output", values(output)),
            ("input", values(input.grad(&gradients).unwrap())),
            ("weight", values(parameters.weight.grad(&gradients).unwrap())),
        ];
        found.extend(parameters.bias.map(|bias| ("bias", values(bias.grad(&gradients).unwrap()))));
        if let Some(of) = parameters.normalization {
            found.push(("gamma", values(of.gamma.unwrap().grad(&gradients).unwrap())));
            found.push(("beta", values(of.beta.unwrap().grad(&gradients).unwrap())));
            found.push(("running mean", values(of.running_mean.value_sync())));
            found.push(("running variance", values(of.running_variance.value_sync())));
        }
        found
    }
}

/// By Burn's operations, in double precision.
fn by_burn(Point { input, parameters }: &Point) -> Tensor<4> {
    let SegmentParameters { weight, bias, normalization, mask } = parameters.clone();
    let Conv2dShape { stride, padding, dilation, groups, .. } = SHAPE;
    let options = ConvOptions::new(stride, padding, dilation, groups);
    let mut features = relu(conv2d(input.clone(), weight, bias, options));
    if let Some(of) = normalization {
        features = normalize(features, &of);
    }
    features = max_pool2d(features, MaxPoolOptions::new([2, 2]).with_stride([2, 2]));
    let Some(write) = mask else { return features };
    let mut mask = vec![0.0; features.dims().iter().product()];
    write(0, &mut mask);
    let mask = TensorData::new(mask, features.dims());
    features * Tensor::from_data(mask, (&Device::flex(), DType::F64)).autodiff()
}

/// By the statistics of the batch, which move the running ones.
fn normalize(features: Tensor<4>, of: &SegmentNormalization) -> Tensor<4> {
    let [images, channels, height, width] = features.dims();
    let count = (images * height * width) as f64;
    let along = |vector: Tensor<1>| vector.reshape([1, channels, 1, 1]);
    // Not `mean`: a division by a scalar has a gradient in single precision.
    let mean = |tensor: Tensor<4>| tensor.sum_dims_squeeze::<1, _>(&[0, 2, 3]) * (1.0 / count);
    let [epsilon, momentum] = NORM;
    let center = mean(features.clone());
    let deviation = features - along(center.clone());
    let variance = mean(deviation.clone() * deviation.clone());
    let unbiased = variance.clone() * (count / (count - 1.0));
    for (state, new) in of.running().into_iter().zip([center, unbiased]) {
        state.update(state.value_sync() * (1.0 - momentum) + new.detach() * momentum);
    }
    deviation * along((variance + epsilon).sqrt().recip() * of.gamma.clone().unwrap()) + along(of.beta.clone().unwrap())
}

fn by(segment: &Segment) -> impl Fn(&Point) -> Tensor<4> {
    |Point { input, parameters }| segment.forward(input.clone(), parameters.clone())
}

fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(largest > 0.1 && apart < 1e-5 * largest, "{what}: {apart:e} of {largest}");
}

/// A segment is used again and again, with a plan that has been through other passes.
#[test]
fn output_and_gradients_are_those_of_one_operation_after_the_other() {
    let without_bias = With { bias: false, ..PLAIN };
    let normalised = With { norm: true, ..without_bias };
    for (isa, with) in Isa::available()
        .into_iter()
        .flat_map(|isa| [PLAIN, without_bias, normalised, EVERYTHING].map(|with| (isa, with)))
    {
        let segment = segment(isa, with);
        for seed in [10, 20, 30] {
            let expected = Point::new(seed, with).watched().differentiate(by_burn);
            let point = || Point::new(seed, with).cast(DType::F32);
            let found = point().watched().differentiate(by(&segment));
            assert_eq!(found.len(), expected.len());
            for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                assert_close(&format!("{isa}, {with:?}, {name}"), found, expected);
            }
            assert_close("without autodiff", &values(by(&segment)(&point())), &expected[0].1);
        }
    }
}

#[test]
fn images_that_need_no_gradient_leave_those_of_the_parameters_as_they_are() {
    let segment = segment(Isa::available()[0], EVERYTHING);
    let point = || Point::new(40, EVERYTHING).cast(DType::F32);
    let expected = point().watched().differentiate(by(&segment));
    let SegmentParameters { weight, bias, normalization, mask } = point().watched().parameters;
    let normalization = normalization.unwrap();
    let vectors = [bias.clone().unwrap(), normalization.gamma.clone().unwrap(), normalization.beta.clone().unwrap()];
    let parameters = SegmentParameters { weight: weight.clone(), bias, normalization: Some(normalization), mask };
    let output = segment.forward(point().input.autodiff(), parameters);
    let cotangent = random::<4>(9, output.dims()).cast(DType::F32);
    let gradients = (output * cotangent.autodiff()).sum().backward();
    assert_eq!(values(weight.grad(&gradients).unwrap()), expected[2].1);
    for (vector, (name, expected)) in vectors.into_iter().zip(&expected[3..]) {
        assert_eq!(&values(vector.grad(&gradients).unwrap()), expected, "{name}");
    }
}

#[test]
fn plans_come_back_and_serve_again() {
    let segment = segment(Isa::available()[0], PLAIN);
    let idle = || segment.0.idle.lock().unwrap().len();
    let point = || Point::new(50, PLAIN).cast(DType::F32);
    by(&segment)(&point());
    assert_eq!(idle(), 1);
    let [one, other] = [(); 2].map(|()| by(&segment)(&point().watched()));
    assert_eq!(idle(), 0, "each graph holds a plan");
    drop(one);
    other.sum().backward();
    assert_ne!(idle(), 0, "a graph that was walked is done with its plan");
}

#[test]
#[should_panic(expected = "the segment's input")]
fn images_of_another_shape_are_refused() {
    let Point { parameters, .. } = Point::new(60, PLAIN).cast(DType::F32);
    let input = random::<4>(1, [IMAGES, 4, 7, 9]).cast(DType::F32);
    let _ = segment(Isa::available()[0], PLAIN).forward(input, parameters);
}

#[test]
#[should_panic(expected = "a segment has one operation of each kind")]
fn two_normalisations_are_refused() {
    let norm = Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true };
    let operations = vec![Operation::Conv2d { shape: SHAPE, bias: true }, norm.clone(), norm];
    let _ = Segment::new(Isa::available()[0], [4, 9, 7], operations, [6, 9, 6]);
}
