use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::DType;
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

use super::*;
use crate::testing::{random, values};

/// Output, and gradients of ⟨cotangent, output⟩ by input, weight and bias, in f64.
fn differentiate(input: Tensor<4>, forward: impl Fn(Tensor<4>) -> Tensor<4>, parameters: &BurnConv2d) -> Vec<Vec<f64>> {
    let input = input.autodiff().require_grad();
    let output = forward(input.clone());
    let cotangent = random::<4>(9, output.dims()).cast(output.dtype()).autodiff();
    let mut gradients = (output.clone() * cotangent).sum().backward();
    let single = |tensor: Tensor<4>| values(tensor.cast(DType::F64));
    let mut found = vec![single(output), single(input.grad(&gradients).unwrap())];
    let of = GradientsParams::from_grads(std::mem::replace(&mut gradients, empty()), parameters);
    found.push(single(of.get::<4>(parameters.weight.id).unwrap()));
    if let Some(bias) = &parameters.bias {
        found.push(values(of.get::<1>(bias.id).unwrap().cast(DType::F64)));
    }
    found
}

/// Gradients of nothing.
fn empty() -> burn::tensor::Gradients {
    let one = random::<1>(1, [1]).autodiff().require_grad();
    one.sum().backward()
}

fn close(what: &str, found: &[Vec<f64>], expected: &[Vec<f64>]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(found.len() == expected.len() && apart < 2e-5 * largest, "{what}, {at}: {apart:e} of {largest}");
    }
}

/// Both layers with the same parameters, which autodiff tracks.
fn pair(config: &Conv2dConfig) -> (Conv2d, BurnConv2d) {
    let ours = config.init(&Device::flex().autodiff());
    (ours.clone(), ours.into())
}

proptest::proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        rng_seed: RngSeed::Fixed(21),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn gives_what_burn_gives(
        seed: u64, images in 1..4usize, groups in 1..4usize, per_group in 1..6usize, outputs in 1..6usize,
        [height, width] in [5..14usize, 5..14usize], kernel in [1..4usize, 1..4usize],
        stride in [1..4usize, 1..4usize], dilation in [1..3usize, 1..3usize], bias: bool, padding in 0..3usize,
    ) {
        let padding = match padding {
            0 => PaddingConfig2d::Valid,
            1 => PaddingConfig2d::Explicit(1, 2, 1, 2),
            _ => PaddingConfig2d::Explicit(0, 2, 1, 0),
        };
        let config = Conv2dConfig::new([groups * per_group, groups * outputs], kernel)
            .with_stride(stride)
            .with_dilation(dilation)
            .with_groups(groups)
            .with_bias(bias)
            .with_padding(padding);
        let (ours, burns) = pair(&config);
        let input = random::<4>(seed, [images, groups * per_group, height, width]).cast(DType::F32);
        let found = differentiate(input.clone(), |input| ours.forward(input), &burns);
        let expected = differentiate(input, |input| burns.forward(input), &burns);
        close(&format!("{config:?} of {images} images"), &found, &expected);
    }
}

#[test]
fn same_padding_keeps_the_size_for_even_kernels_and_strides_too() {
    for (kernel, stride) in [([3, 3], [1, 1]), ([2, 4], [1, 1]), ([5, 3], [2, 3])] {
        let config = Conv2dConfig::new([2, 3], kernel).with_stride(stride).with_padding(PaddingConfig2d::Same);
        let (ours, burns) = pair(&config);
        let input = random::<4>(3, [2, 2, 9, 10]).cast(DType::F32);
        let found = differentiate(input.clone(), |input| ours.forward(input), &burns);
        close("same", &found, &differentiate(input, |input| burns.forward(input), &burns));
    }
}

#[test]
fn double_precision_is_burns() {
    let (ours, burns) = pair(&Conv2dConfig::new([2, 3], [3, 3]));
    let double = |conv: Conv2d| conv.map(&mut ToDouble);
    let input = random::<4>(3, [2, 2, 9, 10]);
    let found = double(ours.clone()).forward(input.clone());
    assert_eq!(found.dtype(), DType::F64);
    assert_eq!(values(found), values(double(burns.into()).forward(input)));
    assert_eq!(ours.plans.len(), 0, "no kernel has run");
}

struct ToDouble;

impl burn::module::ModuleMapper for ToDouble {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.without_autodiff().cast(DType::F64))
    }
}

#[test]
fn images_of_any_size_have_plans_and_the_latest_are_kept() {
    let (ours, burns) = pair(&Conv2dConfig::new([2, 3], [3, 3]));
    for size in (3..40).chain([20, 3]) {
        let input = random::<4>(size as u64, [1, 2, size, size + 1]).cast(DType::F32);
        let found = values(ours.forward(input.clone()).cast(DType::F64));
        close("a size", &[found], &[values(burns.forward(input).cast(DType::F64))]);
    }
    assert_eq!(ours.plans.len(), 16);
    assert_eq!(ours.clone().plans.len(), 16, "clones share them");
}

#[test]
fn what_does_not_fit_is_an_error_with_the_shapes() {
    let conv = Conv2dConfig::new([4, 4], [3, 3]).with_dilation([2, 2]).with_groups(2).init(&Device::flex());
    let input = |dims: [usize; 4]| Tensor::<4>::zeros(dims, &Device::flex());
    let error = conv.try_forward(input([1, 3, 8, 8])).unwrap_err();
    assert_eq!(error.to_string(), "the input [1, 3, 8, 8] has 3 channels, but the convolution takes 4");
    let error = conv.try_forward(input([1, 4, 8, 4])).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the input [1, 4, 8, 4] with padding is [8, 4] pixels, but the kernel spans [5, 5]")
    );
}

#[test]
fn records_of_burn_load_and_it_looks_like_burns() {
    let config = Conv2dConfig::new([2, 3], [3, 3]);
    let device = Device::flex();
    let burns: BurnConv2d = config.init(&device).into();
    let ours = config.init(&device).load_record(burns.clone().into_record());
    assert_eq!(values(ours.weight.val().cast(DType::F64)), values(burns.weight.val().cast(DType::F64)));
    assert_eq!(ours.to_string(), burns.to_string());
}
