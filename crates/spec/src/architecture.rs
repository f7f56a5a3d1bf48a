//! A network as a list of layers. `inference.rs` says what each of them makes of the shape that it is given.

use serde::{Deserialize, Serialize};

use crate::{LayerSpec, Shape};

/// A network: the shape of one input and the layers in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// What it is called, `cifar-baseline`.
    pub name: String,
    /// The shape of one input, without the batch axis.
    pub input: Shape,
    /// The layers, from the input on.
    pub layers: Vec<LayerSpec>,
}

/// One layer with the shapes and the numbers that follow from its place in the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedLayer {
    /// Kind and 1-based count of that kind: `conv1`, `relu2`, `pool1`, `linear1`, `norm1`.
    pub name: String,
    /// The layer itself.
    pub layer: LayerSpec,
    /// The shape of what comes in.
    pub input: Shape,
    /// The shape of what goes out.
    pub output: Shape,
    /// Trainable numbers other than biases: kernels, matrices, scales, learned slopes.
    pub weights: usize,
    /// Trainable numbers that are added: biases, offsets.
    pub biases: usize,
    /// Numbers that are kept but not trained: running means and variances.
    pub running_statistics: usize,
}
