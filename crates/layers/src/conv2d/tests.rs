use super::*;
use crate::testing::*;

#[test]
fn agrees_with_pytorch() {
    for case in Fixture::load("conv2d").cases() {
        let layer = |engine: Engine| {
            let options = Conv2dOptions {
                stride: case.pair("stride"),
                padding: case.pair("padding"),
                dilation: case.pair("dilation"),
                groups: case.number("groups") as usize,
            };
            Conv2d::new(
                engine.on_device(case.tensor("weight")),
                case.optional("bias").map(|bias| engine.on_device(bias)),
                options,
            )
        };
        assert_weights_agree_with_pytorch!(case, layer);
    }
}

/// The layer, an input that it can take, and a cotangent, from a seed.
fn example(
    seed: u64,
    [batch, group_inputs, group_outputs, groups]: [usize; 4],
    kernel: [usize; 2],
    extra: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
) -> (Conv2d, Tensor<4>, Tensor<4>) {
    let size = [0, 1].map(|axis| {
        let extent = dilation[axis] * (kernel[axis] - 1) + 1;
        (extent + extra[axis]).saturating_sub(2 * padding[axis]).max(1)
    });
    let outputs = group_outputs * groups;
    let weight = random(seed ^ 2, [outputs, group_inputs, kernel[0], kernel[1]]);
    let options = Conv2dOptions { stride, padding, dilation, groups };
    let layer = Conv2d::new(weight, Some(random(seed ^ 3, [outputs])), options);
    let input = random(seed, [batch, group_inputs * groups, size[0], size[1]]);
    let output = layer.forward(input.clone());
    (layer, input, random(seed ^ 1, output.dims()))
}

proptest::proptest! {
    #![proptest_config(generated())]
    #[test]
    fn agrees_with_autodiff(
        seed: u64,
        laid_out: bool,
        channels in [1..4usize, 1..4usize, 1..4usize, 1..4usize],
        kernel in [1..4usize, 1..4usize],
        extra in [0..6usize, 0..6usize],
        stride in [1..4usize, 1..4usize],
        padding in [0..3usize, 0..3usize],
        dilation in [1..4usize, 1..4usize],
    ) {
        let (manual, input, cotangent) = example(seed, channels, kernel, extra, stride, padding, dilation);
        let input = if laid_out { input } else { scattered(input) };
        let given = if laid_out { cotangent.clone() } else { scattered(cotangent.clone()) };
        let (output, saved) = manual.forward_saving(input.clone());
        let gradients = manual.backward(saved, given);
        let autodiff = Conv2d::new(
            manual.weight.val().autodiff(),
            manual.bias.as_ref().map(|bias| bias.val().autodiff()),
            manual.options.clone(),
        );
        let (expected_output, expected, all) = differentiate(input, cotangent, |input| autodiff.forward(input));
        assert_close("output", output, expected_output, AUTODIFF);
        assert_close("input", gradients.input, expected, AUTODIFF);
        assert_close("weight", gradients.weight, autodiff.weight.val().grad(&all).unwrap(), AUTODIFF);
        assert_close("bias", gradients.bias.unwrap(), autodiff.bias.unwrap().val().grad(&all).unwrap(), AUTODIFF);
    }
}

#[test]
fn a_weight_gradient_with_stride_and_dilation_in_place_is_noticed() {
    let (layer, input, cotangent) = example(5, [2, 2, 3, 1], [2, 2], [4, 3], [2, 1], [0, 0], [1, 1]);
    let (_, saved) = layer.forward_saving(input.clone());
    let right = layer.backward(saved, cotangent.clone()).weight;
    let Conv2dOptions { stride, padding, dilation, groups } = layer.options;
    let options = ConvOptions::new(stride, padding, dilation, groups);
    let wrong = conv2d(input.swap_dims(0, 1), cotangent.swap_dims(0, 1), None, options).swap_dims(0, 1);
    assert_eq!(wrong.dims(), right.dims());
    assert!(difference(wrong, right, AUTODIFF).is_some());
}

