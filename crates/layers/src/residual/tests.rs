use super::*;
use crate::testing::*;
use crate::{Conv2d, Conv2dOptions, Dropout, Relu};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Gradients;

/// A convolution with a kernel of 3×3 or 1×1 that keeps the size at stride 1.
fn conv(weight: Tensor<4>, stride: usize) -> Layer {
    let padding = weight.dims()[2] / 2;
    let options = Conv2dOptions { stride: [stride; 2], padding: [padding; 2], ..Conv2dOptions::default() };
    Layer::Conv2d(Conv2d::new(weight, None, options))
}

fn relu() -> Layer {
    Layer::Relu(Relu::new(false))
}

/// The gradients of all parameters in the order of a visit: by autodiff, or registered by hand.
struct Found<'g> {
    by_autodiff: Option<&'g Gradients>,
    by_hand: &'g GradientsParams,
    values: Vec<Tensor<4>>,
}

impl ModuleVisitor for Found<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = match self.by_autodiff {
            Some(gradients) => parameter.val().grad(gradients),
            None => self.by_hand.get::<D>(parameter.id),
        };
        let gradient = gradient.expect("each parameter has a gradient");
        let mut dims = [1; 4];
        dims[..D].copy_from_slice(&gradient.dims());
        self.values.push(gradient.reshape(dims));
    }
}

/// Output, gradient of the input, and gradients of the parameters: by hand, and by autodiff.
fn both(
    layer: impl Fn(Engine) -> Residual,
    input: &Tensor<4>,
    cotangent: &Tensor<4>,
) -> [(Vec<Tensor<4>>, Tensor<4>); 2] {
    let manual = layer(Engine::Manual);
    let (output, saved) = Definition::forward_saving(&manual, Ranked::Images(input.clone()), TRAINING);
    let mut by_hand = GradientsParams::new();
    let gradient = manual.backward(saved, Ranked::Images(cotangent.clone()), &mut by_hand).images();
    let mut found = Found { by_autodiff: None, by_hand: &by_hand, values: vec![gradient] };
    manual.visit(&mut found);
    let by_hand = (found.values, output.images());

    let autodiff = layer(Engine::Autodiff);
    let (output, gradient, gradients) = differentiate(input.clone(), cotangent.clone(), |input| {
        Definition::forward(&autodiff, Ranked::Images(input), TRAINING).images()
    });
    let none = GradientsParams::new();
    let mut found = Found { by_autodiff: Some(&gradients), by_hand: &none, values: vec![gradient] };
    autodiff.visit(&mut found);
    [by_hand, (found.values, output)]
}

#[test]
fn agrees_with_pytorch() {
    for case in Fixture::load("residual").cases() {
        let layer = |engine: Engine| {
            let weight = |name| engine.on_device(case.tensor::<4>(name));
            let (first, second) = (weight("first"), weight("second"));
            match case.name.as_str() {
                "identity" => Residual::new(vec![conv(first, 1), relu(), conv(second, 1)], vec![], None),
                "zero_padding" => {
                    let padding = ZeroPadding { channels: 5, stride: [2, 2] };
                    Residual::new(vec![conv(first, 2), relu(), conv(second, 1)], vec![], Some(padding))
                }
                "projection" => {
                    let body = vec![conv(first, 2), relu(), conv(second, 1)];
                    Residual::new(body, vec![conv(weight("projection"), 2)], None)
                }
                "nested" => {
                    let inner = Residual::new(vec![conv(first, 1), relu()], vec![conv(weight("projection"), 1)], None);
                    Residual::new(vec![Layer::Residual(inner), relu(), conv(second, 1)], vec![], None)
                }
                other => panic!("{other}"),
            }
        };
        for (gradients, output) in both(layer, &case.tensor("input"), &case.tensor("cotangent")) {
            case.assert("output", output);
            // In the order of a visit, the layers of a nested body and its shortcut come before the outer ones.
            let names = match case.name.as_str() {
                "projection" => &["input", "first", "second", "projection"][..],
                "nested" => &["input", "first", "projection", "second"],
                _ => &["input", "first", "second"],
            };
            assert_eq!(gradients.len(), names.len());
            for (name, gradient) in names.iter().zip(gradients) {
                case.assert(&format!("{name}_gradient"), gradient);
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(generated())]
    #[test]
    fn agrees_with_autodiff(
        seed: u64,
        [samples, channels, more] in [1..4usize, 1..4usize, 0..4usize],
        size in [1..8usize, 1..8usize],
        stride in 1..4usize,
        shortcut in 0..3usize,
    ) {
        let (stride, more) = if shortcut == 0 { (1, 0) } else { (stride, more) };
        let outputs = channels + more;
        let layer = |engine: Engine| {
            let weight = |seed, dims| engine.on_device(random(seed, dims));
            let body = vec![
                conv(weight(seed ^ 2, [2, channels, 3, 3]), stride),
                relu(),
                Layer::Dropout(Dropout::new(0.3)),
                conv(weight(seed ^ 3, [outputs, 2, 1, 1]), 1),
            ];
            match shortcut {
                0 => Residual::new(body, vec![], None),
                1 => Residual::new(body, vec![], Some(ZeroPadding { channels: outputs, stride: [stride; 2] })),
                _ => Residual::new(body, vec![conv(weight(seed ^ 4, [outputs, channels, 1, 1]), stride)], None),
            }
        };
        let input = random(seed, [samples, channels, size[0], size[1]]);
        let cotangent = random(seed ^ 1, [samples, outputs, size[0].div_ceil(stride), size[1].div_ceil(stride)]);
        let [(by_hand, output), (by_autodiff, expected)] = both(layer, &input, &cotangent);
        assert_close("output", output, expected, AUTODIFF);
        for (gradient, expected) in by_hand.into_iter().zip(by_autodiff) {
            assert_close("gradient", gradient, expected, AUTODIFF);
        }
    }
}

#[test]
fn zero_padding_takes_the_first_of_each_pixels_and_its_gradient_goes_back_there() {
    let padding = ZeroPadding { channels: 2, stride: [2, 3] };
    let images = from_values((1..=15).map(f64::from).collect(), [1, 1, 3, 5]);
    let taken = padding.forward(images);
    assert_eq!(values(taken.clone()), [1.0, 4.0, 11.0, 14.0, 0.0, 0.0, 0.0, 0.0]);
    let back = values(padding.backward([1, 1, 3, 5], taken));
    let expected = [1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 11.0, 0.0, 0.0, 14.0, 0.0];
    assert_eq!(back, expected);
}

#[test]
fn vectors_are_added_up_too() {
    let layer = Residual::new(vec![relu()], vec![], None);
    let input = from_values::<2>(vec![-1.0, 2.0], [1, 2]);
    let (output, saved) = Definition::forward_saving(&layer, Ranked::Vectors(input), Mode::Inference);
    assert_eq!(values(output.vectors()), [-1.0, 4.0]);
    let gradient = Ranked::Vectors(from_values::<2>(vec![3.0, 5.0], [1, 2]));
    let gradient = layer.backward(saved, gradient, &mut GradientsParams::new());
    assert_eq!(values(gradient.vectors()), [3.0, 10.0]);
}
