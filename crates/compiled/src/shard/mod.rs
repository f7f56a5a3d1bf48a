//! A shard: neighbouring images of a batch, with the memory that they need, worked on by one thread at a time.

mod backward;
mod forward;
mod reductions;
mod shared;

use std::ops::Range;

use backproof_kernels::{Memory, Moments, zeros};

use crate::ActiveUnits;
use crate::graph::{Graph, Node};

pub(crate) use reductions::ImageLoss;
pub(crate) use shared::{NormNumbers, Shared, Workspace};

/// The images and their memory. Buffers of an activation that is not kept have room for one image.
#[derive(Debug, Clone)]
pub(crate) struct Shard {
    pub(crate) images: Range<usize>,
    pub(crate) values: Vec<Memory>,
    gradients: Vec<Memory>,
    /// Of each node: argmax indices of a maximum, the mask of dropout, slopes of functions of one element.
    pub(crate) saved: Vec<Memory>,
    /// Of each convolution: the gradient with its border, and with zeros between its pixels.
    padded: Vec<Memory>,
    pub(crate) spread: Vec<Memory>,
    /// One image as it comes, `[C, H, W]`.
    image: Vec<f32>,
    /// The gradients of the parameters that are added up.
    pub(crate) sums: Memory,
    pub(crate) moments: Vec<Moments>,
    /// Σ g and Σ g (x − mean) of each normalisation.
    pub(crate) norm_sums: Vec<[Vec<f64>; 2]>,
    pub(crate) loss: f64,
    pub(crate) correct: usize,
    /// Of each ReLU, which of its outputs were above zero; empty unless somebody asks.
    pub(crate) active: Vec<ActiveUnits>,
}

impl Shard {
    /// Room for `images` images; with `training`, for a backward pass too.
    pub(crate) fn new(graph: &Graph, images: usize, training: bool) -> Self {
        let buffer = |kept: bool, stride: usize| zeros(if kept { images * stride } else { stride });
        let when_training = |size: usize| if training { size } else { 0 };
        let outputs = || graph.nodes.iter().zip(&graph.activations[1..]);
        Self {
            images: 0..0,
            values: graph
                .activations
                .iter()
                .map(|activation| buffer(activation.values_kept, activation.stride()))
                .collect(),
            gradients: graph
                .activations
                .iter()
                .map(|activation| buffer(activation.gradient_kept, when_training(activation.gradient_stride())))
                .collect(),
            saved: outputs()
                .map(|(node, output)| match node {
                    Node::MaxPool2d { .. } | Node::Dropout => buffer(training, output.stride()),
                    Node::Elementwise(f) if f.keeps_slopes() && training => buffer(true, output.stride()),
                    _ => zeros(0),
                })
                .collect(),
            padded: outputs()
                .map(|(node, _)| match node {
                    Node::Conv2d { padded: Some(layout), .. } => {
                        buffer(node.takes_all_images(), when_training(layout.size()))
                    }
                    _ => zeros(0),
                })
                .collect(),
            spread: outputs()
                .map(|(node, _)| match node {
                    Node::Conv2d { conv, flipped: Some(_), .. } => zeros(when_training(conv.scratch())),
                    _ => zeros(0),
                })
                .collect(),
            image: vec![0.0; graph.activations[0].features()],
            sums: zeros(when_training(graph.summed)),
            moments: graph.norms.iter().map(|norm| Moments::new(norm.padded)).collect(),
            norm_sums: graph.norms.iter().map(|norm| [vec![0.0; norm.padded], vec![0.0; norm.padded]]).collect(),
            loss: 0.0,
            correct: 0,
            active: Vec::new(),
        }
    }

    /// Begins a pass over `images`. [`forward`](Self::forward) clears the sums, which are large, on its own thread.
    pub(crate) fn begin(&mut self, images: Range<usize>) {
        self.images = images;
        self.moments.iter_mut().for_each(Moments::clear);
        self.norm_sums.iter_mut().flatten().for_each(|sums| sums.fill(0.0));
        self.loss = 0.0;
        self.correct = 0;
    }

    /// The outputs of the network for image `image` of this shard.
    pub(crate) fn outputs(&self, graph: &Graph, image: usize) -> &[f32] {
        let last = graph.activations.last().expect("the output's");
        &self.values[graph.activations.len() - 1][image * last.stride()..][..last.values.channels]
    }

    /// Writes the last activation's values of image `image`, `[C, H, W]`, to `to`.
    pub(crate) fn read_output(&self, graph: &Graph, image: usize, to: &mut [f32]) {
        let last = graph.activations.last().expect("the output's");
        let from = &self.values[graph.activations.len() - 1][image * last.stride()..];
        last.values.read(&from[..last.values.size()], to);
    }

    /// Sets the gradient of the outputs of image `image` to what `write` writes, `[C, H, W]`.
    pub(crate) fn set_gradient(&mut self, graph: &Graph, write: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        let last = graph.activations.last().expect("the output's");
        let mut plain = vec![0.0; last.features()];
        for image in 0..self.images.len() {
            write(self.images.start + image, &mut plain);
            let to = at(&mut self.gradients[graph.activations.len() - 1], true, last.gradient_stride(), image);
            last.gradient.write(&plain, &mut to[..last.gradient.size()]);
        }
    }

    /// Writes the gradient of image `image`, `[C, H, W]`, to `to`.
    pub(crate) fn read_input_gradient(&self, graph: &Graph, image: usize, to: &mut [f32]) {
        let first = &graph.activations[0];
        let from = &self.gradients[0][image * first.gradient_stride()..];
        first.gradient.read(&from[..first.gradient.size()], to);
    }

    /// What comes into node `node`, and the gradient of what comes out, of all images.
    pub(crate) fn ends(&self, graph: &Graph, node: usize) -> (&[f32], &[f32]) {
        let count = self.images.len();
        (
            &self.values[graph.inputs[node]][..count * graph.input(node).stride()],
            &self.gradients[node + 1][..count * graph.activations[node + 1].gradient_stride()],
        )
    }

    /// Counts the output of node `node` for image `image`, where it is that of a ReLU.
    fn count_active(&mut self, graph: &Graph, node: usize, image: usize) {
        let Some(relu) = graph.relus.iter().position(|(_, output)| *output == node + 1) else { return };
        let output = &graph.activations[node + 1];
        let mut plain = vec![0.0; output.features()];
        let values = at(&mut self.values[node + 1], output.values_kept, output.stride(), image);
        output.values.read(&values[..output.values.size()], &mut plain);
        self.active[relu].add(&plain);
    }

    /// Gradients of weights that there are not, where two groups share a block, go back to zero.
    pub(crate) fn clear_unused(&mut self, graph: &Graph) {
        for node in &graph.nodes {
            if let Node::Conv2d { conv, weights, .. } = node {
                conv.clear_unused(&mut self.sums[weights.clone()]);
            }
        }
    }
}

/// The buffers of several activations.
fn distinct<const N: usize>(buffers: &mut [Memory], activations: [usize; N]) -> [&mut Memory; N] {
    buffers.get_disjoint_mut(activations).expect("activations that are not the same")
}

/// The buffer of image `image`, or the one that all images share.
fn at(buffer: &mut [f32], kept: bool, stride: usize, image: usize) -> &mut [f32] {
    let start = if kept { image * stride } else { 0 };
    &mut buffer[start..start + stride]
}
