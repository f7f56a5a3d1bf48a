use burn::module::{Module, Param};
use burn::tensor::{
    Tensor,
    module::{conv_transpose2d, conv2d},
    ops::{ConvOptions, ConvTransposeOptions},
};

/// Two-dimensional convolution (cross-correlation, as in every deep learning library), with stride, zero padding,
/// dilation and groups.
///
/// # Derivation
///
/// Let `x` be `[N, C, H, W]`, `w` be `[O, C/G, K, K']`, `b` be `[O]`, and let stride `s`, padding `p` and dilation `d`
/// be per axis. First one group, `G = 1`. Outside the image `x` is zero, and
///
/// ```text
/// y_n,o,i,j = b_o + Σ_c Σ_k Σ_k' w_o,c,k,k' · x_n,c, i·s + k·d − p, j·s' + k'·d' − p'          [N, O, H', W']
/// H' = ⌊(H + 2p − d(K − 1) − 1) / s⌋ + 1 .
/// ```
///
/// With `g = ∂L/∂y`, the chain rule sums over all outputs that a value reaches. Write `h = i·s + k·d − p`, `v = j·s' +
/// k'·d' − p'` for the pixel under weight `(k, k')` in window `(i, j)`.
///
/// **Bias.** It reaches every position of its channel once: `∂L/∂b_o = Σ_n,i,j g_n,o,i,j`.
///
/// **Weight.** `w_o,c,k,k'` is used once in every window of every sample:
///
/// ```text
/// ∂L/∂w_o,c,k,k' = Σ_n Σ_i Σ_j g_n,o,i,j · x_n,c, i·s + k·d − p, j·s' + k'·d' − p' .
/// ```
///
/// Read it as a convolution: the sum runs over `n` (where the channels were), `i` and `j` (where the kernel was), and
/// `k` is the position of the window. So the *input* is `x` with samples and channels swapped, `[C, N, H, W]`; the
/// *kernel* is `g` with the same two axes swapped, `[O, N, H', W']`; neighbouring elements of that kernel are `s`
/// pixels apart and neighbouring windows are `d` apart, so **stride and dilation change places**; the padding is the
/// same. The result is `[C, O, K⁺, K'⁺]`. Where the stride did not divide evenly, `(H + 2p − d(K − 1) − 1) mod s` rows
/// at the end of the padded image are in no window and let this convolution take some positions more than `K`; they are
/// cropped.
///
/// **Input.** `x_n,c,h,v` is used by every pair of window and weight that meet on it:
///
/// ```text
/// ∂L/∂x_n,c,h,v = Σ_o Σ_(i,k: i·s + k·d − p = h) Σ_(j,k': j·s' + k'·d' − p' = v) g_n,o,i,j · w_o,c,k,k' .
/// ```
///
/// This scatters every `g` over the window that it came from, weighted by the kernel: the *transposed convolution* of
/// `g` with the same weight, stride, padding and dilation (for `s = 1` and `d = 1` an ordinary convolution with the
/// kernel turned by 180° and padding `K − 1 − p`). It yields `(H' − 1)s + d(K − 1) + 1 − 2p` rows; the
/// `(H + 2p − d(K − 1) − 1) mod s` last rows of the image are missing from that, and are what the transposed
/// convolution calls output padding. Their gradient is zero where no window reaches them; with padding one may.
///
/// **Groups.** Group `γ` maps channels `γC/G …` to outputs `γO/G …` and nothing else, so each of the above holds within
/// a group. The transposed convolution takes `groups` as it is. For the weight, all groups are one grouped convolution:
/// its batch axis is the channel within the group, its channels are the pairs `(γ, n)`, with input `[C/G, G·N, H, W]`,
/// kernel `[O, N, H', W']` and result `[C/G, O, K, K']`.
///
/// # Notation
///
/// Goodfellow, Bengio and Courville, *Deep Learning*, section 9.5, write the layer `Z = c(K, V, s)`; their `V` is our
/// `x`, `K` our `w`, `G` our `g`, and their `g(G, V, s)` and `h(K, G, s)` (without padding,
/// dilation and groups) our weight and input gradients. Dumoulin and Visin, *A guide to convolution arithmetic for deep
/// learning* (arXiv:1603.07285), relation 14, is the size of the transposed convolution, and their `a` is our output
/// padding.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `w`, of shape `[outputs, inputs / groups, height, width]`.
    pub weight: Param<Tensor<4>>,
    /// `b`, of shape `[outputs]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// Stride, padding, dilation, groups.
    #[module(skip)]
    pub options: Conv2dOptions,
}

/// How a [`Conv2d`] moves over the image; pairs are `[height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on each side.
    pub padding: [usize; 2],
    /// Pixels from an element of the kernel to the next.
    pub dilation: [usize; 2],
    /// Independent parts that the channels are divided into.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    /// Stride 1, no padding, dilation 1, one group.
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// What [`Conv2d::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct Conv2dSaved {
    /// `x`, of shape `[N, C, H, W]`.
    pub input: Tensor<4>,
}

/// What [`Conv2d::backward`] returns.
#[derive(Debug, Clone)]
pub struct Conv2dGradients {
    /// `∂L/∂x`, of shape `[N, C, H, W]`.
    pub input: Tensor<4>,
    /// `∂L/∂w`, in the shape of the weight.
    pub weight: Tensor<4>,
    /// `∂L/∂b`, of shape `[O]`, if the layer has a bias.
    pub bias: Option<Tensor<1>>,
}

