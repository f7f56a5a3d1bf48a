use burn::module::Module;
use burn::tensor::{
    DType, Device, Tensor, TensorData,
    module::{avg_pool2d, conv_transpose2d},
    ops::{AvgPoolOptions, ConvTransposeOptions},
};

use crate::definition::{Definition, pair, plane};
use crate::window::{Axis, axes};
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_kernels::{Divisor, Window};
use backproof_spec::{self as spec, TracedLayer};
use burn::optim::GradientsParams;

/// The mean of every window of a channel.
///
/// # Derivation
///
/// Let `x` be `[N, C, H, W]`, zero outside of the image, and let window `(i, j)` be the rows `i·s − p … i·s − p + K −
/// 1` and the columns `j·s' − p' … j·s' − p' + K' − 1`. Then
///
/// ```text
/// y_n,c,i,j = (1 / D_ij) Σ_k Σ_k' x_n,c, i·s + k − p, j·s' + k' − p'          [N, C, H', W']
/// ```
///
/// The divisor `D_ij` counts positions and does not depend on `x`. With `count_include_pad`, the positions of the
/// window that lie in the padded image count; in ceil mode the last window may reach over that, and what is outside
/// does not count. Without, only the pixels of the image count. A window is the product of its rows and its columns, so
/// `D_ij = R_i · R'_j`.
///
/// The map is linear, and its transpose spreads every gradient evenly over its window. With `g = ∂L/∂y`,
///
/// ```text
/// ∂L/∂x_n,c,h,v = Σ over the windows (i, j) that cover (h, v) of g_n,c,i,j / D_ij          [N, C, H, W]
/// ```
///
/// In vectors this is the transposed convolution of `g / D` with a kernel of ones, every channel by itself; its first
/// `p` rows and columns fall on the padding and are dropped, and so is what a partial window has over the end.
///
/// # Source
///
/// LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*, 1998, section II.A
/// ("sub-sampling layers"), without their trainable coefficient and bias. The divisors are those of PyTorch's
/// `AvgPool2d`.
#[derive(Module, Debug)]
pub struct AvgPool2d {
    /// Kernel, stride, padding, rounding, divisor.
    #[module(skip)]
    pub options: AvgPool2dOptions,
}

/// The windows of an [`AvgPool2d`]; pairs are `[height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvgPool2dOptions {
    /// Positions in a window.
    pub kernel: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on each side.
    pub padding: [usize; 2],
    /// Whether a last, partial window counts.
    pub ceil_mode: bool,
    /// Whether the padding in a window counts in its divisor.
    pub count_include_pad: bool,
}

impl AvgPool2dOptions {
    /// Windows of this size side by side: the stride is the kernel, no padding, no partial windows.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0], ceil_mode: false, count_include_pad: true }
    }
}

/// What [`AvgPool2d::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct AvgPool2dSaved {
    /// `[N, C, H, W]`.
    pub input_shape: [usize; 4],
}

impl AvgPool2d {
    /// The layer with these windows.
    ///
    /// # Panics
    ///
    /// Panics if a kernel size or a stride is zero.
    pub fn new(options: AvgPool2dOptions) -> Self {
        assert!(
            options.kernel.iter().chain(&options.stride).all(|&size| size > 0),
            "kernel and stride must be at least 1: {options:?}"
        );
        Self { options }
    }

    /// `[N, C, H, W]` to `[N, C, H', W']`.
    ///
    /// # Panics
    ///
    /// Panics if the padded image is smaller than the window, or if a window has no pixel in it.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        for axis in self.axes([height, width]) {
            axis.check();
        }
        let AvgPool2dOptions { kernel, stride, padding, ceil_mode, count_include_pad } = self.options;
        let options = AvgPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding(padding)
            .with_ceil_mode(ceil_mode)
            .with_count_include_pad(count_include_pad);
        avg_pool2d(input, options)
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, input: Tensor<4>) -> (Tensor<4>, AvgPool2dSaved) {
        let input_shape = input.dims();
        (self.forward(input), AvgPool2dSaved { input_shape })
    }

    /// `∂L/∂x`, of shape `[N, C, H, W]`, from `output_gradient = ∂L/∂y` of shape `[N, C, H', W']`.
    pub fn backward(&self, saved: AvgPool2dSaved, output_gradient: Tensor<4>) -> Tensor<4> {
        let AvgPool2dOptions { kernel, stride, padding, count_include_pad, .. } = self.options;
        let [batch, channels, height, width] = saved.input_shape;
        let [_, _, output_height, output_width] = output_gradient.dims();
        let (device, dtype) = (output_gradient.device(), output_gradient.dtype());

        let axes = self.axes([height, width]);
        let rows = divisors(axes[0], count_include_pad, &device, dtype).reshape([1, 1, output_height, 1]);
        let columns = divisors(axes[1], count_include_pad, &device, dtype).reshape([1, 1, 1, output_width]);
        let shares = output_gradient / (rows * columns);

        // One image of one channel after the other, so that one kernel of ones serves them all.
        let spread = conv_transpose2d(
            shares.reshape([batch * channels, 1, output_height, output_width]),
            Tensor::ones([1, 1, kernel[0], kernel[1]], (&device, dtype)),
            None,
            ConvTransposeOptions::new(stride, [0, 0], [0, 0], [1, 1], 1),
        );
        let spread = crop(spread, 2, padding[0], height);
        crop(spread, 3, padding[1], width).reshape(saved.input_shape)
    }

    /// Rows and columns of the output, of an input of `size` rows and columns.
    #[must_use]
    pub fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        self.axes(size).map(|axis| axis.windows())
    }

    fn axes(&self, size: [usize; 2]) -> [Axis; 2] {
        let AvgPool2dOptions { kernel, stride, padding, ceil_mode, .. } = self.options;
        axes(size, kernel, stride, padding, [1, 1], ceil_mode)
    }
}

