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
    /// Kind and 1-based count of that kind: `conv1`, `relu2`, `pool1`, `linear1`, `norm1`. Inside of another layer, the
    /// name of that layer and of the branch come first: `residual1.body.conv1`.
    pub name: String,
    /// Its number among all layers of the network from 0, those inside of others included: a layer comes before those
    /// inside of it. It names the random streams of the layer.
    pub number: usize,
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
    /// The layers inside of it, whose numbers are part of its own; none in most layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<TracedBranch>,
}

/// A branch inside of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedBranch {
    /// `body` or `shortcut`.
    pub name: String,
    /// Its layers in order.
    pub layers: Vec<TracedLayer>,
}

impl TracedLayer {
    /// The layer, and those inside of it, in the order of their numbers.
    pub fn all(&self) -> Vec<&Self> {
        let inside = self.branches.iter().flat_map(|branch| &branch.layers).flat_map(Self::all);
        std::iter::once(self).chain(inside).collect()
    }

    /// As [`all`](Self::all), without those that are made of others.
    pub fn single(&self) -> Vec<&Self> {
        self.all().into_iter().filter(|layer| layer.branches.is_empty()).collect()
    }
}

impl Architecture {
    /// All layers, those inside of others included, in the order of their numbers.
    pub fn all_layers(&self) -> Vec<&LayerSpec> {
        self.layers.iter().flat_map(LayerSpec::all).collect()
    }

    /// Changes all layers, those inside of others included.
    pub(crate) fn change_all(&mut self, mut change: impl FnMut(&mut LayerSpec)) {
        self.layers.iter_mut().for_each(|layer| layer.change_all(&mut change));
    }
}
