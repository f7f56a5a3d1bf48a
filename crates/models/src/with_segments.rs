//! Which layers of a network go through the CPU kernels under autodiff.

use backproof_compiled::{Operation, Segment};
use backproof_kernels::Isa;
use backproof_layers::Layer;
use backproof_spec::{Shape, TracedLayer};

use crate::{ComputedBy, Network};

impl Network {
    /// The network on the CPU kernels where autodiff runs it: each convolution with what follows it, up to the next
    /// layer with weights, is one node of the graph, and so are linear layers of many outputs. For the backend `flex`
    /// in single precision. [`computed_by`](Self::computed_by) says what became of each layer.
    #[must_use]
    pub fn with_segments(mut self, isa: Isa) -> Self {
        let traced = self.architecture().trace().expect("the network was made of it");
        self.segments.isa = Some(isa);
        self.add_segments(isa, &traced);
        self
    }

    /// Of layers that follow one another, and of those inside of them.
    fn add_segments(&mut self, isa: Isa, traced: &[TracedLayer]) {
        let operations: Vec<Option<Operation>> = traced.iter().map(Layer::operation).collect();
        for (index, layer) in traced.iter().enumerate() {
            layer.branches.iter().for_each(|branch| self.add_segments(isa, &branch.layers));
            if !matches!(operations[index], Some(Operation::Conv2d { .. })) {
                continue;
            }
            let end = segment_end(&operations, index);
            let shape = |shape: Shape| match shape {
                Shape::Image { channels, height, width } => [channels, height, width],
                Shape::Vector { .. } => unreachable!("a segment is of images throughout"),
            };
            let of_segment = operations[index..end].iter().cloned().collect::<Option<_>>();
            let of_segment = of_segment.expect("there is a kernel for each layer of a segment");
            let segment = Segment::new(isa, shape(layer.input), of_segment, shape(traced[end - 1].output));
            self.segments.convolutions.insert(layer.number, (segment, end - index));
        }
    }

    /// What computes each layer, by its number, where autodiff runs the network in training.
    #[must_use]
    pub fn computed_by(&self) -> Vec<ComputedBy> {
        let burn = |reason: String| ComputedBy::Burn { reason };
        let traced = self.architecture().trace().expect("the network was made of it");
        let operations = traced.iter().flat_map(TracedLayer::all).map(Layer::operation);
        let mut found = Vec::new();
        for (index, (layer, operation)) in self.all_layers().zip(operations).enumerate() {
            if index < found.len() {
                continue; // a layer of the segment before it
            }
            if let Some((_, taken)) = self.segments.convolutions.get(&index) {
                let end = index + taken;
                let frozen = (index..end).find(|&at| self.is_frozen_layer(at));
                let by = frozen.map_or(ComputedBy::Kernel, |at| {
                    let name = &self.names()[at];
                    burn(format!("{name} keeps its running statistics, and a node of kernels uses those of the batch"))
                });
                found.resize(end, by);
                continue;
            }
            found.push(match layer.node() {
                _ if self.segments.isa.is_none() => burn("the network is not on the kernels".to_owned()),
                Ok(_) => ComputedBy::Kernel,
                Err(_) if follows_convolution(operation.as_ref()) => {
                    burn("its kernel is used in one node with a convolution before it".to_owned())
                }
                Err(reason) => burn(reason),
            });
        }
        found
    }
}

/// After the last layer that is computed with the convolution at `index`: at most one batch normalisation, and one
/// dropout.
fn segment_end(operations: &[Option<Operation>], index: usize) -> usize {
    let [mut norms, mut dropouts] = [0; 2];
    let next = operations[index + 1..].iter().take_while(|operation| {
        norms += usize::from(matches!(operation, Some(Operation::BatchNorm { .. })));
        dropouts += usize::from(matches!(operation, Some(Operation::Dropout)));
        follows_convolution(operation.as_ref()) && norms < 2 && dropouts < 2
    });
    index + 1 + next.count()
}

/// Whether an operation can be computed in one node with a convolution before it.
fn follows_convolution(operation: Option<&Operation>) -> bool {
    use Operation::{AvgPool2d, BatchNorm, Dropout, Elementwise, MaxPool2d, Relu, ReluPassingZero};
    let follows = |it: &Operation| match it {
        Relu | ReluPassingZero | Elementwise(_) => true,
        MaxPool2d { .. } | AvgPool2d { .. } | BatchNorm { .. } | Dropout => true,
        Operation::Conv2d { .. } | Operation::Linear { .. } | Operation::Prelu => false,
        Operation::Flatten | Operation::Residual { .. } => false,
    };
    operation.is_some_and(follows)
}
