//! Where autodiff's forward pass goes through the CPU kernels.

use std::collections::BTreeMap;

use backproof_compiled::{Segment, SegmentParameters, linear_on_kernels};
use backproof_kernels::Isa;
use backproof_layers::{self as layers, Features, Layer, Node, Ranked};

/// What is computed by the CPU kernels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    /// Convolutions with what follows them up to the next layer with weights, and how many layers that are, by the
    /// number of the convolution.
    pub(crate) convolutions: BTreeMap<usize, (Segment, usize)>,
    /// The instructions; none where the network is not on the kernels.
    pub(crate) isa: Option<Isa>,
}

impl Segments {
    /// The output of the segment that `layers` begin with, of which the first has this number, and how many of them it
    /// is, if there is one for layers in these modes.
    pub(crate) fn forward(
        &self,
        layers: &[Layer],
        number: usize,
        input: &Features,
        mode_of: impl Fn(usize) -> layers::Mode,
    ) -> Option<(Features, usize)> {
        let isa = self.isa?;
        match (layers[0].node().ok()?, input) {
            (Node::Linear { weight, bias }, Ranked::Vectors(vectors)) => {
                let output = linear_on_kernels(isa, vectors.clone(), weight, bias);
                Some((Ranked::Vectors(output), 1))
            }
            (Node::Convolution { weight, bias }, Ranked::Images(images)) => {
                let (segment, taken) = self.convolutions.get(&number)?;
                let mut parameters = SegmentParameters { weight, bias, normalization: None, mask: None };
                let mut joins = (number + 1..).zip(&layers[1..*taken]);
                joins
                    .all(|(number, layer)| layer.join_segment(mode_of(number), &mut parameters))
                    .then(|| (Ranked::Images(segment.forward(images.clone(), parameters)), *taken))
            }
            _ => None,
        }
    }
}
