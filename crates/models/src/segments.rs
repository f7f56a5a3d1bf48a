//! Where autodiff's forward pass goes through the CPU kernels.

use std::collections::BTreeMap;
use std::ops::Range;

use backproof_kernels::Isa;
use backproof_layers::Segment;
use backproof_spec::Architecture;

use crate::Network;
use crate::compiled::plan_layers;
use crate::features::{Features, Ranked};
use crate::layer::Layer;

/// Convolutions with the ReLU and the maximum that follow them, by the place of the convolution.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments(BTreeMap<usize, (Segment, usize)>);

impl Segments {
    /// The output of the segment that begins at `place`, and the place behind it, if there is one.
    pub(crate) fn forward(&self, layers: &[Layer], place: usize, input: &Features) -> Option<(Features, usize)> {
        let (segment, behind) = self.0.get(&place)?;
        let (Layer::Conv2d(conv), Ranked::Images(images)) = (&layers[place], input) else { return None };
        let output = segment.forward(images.clone(), conv.weight.val(), conv.bias.as_ref().map(|bias| bias.val()));
        Some((Ranked::Images(output), *behind))
    }
}

impl Network {
    /// The network, made from `architecture`, with its convolutions on the CPU kernels where autodiff runs it: each with the ReLU
    /// and the maximum behind it is one node of the graph. For the backend `flex` in single precision.
    #[must_use]
    pub fn with_segments(mut self, architecture: &Architecture, isa: Isa) -> Self {
        let Ok(traced) = architecture.trace() else { return self };
        let convolutions: Vec<usize> =
            (0..self.layers().len()).filter(|&place| matches!(self.layers()[place], Layer::Conv2d(_))).collect();
        for place in convolutions {
            let Range { end, .. } = self.segment_at(place);
            let shape = |shape: backproof_spec::Shape| -> Option<[usize; 3]> { shape.dimensions().try_into().ok() };
            let (Some(input), Some(output)) = (shape(traced[place].input), shape(traced[end - 1].output)) else {
                continue;
            };
            let Some(layers) = plan_layers(&self.layers()[place..end], input) else { continue };
            self.segments.0.insert(place, (Segment::new(isa, input, layers, output), end));
        }
        self
    }

    /// The convolution at `place` and what is computed with it.
    fn segment_at(&self, place: usize) -> Range<usize> {
        let layers = self.layers();
        let mut end = place + 1;
        if matches!(layers.get(end), Some(Layer::Relu(_))) {
            end += 1;
        }
        if matches!(layers.get(end), Some(Layer::MaxPool2d(_))) {
            end += 1;
        }
        place..end
    }
}
