//! Makes a graph of operations.

use std::ops::Range;

use backproof_kernels::{Border, DirectConv2d, LANES, Layout, Winograd};

use super::{Activation, Graph, Node, Norm, Purpose, Tiles};
use crate::Operation;

impl Graph {
    /// Of `operations` on images `[C, H, W]`.
    ///
    /// # Panics
    ///
    /// If an operation does not fit what it is given.
    pub(crate) fn new(input: [usize; 3], operations: &[Operation], purpose: Purpose) -> Self {
        let input_gradient = purpose == Purpose::Segment;
        // The first convolution of a photograph or a digit reads it plane by plane: blocks would be mostly empty.
        let reader = operations.iter().find(|operation| !matches!(operation, Operation::Flatten));
        // A linear node writes the gradient of its input in the layout of the input, and gradients are blocked.
        let planar = match reader {
            Some(Operation::Conv2d { shape, .. }) => !Winograd::pays(shape),
            Some(Operation::Linear { .. }) => !input_gradient,
            _ => false,
        };
        let layout = if planar { Layout::planar } else { Layout::blocked };
        let mut activations = vec![Activation::new(layout(input, Border::default()))];
        let mut graph = Self {
            nodes: vec![],
            activations: vec![],
            operations: vec![],
            summed: 0,
            parameters: 0,
            flipped: 0,
            transformed: 0,
            transformed_flipped: 0,
            workspace: 0,
            norms: vec![],
        };
        for (number, operation) in operations.iter().enumerate() {
            let first = activations.len() == 1;
            let from = activations.last_mut().expect("the input's");
            let [channels, height, width] = [from.values.channels, from.values.height, from.values.width];
            let (node, to) = match *operation {
                Operation::Flatten => continue,
                Operation::Relu
                    if matches!(graph.nodes.last(), Some(Node::Conv2d { .. } | Node::Linear { .. }))
                        && !from.relu_fused =>
                {
                    from.relu_fused = true;
                    continue;
                }
                Operation::Relu => (Node::Relu, Layout::blocked([channels, height, width], Border::default())),
                Operation::ReluPassingZero => {
                    (Node::ReluPassingZero, Layout::blocked([channels, height, width], Border::default()))
                }
                Operation::Elementwise(f) => {
                    (Node::Elementwise(f), Layout::blocked([channels, height, width], Border::default()))
                }
                Operation::Prelu => {
                    let slope = graph.sum(1);
                    (Node::Prelu { slope }, Layout::blocked([channels, height, width], Border::default()))
                }
                Operation::Dropout => (Node::Dropout, Layout::blocked([channels, height, width], Border::default())),
                Operation::Conv2d { shape, bias } => {
                    from.values = from.values.with_border(shape.input_border());
                    let [rows, columns] = shape.output();
                    let output = Layout::blocked([shape.outputs, rows, columns], Border::default());
                    let gradient = output.with_border(shape.gradient_border());
                    let conv = DirectConv2d::new(shape, from.values, output, gradient, true);
                    let weights = graph.sum(conv.packed_weights());
                    let bias = bias.then(|| graph.sum(conv.packed_bias()));
                    let flipped = (!first || input_gradient).then(|| {
                        graph.flipped += conv.flipped_weights();
                        graph.flipped - conv.flipped_weights()..graph.flipped
                    });
                    (Node::Conv2d { conv: Box::new(conv), weights, bias, flipped, tiles: None, padded: None }, output)
                }
                Operation::MaxPool2d { window, output: [rows, columns] } => {
                    from.masked_next = from.relu_fused;
                    // Its argmax indices and its output say all that the backward pass needs.
                    from.values_kept = first;
                    (Node::MaxPool2d { window }, Layout::blocked([channels, rows, columns], Border::default()))
                }
                Operation::AvgPool2d { window, divisor, output: [rows, columns] } => {
                    (Node::AvgPool2d { window, divisor }, Layout::blocked([channels, rows, columns], Border::default()))
                }
                Operation::BatchNorm { epsilon, momentum, scale, shift } => {
                    from.masked_next = from.relu_fused;
                    let padded = from.values.padded_channels();
                    let index = graph.norms.len();
                    let (affine, node) = ([scale, shift], graph.nodes.len());
                    graph.norms.push(Norm { channels, padded, epsilon, momentum, affine, node });
                    let node = Node::BatchNorm { index, gamma: 0..padded, beta: 0..padded };
                    (node, Layout::blocked([channels, height, width], Border::default()))
                }
                Operation::Linear { outputs, bias } => {
                    let bias = bias.then(|| graph.sum(outputs.next_multiple_of(LANES)));
                    let first = first && !input_gradient;
                    (Node::Linear { outputs, weights: 0..0, bias, first }, Layout::vector(outputs))
                }
            };
            graph.nodes.push(node);
            graph.operations.push(number);
            activations.push(Activation::new(to));
        }
        graph.activations = activations;
        graph.lay_out_gradients();
        if purpose == Purpose::Inference {
            graph.forget_values();
        }
        graph.lay_out_parameters();
        graph
    }

