use burn::module::Module;
use burn::tensor::{
    IndexingUpdateOp, Int, Tensor,
    module::{max_pool2d, max_pool2d_with_indices},
    ops::MaxPoolOptions,
};

use crate::definition::{Definition, pair, plane};
use crate::window::{Axis, axes};
use crate::{Features, Initial, Mode, Ranked, Sides};
use backproof_compiled::Operation;
use backproof_kernels::Window;
use backproof_spec::{self as spec, TracedLayer};
use burn::optim::GradientsParams;

/// The largest value of every window of a channel.
///
/// # Derivation
///
/// Let `x` be `[N, C, H, W]`, and let `Ω(i, j)` be the positions of the image in window `(i, j)`: those `(h, v)` with
/// `h = i·s + k·d − p`, `v = j·s' + k'·d' − p'` for some `0 ≤ k < K`, `0 ≤ k' < K'` that lie inside of the image.
/// Padding takes no part in the maximum. Then
///
/// ```text
/// y_n,c,i,j = max over (h, v) in Ω(i, j) of x_n,c,h,v                 [N, C, H', W']
/// ```
///
/// Where the maximum is attained at one position `m(n, c, i, j)` only, that remains the argmax for all small changes of
/// `x`, so `y` is `x` at that position and
///
/// ```text
/// ∂y_n,c,i,j / ∂x_n,c,h,v = 1 if (h, v) = m(n, c, i, j), else 0
/// ∂L/∂x_n,c,h,v = Σ over the windows (i, j) with m(n, c, i, j) = (h, v) of g_n,c,i,j        [N, C, H, W]
/// ```
///
/// with `g = ∂L/∂y`. Windows overlap when the stride is less than the kernel, so that a pixel may win several of them:
/// the sum is a *scatter with addition*. In vectors, with an image flattened to `H·W` elements and `m` the flattened
/// position: `gradient[m[q]] += g[q]` for all `q`.
///
/// # Conventions
///
/// Where several positions share the maximum, `y` is not differentiable. The whole gradient goes to the **first of them
/// in row-major order of the window**. Any split of it would be a subgradient; this one is what Burn and PyTorch
/// compute on a CPU, and it keeps the sum of the gradient.
///
/// `ceil_mode` rounds the number of windows up, so that the last may reach over the padded image; windows that would
/// start past the image and its leading padding are dropped, as in PyTorch.
///
/// # Source
///
/// Scherer, Müller and Behnke, *Evaluation of pooling operations in convolutional architectures for object
/// recognition*, ICANN 2010, section 3.
#[derive(Module, Debug)]
pub struct MaxPool2d {
    /// Kernel, stride, padding, dilation, rounding.
    #[module(skip)]
    pub options: MaxPool2dOptions,
}

/// The windows of a [`MaxPool2d`]; pairs are `[height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxPool2dOptions {
    /// Positions in a window.
    pub kernel: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Rows and columns on each side that windows may reach over.
    pub padding: [usize; 2],
    /// Pixels from a position of a window to the next.
    pub dilation: [usize; 2],
    /// Whether a last, partial window counts.
    pub ceil_mode: bool,
}

impl MaxPool2dOptions {
    /// Windows of this size side by side: the stride is the kernel, no padding, dilation 1, no partial windows.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1], ceil_mode: false }
    }
}

/// What [`MaxPool2d::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct MaxPool2dSaved {
    /// The argmax `m`, of shape `[N, C, H', W']`: `h·W + v` within the image of the channel.
    pub argmax: Tensor<4, Int>,
    /// `[N, C, H, W]`.
    pub input_shape: [usize; 4],
}

impl MaxPool2d {
    /// The layer with these windows.
    ///
    /// # Panics
    ///
    /// Panics if a kernel size, a stride or a dilation is zero.
    pub fn new(options: MaxPool2dOptions) -> Self {
        assert!(
            options.kernel.iter().chain(&options.stride).chain(&options.dilation).all(|&size| size > 0),
            "kernel, stride and dilation must be at least 1: {options:?}"
        );
        Self { options }
    }

    /// `[N, C, H, W]` to `[N, C, H', W']`.
    ///
    /// # Panics
    ///
    /// Panics if the padded image is smaller than the window, or if a window has no pixel in it: its maximum would be
    /// −∞.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.check(input.dims());
        max_pool2d(input, self.burn_options())
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, input: Tensor<4>) -> (Tensor<4>, MaxPool2dSaved) {
        let input_shape = input.dims();
        self.check(input_shape);
        let (output, argmax) = max_pool2d_with_indices(input, self.burn_options());
        (output, MaxPool2dSaved { argmax, input_shape })
    }

    /// `∂L/∂x`, of shape `[N, C, H, W]`, from `output_gradient = ∂L/∂y` of shape `[N, C, H', W']`.
    pub fn backward(&self, saved: MaxPool2dSaved, output_gradient: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = saved.input_shape;
        let [_, _, output_height, output_width] = output_gradient.dims();
        let images = batch * channels;
        let options = (&output_gradient.device(), output_gradient.dtype());
        let flat = [images, output_height * output_width];
        Tensor::<2>::zeros([images, height * width], options)
            .scatter(1, saved.argmax.reshape(flat), output_gradient.reshape(flat), IndexingUpdateOp::Add)
            .reshape(saved.input_shape)
    }

    fn check(&self, [_, _, height, width]: [usize; 4]) {
        for axis in self.axes([height, width]) {
            axis.check();
        }
    }

    /// Rows and columns of the output, of an input of `size` rows and columns.
    #[must_use]
    pub fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        self.axes(size).map(|axis| axis.windows())
    }

    fn axes(&self, size: [usize; 2]) -> [Axis; 2] {
        let MaxPool2dOptions { kernel, stride, padding, dilation, ceil_mode } = self.options;
        axes(size, kernel, stride, padding, dilation, ceil_mode)
    }

    fn burn_options(&self) -> MaxPoolOptions<2> {
        let MaxPool2dOptions { kernel, stride, padding, dilation, ceil_mode } = self.options;
        MaxPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding(padding)
            .with_dilation(dilation)
            .with_ceil_mode(ceil_mode)
    }
}