impl Conv2d {
    /// The layer with these values: `weight` of shape `[outputs, inputs / groups, height, width]`, `bias` of shape
    /// `[outputs]`.
    ///
    /// # Panics
    ///
    /// Panics if the bias has another length than the weight has outputs, if the groups do not divide the outputs, or
    /// if a stride, a dilation or the number of groups is zero.
    pub fn new(weight: Tensor<4>, bias: Option<Tensor<1>>, options: Conv2dOptions) -> Self {
        let [outputs, ..] = weight.dims();
        if let Some(bias) = &bias {
            assert_eq!(bias.dims(), [outputs], "the bias must have an element for each of the {outputs} outputs");
        }
        assert!(
            options.groups > 0 && outputs.is_multiple_of(options.groups),
            "{outputs} output channels cannot be divided into {} groups",
            options.groups
        );
        assert!(
            options.stride.iter().chain(&options.dilation).all(|&step| step > 0),
            "stride {:?} and dilation {:?} must be at least 1",
            options.stride,
            options.dilation
        );
        Self { weight: Param::from_tensor(weight), bias: bias.map(Param::from_tensor), options }
    }

    /// `[N, C, H, W]` to `[N, O, H', W']`.
    ///
    /// # Panics
    ///
    /// Panics if the input's channels are not the weight's times the groups, or if the padded image is smaller than the
    /// kernel.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        conv2d(
            input,
            self.weight.val(),
            self.bias.as_ref().map(Param::val),
            ConvOptions::new(stride, padding, dilation, groups),
        )
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, input: Tensor<4>) -> (Tensor<4>, Conv2dSaved) {
        (self.forward(input.clone()), Conv2dSaved { input })
    }

    /// The gradients, from `output_gradient = ∂L/∂y` of shape `[N, O, H', W']`.
    pub fn backward(&self, saved: Conv2dSaved, output_gradient: Tensor<4>) -> Conv2dGradients {
        let input = self.input_gradient(saved.input.dims(), output_gradient.clone());
        let (weight, bias) = self.parameter_gradients(saved, output_gradient);
        Conv2dGradients { input, weight, bias }
    }

    /// `∂L/∂w` and, if there is a bias, `∂L/∂b` alone: a network's first layer needs no more, and the rest is most of
    /// the work.
    pub fn parameter_gradients(
        &self,
        saved: Conv2dSaved,
        output_gradient: Tensor<4>,
    ) -> (Tensor<4>, Option<Tensor<1>>) {
        let bias = self.bias.as_ref().map(|_| bias_gradient(output_gradient.clone()));
        (self.weight_gradient(saved.input, output_gradient), bias)
    }

    fn input_gradient(&self, [_, _, height, width]: [usize; 4], output_gradient: Tensor<4>) -> Tensor<4> {
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        let [_, _, kernel_height, kernel_width] = self.weight.dims();
        // The rows that no window reached: what is left of the padded image when the windows are laid out.
        let rest = |axis: usize, size: usize, kernel: usize| {
            (size + 2 * padding[axis] - dilation[axis] * (kernel - 1) - 1) % stride[axis]
        };
        let output_padding = [rest(0, height, kernel_height), rest(1, width, kernel_width)];
        conv_transpose2d(
            output_gradient,
            self.weight.val(),
            None,
            ConvTransposeOptions::new(stride, padding, output_padding, dilation, groups),
        )
    }

    fn weight_gradient(&self, input: Tensor<4>, output_gradient: Tensor<4>) -> Tensor<4> {
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        let [batch, channels, height, width] = input.dims();
        let [_, group_channels, kernel_height, kernel_width] = self.weight.dims();
        debug_assert_eq!(channels, groups * group_channels);
        let images = if groups == 1 {
            input.swap_dims(0, 1)
        } else {
            input.reshape([batch, groups, group_channels, height, width]).permute([2, 1, 0, 3, 4]).reshape([
                group_channels,
                groups * batch,
                height,
                width,
            ])
        };
        let kernels = output_gradient.swap_dims(0, 1);
        let gradient = conv2d(images, kernels, None, ConvOptions::new(dilation, padding, stride, groups));
        gradient.narrow(2, 0, kernel_height).narrow(3, 0, kernel_width).swap_dims(0, 1)
    }
}

fn bias_gradient(output_gradient: Tensor<4>) -> Tensor<1> {
    output_gradient.sum_dims_squeeze(&[0, 2, 3])
}

#[cfg(test)]
mod tests {
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
            let manual = layer(Engine::Manual);
            let (output, saved) = manual.forward_saving(case.tensor("input"));
            let gradients = manual.backward(saved, case.tensor("cotangent"));
            case.assert("output", output);
            case.assert("input_gradient", gradients.input);
            case.assert("weight_gradient", gradients.weight);
            assert_eq!(gradients.bias.is_some(), manual.bias.is_some());
            if let Some(bias) = gradients.bias {
                case.assert("bias_gradient", bias);
            }

            let autodiff = layer(Engine::Autodiff);
            let (output, input, gradients) =
                differentiate(case.tensor("input"), case.tensor("cotangent"), |input| autodiff.forward(input));
            case.assert("output", output);
            case.assert("input_gradient", input);
            case.assert("weight_gradient", autodiff.weight.val().grad(&gradients).unwrap());
            if let Some(bias) = autodiff.bias {
                case.assert("bias_gradient", bias.val().grad(&gradients).unwrap());
            }
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
}
