//! The operations of a plan with the memory between them.
//!
//! [`build`] makes a graph of operations, and says which memory is kept for how long.

mod activation;
mod build;
mod node;

use std::ops::Range;

pub(crate) use activation::Activation;
pub(crate) use node::{Node, Tiles};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Outputs alone: little memory.
    Inference,
    /// The gradients of the parameters.
    Training,
    /// The gradients of the parameters and of the input, from the gradient of the output or from the loss.
    Segment,
}

/// Nodes, and the activations between them.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Of each node the activation that it reads; node `i` gives activation `i + 1`.
    pub(crate) inputs: Vec<usize>,
    pub(crate) activations: Vec<Activation>,
    /// Of each node the operation that it begins with, by its number among all operations.
    pub(crate) operations: Vec<usize>,
    /// Parameters whose gradients are added up shard by shard come first: convolutions, and the biases of linear
    /// nodes.
    pub(crate) summed: usize,
    pub(crate) parameters: usize,
    pub(crate) flipped: usize,
    pub(crate) transformed: usize,
    pub(crate) transformed_flipped: usize,
    /// Scratch memory that one convolution at a time needs.
    pub(crate) workspace: usize,
    pub(crate) norms: Vec<Norm>,
    /// Each ReLU: the operation that it is, and the activation that has its output.
    pub(crate) relus: Vec<(usize, usize)>,
}

/// A batch normalisation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm {
    pub(crate) channels: usize,
    /// Channels, rounded up to whole blocks.
    pub(crate) padded: usize,
    pub(crate) epsilon: f64,
    pub(crate) momentum: f64,
    /// Whether it has γ, and whether it has β.
    pub(crate) affine: [bool; 2],
    /// The node that it is.
    pub(crate) node: usize,
}

impl Graph {
    /// The activation that a node reads.
    pub(crate) fn input(&self, node: usize) -> &Activation {
        &self.activations[self.inputs[node]]
    }

    /// Where γ and β of the normalisation that is node `node` are.
    pub(crate) fn scale_and_offset(&self, node: usize) -> (Range<usize>, Range<usize>) {
        match &self.nodes[node] {
            Node::BatchNorm { gamma, beta, .. } => (gamma.clone(), beta.clone()),
            other => unreachable!("{other:?} is no normalisation"),
        }
    }
}