impl Definition for MaxPool2d {
    type Spec = spec::MaxPool2dSpec;
    type Saved = MaxPool2dSaved;

    fn build(spec: &Self::Spec, _traced: &TracedLayer, _initial: Initial<'_>) -> Self {
        Self::new(MaxPool2dOptions {
            kernel: pair(spec.kernel),
            stride: pair(spec.effective_stride()),
            padding: pair(spec.padding),
            dilation: pair(spec.dilation),
            ceil_mode: spec.ceil_mode,
        })
    }

    fn forward(&self, input: Features, _mode: Mode) -> Features {
        Ranked::Images(self.forward(input.images()))
    }

    fn forward_saving(&self, input: Features, _mode: Mode) -> (Features, Self::Saved) {
        let (output, saved) = self.forward_saving(input.images());
        (Ranked::Images(output), saved)
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, _gradients: &mut GradientsParams) -> Features {
        Ranked::Images(self.backward(saved, gradient.images()))
    }

    fn sides(saved: &Self::Saved) -> Option<Sides> {
        Some(Sides::Argmax(saved.argmax.clone()))
    }

    fn operation(spec: &Self::Spec, traced: &TracedLayer) -> Option<Operation> {
        let (kernel, stride) = (pair(spec.kernel), pair(spec.effective_stride()));
        let window = Window { kernel, stride, padding: pair(spec.padding), dilation: pair(spec.dilation) };
        Some(Operation::MaxPool2d { window, output: plane(traced.output) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("max_pool2d").cases() {
            let layer = MaxPool2d::new(MaxPool2dOptions {
                kernel: case.pair("kernel"),
                stride: case.pair("stride"),
                padding: case.pair("padding"),
                dilation: case.pair("dilation"),
                ceil_mode: case.number("ceil_mode") != 0.0,
            });
            assert_agrees_with_pytorch!(case, layer, 4);
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(
            seed: u64,
            laid_out: bool,
            batch in 1..3usize,
            channels in 1..4usize,
            size in [1..9usize, 1..9usize],
            kernel in [1..4usize, 1..4usize],
            stride in [1..4usize, 1..4usize],
            padding in [0..2usize, 0..2usize],
            dilation in [1..4usize, 1..4usize],
            ceil_mode: bool,
            ties: bool,
        ) {
            let layer = MaxPool2d::new(MaxPool2dOptions { kernel, stride, padding, dilation, ceil_mode });
            proptest::prop_assume!(layer.axes(size).iter().all(|axis| axis.problem().is_none()));
            let shape = [batch, channels, size[0], size[1]];
            let input = if ties { few_values(seed, shape) } else { random(seed, shape) };
            let input = if laid_out { input } else { scattered(input) };
            let windows = layer.output_size(size);
            let cotangent = random(seed ^ 1, [batch, channels, windows[0], windows[1]]);
            let given = if laid_out { cotangent.clone() } else { scattered(cotangent.clone()) };
            assert_agrees_with_autodiff!(layer, input, cotangent, given);
        }
    }

    #[test]
    fn of_equal_maxima_the_first_in_the_window_takes_the_gradient() {
        let layer = MaxPool2d::new(MaxPool2dOptions { stride: [1, 1], ..MaxPool2dOptions::new([2, 2]) });
        #[rustfmt::skip]
        let input = from_values(vec![
            1.0, 5.0, 0.0,
            5.0, 5.0, 5.0,
        ], [1, 1, 2, 3]);
        let (_, saved) = layer.forward_saving(input);
        // Both windows have their first 5 at row 0, column 1: as the second and as the first element of the window.
        let gradient = layer.backward(saved, from_values(vec![10.0, 1.0], [1, 1, 1, 2]));
        assert_eq!(values(gradient), [0.0, 11.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "window 0 has only padding in it")]
    fn a_window_without_a_pixel_is_refused() {
        let options = MaxPool2dOptions { padding: [2, 0], ..MaxPool2dOptions::new([1, 1]) };
        MaxPool2d::new(options).forward(random(1, [1, 1, 2, 2]));
    }

    #[test]
    #[should_panic(expected = "smaller than the window")]
    fn an_image_smaller_than_the_window_is_refused() {
        MaxPool2d::new(MaxPool2dOptions::new([3, 3])).forward(random(1, [1, 1, 2, 3]));
    }
}
