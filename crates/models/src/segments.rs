//! Where autodiff's forward pass goes through the CPU kernels.

use std::collections::BTreeMap;
use std::ops::Range;

use backproof_kernels::Isa;
use backproof_layers as layers;
use backproof_layers::{Segment, SegmentParameters, linear_on_kernels, linear_pays};
use backproof_spec::Architecture;

use crate::Network;
use crate::compiled::plan_layers;
use crate::features::{Features, Ranked};
use crate::layer::Layer;

/// What is computed by the CPU kernels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    /// Convolutions with what follows them up to the next layer with weights, by the place of the convolution.
    convolutions: BTreeMap<usize, (Segment, usize)>,
    /// The instructions for linear layers.
    linear: Option<Isa>,
}

impl Segments {
    /// The output of the segment that begins at `place`, and the place behind it, if there is one for layers in these modes.
    pub(crate) fn forward(
        &self,
        layers: &[Layer],
        place: usize,
        input: &Features,
        mode_of: impl Fn(usize) -> layers::Mode,
    ) -> Option<(Features, usize)> {
        if let (Some(isa), Layer::Linear(linear), Ranked::Vectors(vectors)) = (self.linear, &layers[place], input)
            && linear_pays(linear.weight.dims()[1])
        {
            let bias = linear.bias.as_ref().map(|bias| bias.val());
            let output = linear_on_kernels(isa, vectors.clone(), linear.weight.val(), bias);
            return Some((Ranked::Vectors(output), place + 1));
        }
        let (segment, behind) = self.convolutions.get(&place)?;
        let (Layer::Conv2d(conv), Ranked::Images(images)) = (&layers[place], input) else { return None };
        let bias = conv.bias.as_ref().map(|bias| bias.val());
        let mut parameters = SegmentParameters { weight: conv.weight.val(), bias, norm: None, dropout: None };
        for (place, layer) in (place..).zip(&layers[place..*behind]) {
            match (layer, mode_of(place)) {
                // A segment has the statistics of the batch.
                (Layer::BatchNorm(_) | Layer::Dropout(_), layers::Mode::Inference) => return None,
                (Layer::BatchNorm(norm), _) => parameters.norm = Some(norm),
                (Layer::Dropout(dropout), layers::Mode::Training { dropout_seed }) => {
                    parameters.dropout = Some((dropout.clone(), dropout_seed));
                }
                _ => {}
            }
        }
        Some((Ranked::Images(segment.forward(images.clone(), parameters)), *behind))
    }
}

impl Network {
    /// The network, made from `architecture`, on the CPU kernels where autodiff runs it: each convolution with what follows it, up to
    /// the next layer with weights, is one node of the graph, and so are linear layers of many outputs. For the backend `flex` in single precision.
    #[must_use]
    pub fn with_segments(mut self, architecture: &Architecture, isa: Isa) -> Self {
        let Ok(traced) = architecture.trace() else { return self };
        self.segments.linear = Some(isa);
        let convolutions: Vec<usize> =
            (0..self.layers().len()).filter(|&place| matches!(self.layers()[place], Layer::Conv2d(_))).collect();
        for place in convolutions {
            let Range { end, .. } = self.segment_at(place);
            let shape = |shape: backproof_spec::Shape| -> Option<[usize; 3]> { shape.dimensions().try_into().ok() };
            let (Some(input), Some(output)) = (shape(traced[place].input), shape(traced[end - 1].output)) else {
                continue;
            };
            let Some(layers) = plan_layers(&self.layers()[place..end], input) else { continue };
            self.segments.convolutions.insert(place, (Segment::new(isa, input, layers, output), end));
        }
        self
    }

    /// The convolution at `place` and what is computed with it: at most one batch normalisation, and one dropout.
    fn segment_at(&self, place: usize) -> Range<usize> {
        let [mut norms, mut dropouts] = [0; 2];
        let behind = self.layers()[place + 1..].iter().take_while(|layer| match layer {
            Layer::Relu(_) | Layer::MaxPool2d(_) | Layer::AvgPool2d(_) => true,
            Layer::BatchNorm(_) => {
                norms += 1;
                norms < 2
            }
            Layer::Dropout(_) => {
                dropouts += 1;
                dropouts < 2
            }
            _ => false,
        });
        place..place + 1 + behind.count()
    }
}
