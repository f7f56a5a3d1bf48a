use burn::tensor::{Int, Tensor};

use crate::Features;

/// On which side of its kinks each element of a layer was in a forward pass. Where two points have the same sides, the
/// function between them is smooth.
#[derive(Debug, Clone)]
pub enum Sides {
    /// The signs of these numbers.
    Signs(Features),
    /// The indices of the maxima of the windows, `[N, C, H, W]`.
    Argmax(Tensor<4, Int>),
}
