//! The trainable tensors of a network, by name.

use crate::{Architecture, LayerSpec, ShapeError, TracedLayer};

/// A trainable tensor of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName {
    /// `conv1.weight`.
    pub name: String,
    /// Whether it is the kernels of a convolution or the weights of a linear layer, with a row an output; everything
    /// else is a vector.
    pub is_matrix: bool,
}

impl Architecture {
    /// The trainable tensors, in the order of the layers.
    ///
    /// # Errors
    ///
    /// As [`trace`](Self::trace).
    pub fn parameter_names(&self) -> Result<Vec<ParameterName>, ShapeError> {
        let traced = self.trace()?;
        let mut names = Vec::new();
        for layer in traced.iter().flat_map(TracedLayer::single) {
            let is_matrix = matches!(layer.layer, LayerSpec::Conv2d(_) | LayerSpec::Linear(_));
            for (role, count, is_matrix) in [("weight", layer.weights, is_matrix), ("bias", layer.biases, false)] {
                if count > 0 {
                    names.push(ParameterName { name: format!("{}.{role}", layer.name), is_matrix });
                }
            }
        }
        Ok(names)
    }
}
