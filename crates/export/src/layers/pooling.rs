//! What the windows of a pooling do at the far edges.
//!
//! ONNX's `ceil_mode` counts a last window that would begin in the padding, and its runtimes do not agree on that. PyTorch
//! and this project drop it. So no file has `ceil_mode`: the sizes are known, and padding at the far edges makes room
//! for just the windows that there are.

use backproof_spec::{Size2, TracedLayer};

/// The rows and columns that the last window has behind the padding, `[down, across]`, of windows that reach over
/// `reach` pixels.
pub(super) fn behind(layer: &TracedLayer, reach: [usize; 2], stride: Size2, padding: Size2) -> [usize; 2] {
    let (input, output) = (layer.input.dimensions(), layer.output.dimensions());
    let along = |axis: usize, reach: usize, stride: usize, padding: usize| {
        ((output[axis] - 1) * stride + reach).saturating_sub(input[axis] + 2 * padding)
    };
    [along(1, reach[0], stride.height, padding.height), along(2, reach[1], stride.width, padding.width)]
}