/// `R`, one for each window of the axis.
fn divisors(axis: Axis, count_include_pad: bool, device: &Device, dtype: DType) -> Tensor<1> {
    let counts: Vec<f64> = (0..axis.windows())
        .map(|window| if count_include_pad { axis.padded_pixels(window) } else { axis.pixels(window) } as f64)
        .collect();
    let windows = counts.len();
    Tensor::from_data(TensorData::new(counts, [windows]), (device, dtype))
}

/// `size` elements from `start` on, with zeros for those after the end.
fn crop(tensor: Tensor<4>, axis: usize, start: usize, size: usize) -> Tensor<4> {
    let there = tensor.dims()[axis].saturating_sub(start).min(size);
    let tensor = tensor.narrow(axis, start, there);
    if there == size {
        return tensor;
    }
    let mut missing = tensor.dims();
    missing[axis] = size - there;
    let zeros = Tensor::zeros(missing, (&tensor.device(), tensor.dtype()));
    Tensor::cat(vec![tensor, zeros], axis)
}

impl Definition for AvgPool2d {
    type Spec = spec::AvgPool2dSpec;
    type Saved = AvgPool2dSaved;

    fn build(spec: &Self::Spec, _traced: &TracedLayer, _initial: Initial<'_>) -> Self {
        Self::new(AvgPool2dOptions {
            kernel: pair(spec.kernel),
            stride: pair(spec.effective_stride()),
            padding: pair(spec.padding),
            ceil_mode: spec.ceil_mode,
            count_include_pad: spec.count_include_pad,
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

    fn operation(spec: &Self::Spec, traced: &TracedLayer) -> Option<Operation> {
        let (kernel, stride) = (pair(spec.kernel), pair(spec.effective_stride()));
        let window = Window { kernel, stride, padding: pair(spec.padding), dilation: [1, 1] };
        let divisor = if spec.count_include_pad { Divisor::Padded } else { Divisor::Inside };
        Some(Operation::AvgPool2d { window, divisor, output: plane(traced.output) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("avg_pool2d").cases() {
            let layer = AvgPool2d::new(AvgPool2dOptions {
                kernel: case.pair("kernel"),
                stride: case.pair("stride"),
                padding: case.pair("padding"),
                ceil_mode: case.number("ceil_mode") != 0.0,
                count_include_pad: case.number("count_include_pad") != 0.0,
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
            kernel in [1..5usize, 1..5usize],
            stride in [1..4usize, 1..4usize],
            padding in [0..3usize, 0..3usize],
            ceil_mode: bool,
            count_include_pad: bool,
        ) {
            let layer = AvgPool2d::new(AvgPool2dOptions { kernel, stride, padding, ceil_mode, count_include_pad });
            proptest::prop_assume!(layer.axes(size).iter().all(|axis| axis.problem().is_none()));
            let input = random(seed, [batch, channels, size[0], size[1]]);
            let input = if laid_out { input } else { scattered(input) };
            let windows = layer.output_size(size);
            let cotangent = random(seed ^ 1, [batch, channels, windows[0], windows[1]]);
            let given = if laid_out { cotangent.clone() } else { scattered(cotangent.clone()) };
            assert_agrees_with_autodiff!(layer, input, cotangent, given);
        }
    }

    #[test]
    fn a_divisor_that_counts_padding_is_noticed() {
        let options = AvgPool2dOptions { padding: [1, 1], count_include_pad: false, ..AvgPool2dOptions::new([3, 2]) };
        let right = AvgPool2d::new(options.clone());
        let wrong = AvgPool2d::new(AvgPool2dOptions { count_include_pad: true, ..options });
        let (output, saved) = right.forward_saving(random(1, [1, 2, 5, 4]));
        let [right, wrong] = [right, wrong].map(|layer| layer.backward(saved.clone(), output.clone()));
        assert!(difference(wrong, right, AUTODIFF).is_some());
    }
}
