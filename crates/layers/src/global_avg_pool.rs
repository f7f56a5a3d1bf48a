use backproof_compiled::Operation;
use backproof_kernels::{Divisor, Window};
use backproof_spec::{self as spec, TracedLayer};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::definition::{Definition, plane};
use crate::{Features, Initial, Mode, Ranked};

/// The mean of every channel: an [`AvgPool2d`](crate::AvgPool2d) whose one window is the image.
///
/// # Derivation
///
/// For `x` of shape `[N, C, H, W]`,
///
/// ```text
/// y_n,c = (1 / HW) Σ_u Σ_v x_n,c,u,v                                   [N, C, 1, 1]
/// ∂L/∂x_n,c,u,v = g_n,c / (H W)                                        [N, C, H, W],    g = ∂L/∂y
/// ```
///
/// The map is linear; every pixel reaches the output of its channel, with the same weight.
///
/// # Source
///
/// Lin, Chen and Yan, *Network in network* (arXiv:1312.4400), section 3.2. It is PyTorch's `AdaptiveAvgPool2d(1)`.
#[derive(Module, Debug, Default)]
pub struct GlobalAvgPool;

/// What [`GlobalAvgPool::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct GlobalAvgPoolSaved {
    /// `[N, C, H, W]`.
    pub input_shape: [usize; 4],
}

impl GlobalAvgPool {
    /// `[N, C, H, W]` to `[N, C, 1, 1]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let share = share(input.dims());
        input.sum_dim(3).sum_dim(2) * share
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, input: Tensor<4>) -> (Tensor<4>, GlobalAvgPoolSaved) {
        let input_shape = input.dims();
        (self.forward(input), GlobalAvgPoolSaved { input_shape })
    }

    /// `∂L/∂x`, of shape `[N, C, H, W]`, from `output_gradient = ∂L/∂y` of shape `[N, C, 1, 1]`.
    pub fn backward(&self, saved: GlobalAvgPoolSaved, output_gradient: Tensor<4>) -> Tensor<4> {
        (output_gradient * share(saved.input_shape)).expand(saved.input_shape)
    }
}

/// `1 / HW`. One multiplies with it: Burn 0.22.1's autodiff takes the reciprocal of a scalar divisor in f32.
fn share([_, _, height, width]: [usize; 4]) -> f64 {
    1.0 / (height * width) as f64
}

impl Definition for GlobalAvgPool {
    type Spec = spec::GlobalAvgPoolSpec;
    type Saved = GlobalAvgPoolSaved;

    fn build(_spec: &Self::Spec, _traced: &TracedLayer, _initial: Initial<'_>) -> Self {
        Self
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

    fn operation(_spec: &Self::Spec, traced: &TracedLayer) -> Option<Operation> {
        let kernel = plane(traced.input);
        let window = Window { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1] };
        Some(Operation::AvgPool2d { window, divisor: Divisor::Inside, output: plane(traced.output) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("global_avg_pool").cases() {
            assert_agrees_with_pytorch!(case, GlobalAvgPool, 4);
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, laid_out: bool, shape in [1..3usize, 1..4usize, 1..6usize, 1..6usize]) {
            let input = random(seed, shape);
            let input = if laid_out { input } else { scattered(input) };
            let cotangent = random(seed ^ 1, [shape[0], shape[1], 1, 1]);
            assert_agrees_with_autodiff!(GlobalAvgPool, input, cotangent.clone(), cotangent);
        }
    }
}
