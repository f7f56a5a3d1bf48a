//! Where autodiff's forward pass goes through the CPU kernels.

use std::collections::BTreeMap;

use backproof_compiled::{Segment, SegmentParameters, linear_on_kernels};
use backproof_kernels::Isa;
use backproof_layers::{self as layers, Features, Layer, Node, Ranked};

/// What is computed by the CPU kernels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    /// Convolutions with what follows them up to the next layer with weights, by the index of the convolution.
    pub(crate) convolutions: BTreeMap<usize, (Segment, usize)>,
    /// The instructions; none where the network is not on the kernels.
    pub(crate) isa: Option<Isa>,
}

impl Segments {
    /// The output of the segment that begins at `index`, and the index after it, if there is one for layers in these
    /// modes.
    pub(crate) fn forward(
        &self,
        layers: &[Layer],
        index: usize,
        input: &Features,
        mode_of: impl Fn(usize) -> layers::Mode,
    ) -> Option<(Features, usize)> {
        let isa = self.isa?;
        match (layers[index].node().ok()?, input) {
            (Node::Linear { weight, bias }, Ranked::Vectors(vectors)) => {
                let output = linear_on_kernels(isa, vectors.clone(), weight, bias);
                Some((Ranked::Vectors(output), index + 1))
            }
            (Node::Convolution { weight, bias }, Ranked::Images(images)) => {
                let (segment, next) = self.convolutions.get(&index)?;
                let mut parameters = SegmentParameters { weight, bias, normalization: None, mask: None };
                let mut joins = (index + 1..).zip(&layers[index + 1..*next]);
                joins
                    .all(|(index, layer)| layer.join_segment(mode_of(index), &mut parameters))
                    .then(|| (Ranked::Images(segment.forward(images.clone(), parameters)), *next))
            }
            _ => None,
        }
    }
}
