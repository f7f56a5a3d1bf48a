use crate::definition::{Definition, pair, plane, register, register_bias};
use crate::initial::Fans;
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_kernels::Conv2dShape;
use backproof_spec::{self as spec, Shape, TracedLayer};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
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
/// same. The result is `[C, O, K⁺, K'⁺]`. Where the stride did not divide evenly, `ρ = (H + 2p − d(K − 1) − 1) mod s`
/// rows at the end of the padded image are in no window. They let this convolution take `⌊ρ/d⌋` positions more than
/// `K`, which are cropped. Often there are none, since its windows move by `d` rows.
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

impl Definition for Conv2d {
    type Spec = spec::Conv2dSpec;
    type Saved = Conv2dSaved;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let [height, width] = pair(spec.kernel);
        let shape = [spec.out_channels, channels(traced.input) / spec.groups, height, width];
        let window = height * width;
        let fans = Fans { inputs: shape[1] * window, outputs: spec.out_channels / spec.groups * window };
        let weight = initial.kernels(shape, spec.groups, fans, spec.initialization);
        let options = Conv2dOptions {
            stride: pair(spec.stride),
            padding: pair(spec.padding),
            dilation: pair(spec.dilation),
            groups: spec.groups,
        };
        Self::new(weight, spec.bias.then(|| initial.biases(spec.out_channels, fans, spec.initialization)), options)
    }

    fn forward(&self, input: Features, _mode: Mode) -> Features {
        Ranked::Images(self.forward(input.images()))
    }

    fn forward_saving(&self, input: Features, _mode: Mode) -> (Features, Self::Saved) {
        let (output, saved) = self.forward_saving(input.images());
        (Ranked::Images(output), saved)
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        let found = self.backward(saved, gradient.images());
        register(gradients, &self.weight, found.weight);
        register_bias(gradients, self.bias.as_ref(), found.bias);
        Ranked::Images(found.input)
    }

    fn parameter_gradients(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) {
        let (weight, bias) = self.parameter_gradients(saved, gradient.images());
        register(gradients, &self.weight, weight);
        register_bias(gradients, self.bias.as_ref(), bias);
    }

    fn operation(spec: &Self::Spec, traced: &TracedLayer) -> Option<Operation> {
        let shape = Conv2dShape {
            channels: channels(traced.input),
            input: plane(traced.input),
            outputs: spec.out_channels,
            kernel: pair(spec.kernel),
            stride: pair(spec.stride),
            padding: pair(spec.padding),
            dilation: pair(spec.dilation),
            groups: spec.groups,
        };
        Some(Operation::Conv2d { shape, bias: spec.bias })
    }

    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        Ok(crate::Node::Convolution { weight: self.weight.val(), bias: self.bias.as_ref().map(Param::val) })
    }
}

fn channels(input: Shape) -> usize {
    let Shape::Image { channels, .. } = input else { unreachable!("`spec` gives convolutions images") };
    channels
}

#[cfg(test)]
mod tests;
