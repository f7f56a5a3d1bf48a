//! Faults on purpose: what a check of gradients must find out.

use super::Core;
use super::operation::{Graph, Operation};
use super::shard::Shard;
use crate::layout::{Border, Layout};
use crate::vector::LANES;

/// What has gone wrong between a forward pass and its backward pass. Each is a slip in the keeping of memory, which no
/// formula shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The weights that the input gradient of a convolution reads are those of another step.
    StaleFlippedWeights,
    /// The argmax indices of a maximum are those of the next pixel.
    ShiftedArgmax,
    /// The mask of dropout is that of the next pixel.
    ShiftedMask,
    /// The border of a convolution's input is not zero.
    DirtyBorder,
    /// What is between the spread pixels of a strided convolution's output gradient is not zero.
    DirtySpread,
    /// The gradients' sums go on from those of the batch before.
    StaleSums,
    /// The transformed sums of a convolution by tiles go on likewise.
    StaleTransformedSums,
    /// A normalisation remembers the mean of another batch.
    StaleMean,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::StaleFlippedWeights,
        Self::ShiftedArgmax,
        Self::ShiftedMask,
        Self::DirtyBorder,
        Self::DirtySpread,
        Self::StaleSums,
        Self::StaleTransformedSums,
        Self::StaleMean,
    ];

    /// What is wrong, in a phrase.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaleFlippedWeights => "kernel: the flipped weights of another step",
            Self::ShiftedArgmax => "kernel: the argmax of the next pixel",
            Self::ShiftedMask => "kernel: the mask of the next pixel",
            Self::DirtyBorder => "kernel: the border of the input is not zero",
            Self::DirtySpread => "kernel: what is between the pixels of a strided gradient is not zero",
            Self::StaleSums => "kernel: the sums go on from the batch before",
            Self::StaleTransformedSums => "kernel: the sums of tiles go on from the batch before",
            Self::StaleMean => "kernel: the mean of another batch",
        }
    }
}

impl Core {
    /// Makes the next backward pass wrong, in this way. Nothing happens where the plan has nothing of the kind.
    pub(super) fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::StaleFlippedWeights => {
                self.prepare_weights();
                let flipped = self.flipped.iter_mut().chain(self.transformed_flipped.iter_mut());
                flipped.for_each(|weight| *weight *= 0.9);
            }
            Fault::StaleMean => {
                self.norms.iter_mut().flat_map(|norm| &mut norm.mean).for_each(|mean| *mean += 0.5);
            }
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
        if fault == Fault::StaleTransformedSums {
            self.transformed_sums.fill(0.5);
        }
        for (number, operation) in graph.operations.iter().enumerate() {
            let (from, to) = (&graph.activations[number], &graph.activations[number + 1]);
            match (operation, fault) {
                (Operation::MaxPool2d { .. }, Fault::ShiftedArgmax) | (Operation::Dropout, Fault::ShiftedMask) => {
                    self.saved[number].chunks_exact_mut(to.stride()).for_each(|saved| saved.rotate_left(LANES));
                }
                (Operation::Conv2d { .. }, Fault::DirtyBorder) => {
                    let values = self.values[number].chunks_exact_mut(from.stride());
                    values.for_each(|values| dirty_border(&from.values, &mut values[..from.values.size()]));
                }
                (Operation::Conv2d { .. }, Fault::DirtySpread) => self.spread[number].fill(0.5),
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