    /// Room for parameters whose gradients are added up.
    fn sum(&mut self, count: usize) -> Range<usize> {
        let start = self.summed;
        self.summed += count.next_multiple_of(LANES);
        start..start + count
    }

    /// Borders of gradients, and what is needed only while one image is worked on.
    fn lay_out_gradients(&mut self) {
        for index in 1..self.activations.len() {
            let [producer, consumer] = [self.nodes.get(index - 1), self.nodes.get(index)];
            let all_images = |node: Option<&Node>| node.is_none_or(Node::takes_all_images);
            let normalized = matches!(producer, Some(Node::BatchNorm { .. }));
            let [input, this] = &mut self.activations[index - 1..=index] else { unreachable!("two activations") };
            this.gradient_kept = all_images(consumer) || all_images(producer) || normalized;
            this.values_kept |= all_images(producer);
            // A linear node, and who sets the gradient of the last activation, write images without borders.
            let without_border = matches!(consumer, None | Some(Node::Linear { .. }));
            // A ReLU's backward pass reads its output, and so does that of a maximum after a ReLU.
            this.values_kept |= match producer {
                Some(Node::Relu) => true,
                Some(Node::Elementwise(f)) => f.keeps_output(),
                Some(Node::MaxPool2d { .. }) => input.masked_next,
                _ => false,
            };
            let Some(Node::Conv2d { conv, flipped, tiles, padded, .. }) = self.nodes.get_mut(index - 1) else {
                continue;
            };
            let mut wanted = this.gradient;
            if flipped.is_some() {
                wanted = wanted.with_border(conv.shape().gradient_border());
            }
            // Only now is the border of the output known, which its reader asks for.
            let shape = *conv.shape();
            **conv = DirectConv2d::new(shape, input.values, this.values, wanted, flipped.is_some());
            *tiles = Winograd::pays(&shape).then(|| {
                let winograd = Winograd::new(shape, input.values, this.values, wanted, flipped.is_some());
                self.workspace = self.workspace.max(winograd.workspace());
                self.transformed += winograd.weights();
                self.transformed_flipped += winograd.flipped_weights();
                Box::new(Tiles {
                    weights: self.transformed - winograd.weights()..self.transformed,
                    flipped: (flipped.is_some())
                        .then(|| self.transformed_flipped - winograd.flipped_weights()..self.transformed_flipped),
                    winograd,
                })
            });
            if without_border && wanted != this.gradient {
                *padded = Some(wanted);
            } else {
                this.gradient = wanted;
            }
        }
    }

    /// Nothing is needed of an image after it, but where all images of a shard are taken at once.
    fn forget_values(&mut self) {
        for index in 0..self.activations.len() {
            let neighbours = [index.checked_sub(1), Some(index)].map(|at| at.and_then(|at| self.nodes.get(at)));
            let all_images = neighbours.into_iter().flatten().any(Node::takes_all_images);
            self.activations[index].values_kept = all_images || index == self.nodes.len();
        }
    }

    /// The parameters that are not summed shard by shard lie after those that are.
    fn lay_out_parameters(&mut self) {
        self.parameters = self.summed;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            let mut take = |count: usize| {
                let start = self.parameters;
                self.parameters += count;
                start..start + count
            };
            match node {
                Node::Linear { outputs, weights, .. } => *weights = take(*outputs * self.activations[index].stride()),
                Node::BatchNorm { gamma, beta, .. } => {
                    *gamma = take(gamma.len());
                    *beta = take(beta.len());
                }
                _ => {}
            }
        }
    }
}