/// The gradients, element by element as the derivation has them before anything is vectorised.
fn by_definition(layer: &Conv2d, input: Tensor<4>, cotangent: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let Conv2dOptions { stride, padding, dilation, groups } = layer.options;
    let ([batch, channels, height, width], weight_shape) = (input.dims(), layer.weight.dims());
    let [outputs, group_channels, kernel_height, kernel_width] = weight_shape;
    let [_, _, output_height, output_width] = cotangent.dims();
    let (x, w, g) = (values(input.clone()), values(layer.weight.val()), values(cotangent));
    let (mut x_gradient, mut w_gradient) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    let mut g = g.into_iter();
    for n in 0..batch {
        for o in 0..outputs {
            let first_channel = o / (outputs / groups) * group_channels;
            for (i, j) in (0..output_height).flat_map(|i| (0..output_width).map(move |j| (i, j))) {
                let g = g.next().unwrap();
                for c in 0..group_channels {
                    for (k, l) in (0..kernel_height).flat_map(|k| (0..kernel_width).map(move |l| (k, l))) {
                        let Some(h) = (i * stride[0] + k * dilation[0]).checked_sub(padding[0]) else { continue };
                        let Some(v) = (j * stride[1] + l * dilation[1]).checked_sub(padding[1]) else { continue };
                        if h < height && v < width {
                            let at_x = ((n * channels + first_channel + c) * height + h) * width + v;
                            let at_w = ((o * group_channels + c) * kernel_height + k) * kernel_width + l;
                            x_gradient[at_x] += g * w[at_w];
                            w_gradient[at_w] += g * x[at_x];
                        }
                    }
                }
            }
        }
    }
    (from_values(x_gradient, input.dims()), from_values(w_gradient, weight_shape))
}

/// Burn has other code for larger images, few channels and depthwise kernels than for what fits into a fixture.
#[test]
fn agrees_with_the_definition_on_images_of_real_size() {
    let one = [1, 1];
    for (channels, kernel, size, stride, padding, dilation) in [
        ([2, 16, 16, 1], [5, 5], [16, 16], one, [2, 2], one),
        ([1, 3, 16, 1], [5, 5], [32, 32], one, [2, 2], one),
        ([2, 32, 8, 1], [3, 3], [9, 8], [2, 2], [1, 1], one),
        ([2, 1, 1, 8], [3, 3], [33, 31], [2, 1], [1, 0], one),
        ([1, 2, 3, 2], [3, 2], [40, 37], [2, 1], [1, 3], [1, 2]),
        ([1, 5, 7, 1], [1, 1], [30, 29], one, [0, 0], one),
    ] {
        let extra = [0, 1].map(|axis| size[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1);
        let (layer, input, cotangent) = example(9, channels, kernel, extra, stride, padding, dilation);
        assert_eq!(input.dims()[2..], size);
        let (x, w) = by_definition(&layer, input.clone(), cotangent.clone());
        let (_, saved) = layer.forward_saving(input);
        let gradients = layer.backward(saved, cotangent);
        assert_close("input", gradients.input, x, AUTODIFF);
        assert_close("weight", gradients.weight, w, AUTODIFF);
    }
}

#[test]
fn f32_stays_f32() {
    let single = |tensor: Tensor<4>| tensor.cast(burn::tensor::DType::F32);
    let layer = Conv2d::new(single(random(1, [2, 3, 2, 2])), None, Conv2dOptions::default());
    let (output, saved) = layer.forward_saving(single(random(2, [1, 3, 4, 4])));
    let gradients = layer.backward(saved, output);
    assert_eq!(gradients.input.dtype(), burn::tensor::DType::F32);
    assert_eq!(gradients.weight.dtype(), burn::tensor::DType::F32);
}
