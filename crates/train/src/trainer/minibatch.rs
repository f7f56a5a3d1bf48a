//! What goes into a step, and what comes out of it.

use backproof_data::{Mixture, Selection};
use burn::Tensor;
use burn::tensor::{Device, Int};

/// The images of a step.
pub trait Minibatch: Sync {
    /// The label of each image.
    fn labels(&self) -> Vec<usize>;

    /// Writes image `image`, `[C, H, W]`, to `to`.
    fn write(&self, image: usize, to: &mut [f32]);

    /// The second labels, where each image is a mixture of two.
    fn mixture(&self) -> Option<Mixture> {
        None
    }

    /// All of them, `[N, C, H, W]`, and their (first) labels, `[N]`, on `device`.
    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>);
}

impl Minibatch for Selection<'_> {
    fn labels(&self) -> Vec<usize> {
        self.labels()
    }

    fn write(&self, image: usize, to: &mut [f32]) {
        self.write(image, to);
    }

    fn mixture(&self) -> Option<Mixture> {
        self.mixture()
    }

    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let batch = self.batch(device);
        (batch.images, batch.labels)
    }
}

/// What a step gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Mean loss over the batch.
    pub loss: f64,
    /// Images whose largest logit is that of their label; of two labels, that of the one with the larger share.
    pub correct: usize,
}
