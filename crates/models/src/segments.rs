//! Where autodiff's forward pass goes through the CPU kernels.

use std::collections::BTreeMap;

use backproof_compiled::{Segment, SegmentParameters, linear_on_kernels, linear_pays};
use backproof_kernels::Isa;
use backproof_layers as layers;
use backproof_spec::Shape;

use crate::features::{Features, Ranked};
use crate::has_kernels::operation;
use crate::layer::Layer;
use crate::{ComputedBy, Network};

/// What is computed by the CPU kernels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    /// Convolutions with what follows them up to the next layer with weights, by the index of the convolution.
    convolutions: BTreeMap<usize, (Segment, usize)>,
    /// The instructions for linear layers.
    linear: Option<Isa>,
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
        if let (Some(isa), Layer::Linear(linear), Ranked::Vectors(vectors)) = (self.linear, &layers[index], input)
            && linear_pays(linear.weight.dims()[1])
        {
            let bias = linear.bias.as_ref().map(|bias| bias.val());
            let output = linear_on_kernels(isa, vectors.clone(), linear.weight.val(), bias);
            return Some((Ranked::Vectors(output), index + 1));
        }
        let (segment, next) = self.convolutions.get(&index)?;
        let (Layer::Conv2d(conv), Ranked::Images(images)) = (&layers[index], input) else { return None };
        let bias = conv.bias.as_ref().map(|bias| bias.val());
        let mut parameters = SegmentParameters { weight: conv.weight.val(), bias, normalization: None, mask: None };
        for (index, layer) in (index..).zip(&layers[index..*next]) {
            match (layer, mode_of(index)) {
                // A segment has the statistics of the batch.
                (Layer::BatchNorm(_) | Layer::Dropout(_), layers::Mode::Inference) => return None,
                (Layer::BatchNorm(norm), _) => parameters.normalization = Some(norm.in_segment()),
                (Layer::Dropout(dropout), layers::Mode::Training { dropout_seed }) => {
                    parameters.mask = Some(dropout.in_segment(dropout_seed));
                }
                _ => {}
            }
        }
        Some((Ranked::Images(segment.forward(images.clone(), parameters)), *next))
    }
}

impl Network {
    /// The network on the CPU kernels where autodiff runs it: each convolution with what follows it, up to the next
    /// layer with weights, is one node of the graph, and so are linear layers of many outputs. For the backend `flex`
    /// in single precision. [`computed_by`](Self::computed_by) says what became of each layer.
    #[must_use]
    pub fn with_segments(mut self, isa: Isa) -> Self {
        let traced = self.architecture().trace().expect("the network was made of it");
        self.segments.linear = Some(isa);
        for index in 0..traced.len() {
            if !matches!(self.layers()[index], Layer::Conv2d(_)) {
                continue;
            }
            let end = self.segment_end(index);
            let shape = |shape: Shape| match shape {
                Shape::Image { channels, height, width } => [channels, height, width],
                Shape::Vector { .. } => unreachable!("a segment is of images throughout"),
            };
            let operations = traced[index..end].iter().map(operation).collect::<Option<_>>();
            let operations = operations.expect("there is a kernel for each layer of a segment");
            let segment = Segment::new(isa, shape(traced[index].input), operations, shape(traced[end - 1].output));
            self.segments.convolutions.insert(index, (segment, end));
        }
        self
    }

    /// What computes each layer where autodiff runs the network in training.
    #[must_use]
    pub fn computed_by(&self) -> Vec<ComputedBy> {
        let burn = |reason: String| ComputedBy::Burn { reason };
        let mut found = Vec::new();
        while let Some(layer) = self.layers().get(found.len()) {
            let index = found.len();
            if let Some((_, end)) = self.segments.convolutions.get(&index) {
                let frozen = (index..*end).find(|&at| self.is_frozen_layer(at));
                let by = frozen.map_or(ComputedBy::Kernel, |at| {
                    let name = &self.names()[at];
                    burn(format!("{name} keeps its running statistics, and a node of kernels uses those of the batch"))
                });
                found.resize(*end, by);
                continue;
            }
            found.push(match layer {
                _ if self.segments.linear.is_none() => burn("the network is not on the kernels".to_owned()),
                Layer::Linear(linear) => match linear.weight.dims()[1] {
                    outputs if linear_pays(outputs) => ComputedBy::Kernel,
                    outputs => {
                        burn(format!("Burn's product is faster for {}", backproof_spec::counted(outputs, "output")))
                    }
                },
                Layer::Flatten(_) => burn("it moves no numbers".to_owned()),
                layer if follows_convolution(layer) => {
                    burn("its kernel is used in one node with a convolution before it".to_owned())
                }
                _ => burn("there is no kernel for it".to_owned()),
            });
        }
        found
    }

    /// After the last layer that is computed with the convolution at `index`: at most one batch normalisation, and one
    /// dropout.
    fn segment_end(&self, index: usize) -> usize {
        let [mut norms, mut dropouts] = [0; 2];
        let next = self.layers()[index + 1..].iter().take_while(|layer| {
            norms += usize::from(matches!(layer, Layer::BatchNorm(_)));
            dropouts += usize::from(matches!(layer, Layer::Dropout(_)));
            follows_convolution(layer) && norms < 2 && dropouts < 2
        });
        index + 1 + next.count()
    }
}

/// Whether a layer can be computed in one node with a convolution before it.
fn follows_convolution(layer: &Layer) -> bool {
    matches!(
        layer,
        Layer::Relu(_) | Layer::MaxPool2d(_) | Layer::AvgPool2d(_) | Layer::BatchNorm(_) | Layer::Dropout(_)
    )
}
