//! Spoils memory between a forward pass and its backward pass, in the ways of [`Fault`].

use backproof_kernels::{Border, LANES, Layout};

use super::core::Core;
use crate::Fault;
use crate::graph::{Graph, Node};
use crate::shard::Shard;

impl Core {
    /// Makes the next backward pass wrong, in this way. Nothing happens where the plan has nothing of the kind.
    pub(crate) fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::StaleFlippedWeights => {
                self.prepare_weights();
                let flipped = self.flipped.iter_mut().chain(self.transformed_flipped.iter_mut());
                flipped.for_each(|weight| *weight *= 0.9);
            }
            Fault::StaleMean => {
                self.norms.iter_mut().flat_map(|norm| &mut norm.mean).for_each(|mean| *mean += 0.5);
            }
            Fault::StaleTransformedSums => self.first_transformed_sum = 0.5,
            _ => {
                let Self { graph, shards, .. } = self;
                shards.iter_mut().for_each(|shard| shard.inject(graph, fault));
            }
        }
    }
}

impl Shard {
    fn inject(&mut self, graph: &Graph, fault: Fault) {
        if fault == Fault::StaleSums {
            self.sums.fill(0.5);
        }
        for (number, node) in graph.nodes.iter().enumerate() {
            let (from, to) = (graph.input(number), &graph.activations[number + 1]);
            match (node, fault) {
                (Node::MaxPool2d { .. }, Fault::ShiftedArgmax)
                | (Node::Dropout, Fault::ShiftedMask)
                | (Node::Elementwise(_), Fault::ShiftedSlopes) => {
                    self.saved[number].chunks_exact_mut(to.stride()).for_each(|saved| saved.rotate_left(LANES));
                }
                (Node::Conv2d { .. }, Fault::DirtyBorder) => {
                    let values = self.values[graph.inputs[number]].chunks_exact_mut(from.stride());
                    values.for_each(|values| dirty_border(&from.values, &mut values[..from.values.size()]));
                }
                (Node::Conv2d { .. }, Fault::DirtySpread) => self.spread[number].fill(0.5),
                _ => {}
            }
        }
    }
}

/// Writes ones around an image, which stays as it is.
fn dirty_border(layout: &Layout, memory: &mut [f32]) {
    if layout.border == Border::default() {
        return;
    }
    let mut image = vec![0.0; layout.channels * layout.height * layout.width];
    layout.read(memory, &mut image);
    memory.fill(1.0);
    layout.write(&image, memory);
}
