//! Makes a graph of operations.

use std::ops::Range;

use backproof_kernels::{Border, DirectConv2d, LANES, Layout, Winograd};

use super::{Activation, Graph, Node, Norm, Purpose, Tiles};
use crate::{Operation, Shortcut};

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
        let mut graph = Self {
            nodes: vec![],
            inputs: vec![],
            activations: vec![Activation::new(layout(input, Border::default()))],
            operations: vec![],
            summed: 0,
            parameters: 0,
            flipped: 0,
            transformed: 0,
            transformed_flipped: 0,
            workspace: 0,
            norms: vec![],
            relus: vec![],
        };
        graph.chain(operations, 0, 0, input_gradient);
        graph.lay_out_gradients();
        if purpose == Purpose::Inference {
            graph.forget_values();
        }
        graph.lay_out_parameters();
        graph
    }

    /// Operations that follow one another, from activation `from` on, of which the first has the number `first`: the
    /// activation that they end in.
    fn chain(&mut self, operations: &[Operation], from: usize, first: usize, input_gradient: bool) -> usize {
        let (mut from, mut number) = (from, first);
        for operation in operations {
            from = match operation {
                Operation::Residual { body, shortcut } => self.residual(body, shortcut, from, number, input_gradient),
                operation => self.single(operation, from, number, input_gradient),
            };
            number += operation.count();
        }
        from
    }

    /// A residual connection: the nodes of the shortcut, those of the body, and the sum.
    fn residual(
        &mut self,
        body: &[Operation],
        shortcut: &Shortcut,
        from: usize,
        number: usize,
        input_gradient: bool,
    ) -> usize {
        let of_shortcut = number + 1 + body.iter().map(Operation::count).sum::<usize>();
        let values = self.activations[from].values;
        self.activations[from].shared = true;
        let (channels, stride) = match *shortcut {
            Shortcut::Pixels { channels, stride } => (channels, stride),
            Shortcut::Identity | Shortcut::Operations(_) => (values.channels, [1, 1]),
        };
        let pixels = [channels, values.height.div_ceil(stride[0]), values.width.div_ceil(stride[1])];
        let mut beside = self.add(Node::Pixels { stride }, from, number, Layout::blocked(pixels, Border::default()));
        if let Shortcut::Operations(operations) = shortcut {
            beside = self.chain(operations, beside, of_shortcut, input_gradient);
        }
        let body = self.chain(body, from, number + 1, input_gradient);
        let output = self.activations[body].values.with_border(Border::default());
        self.add(Node::Sum { other: beside }, body, number, output)
    }

    /// Adds a node that reads `from`, with the activation that it gives.
    fn add(&mut self, node: Node, from: usize, number: usize, to: Layout) -> usize {
        self.nodes.push(node);
        self.inputs.push(from);
        self.operations.push(number);
        self.activations.push(Activation::new(to));
        self.nodes.len()
    }

    /// An operation that is no other ones put together: the activation that it ends in.
    fn single(&mut self, operation: &Operation, input: usize, number: usize, input_gradient: bool) -> usize {
        let first = input == 0;
        let producer = input.checked_sub(1).map(|producer| &self.nodes[producer]);
        let fuses = matches!(producer, Some(Node::Conv2d { .. } | Node::Linear { .. } | Node::Sum { .. }));
        let from = &mut self.activations[input];
        let [channels, height, width] = [from.values.channels, from.values.height, from.values.width];
        let same = Layout::blocked([channels, height, width], Border::default());
        let (node, to) = match *operation {
            Operation::Flatten => return input,
            Operation::Relu if fuses && !from.relu_fused && !from.shared => {
                from.relu_fused = true;
                self.relus.push((number, input));
                return input;
            }
            Operation::Relu => (Node::Relu, same),
            Operation::ReluPassingZero => (Node::ReluPassingZero, same),
            Operation::Elementwise(f) => {
                // The slopes that are kept of it say all that the backward pass needs.
                from.values_kept &= !f.keeps_slopes() || first || from.shared || from.relu_fused;
                (Node::Elementwise(f), same)
            }
            Operation::Prelu => (Node::Prelu { slope: self.sum(1) }, same),
            Operation::Dropout => (Node::Dropout, same),
            Operation::Conv2d { shape, bias } => {
                from.values = from.values.with_border(shape.input_border());
                let [rows, columns] = shape.output();
                let output = Layout::blocked([shape.outputs, rows, columns], Border::default());
                let gradient = output.with_border(shape.gradient_border());
                let conv = DirectConv2d::new(shape, from.values, output, gradient, true);
                let weights = self.sum(conv.packed_weights());
                let bias = bias.then(|| self.sum(conv.packed_bias()));
                let flipped = (!first || input_gradient).then(|| {
                    self.flipped += conv.flipped_weights();
                    self.flipped - conv.flipped_weights()..self.flipped
                });
                (Node::Conv2d { conv: Box::new(conv), weights, bias, flipped, tiles: None, padded: None }, output)
            }
            Operation::MaxPool2d { window, output: [rows, columns] } => {
                from.masked_next = from.relu_fused && !from.shared;
                // Its argmax indices and its output say all that the backward pass needs.
                from.values_kept = first || from.shared;
                (Node::MaxPool2d { window }, Layout::blocked([channels, rows, columns], Border::default()))
            }
            Operation::AvgPool2d { window, divisor, output: [rows, columns] } => {
                (Node::AvgPool2d { window, divisor }, Layout::blocked([channels, rows, columns], Border::default()))
            }
            Operation::BatchNorm { epsilon, momentum, scale, shift } => {
                from.masked_next = from.relu_fused && !from.shared;
                let padded = from.values.padded_channels();
                let index = self.norms.len();
                let (affine, node) = ([scale, shift], self.nodes.len());
                self.norms.push(Norm { channels, padded, epsilon, momentum, affine, node });
                (Node::BatchNorm { index, gamma: 0..padded, beta: 0..padded }, same)
            }
            Operation::Linear { outputs, bias } => {
                let bias = bias.then(|| self.sum(outputs.next_multiple_of(LANES)));
                let first = first && !input_gradient;
                (Node::Linear { outputs, weights: 0..0, bias, first }, Layout::vector(outputs))
            }
            Operation::Residual { .. } => unreachable!("it has a method of its own"),
        };
        let output = self.add(node, input, number, to);
        if matches!(operation, Operation::Relu | Operation::ReluPassingZero) {
            self.relus.push((number, output));
        }
        output
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
            let last = self.last_reader(index);
            // A linear node, and who sets the gradient of the last activation, write images without borders.
            let is_linear = |reader: usize| matches!(self.nodes[reader], Node::Linear { .. });
            let without_border = last.is_none() || self.readers(index).any(is_linear);
            let crosses = last.is_none_or(|last| self.is_section_between(index - 1, last));
            let input_index = self.inputs[index - 1];
            let input_masked = self.activations[input_index].masked_next;
            let input_values = self.activations[input_index].values;
            let this = &mut self.activations[index];
            this.gradient_kept = crosses;
            this.values_kept |= self.nodes[index - 1].takes_all_images();
            // A ReLU's backward pass reads its output, and so does that of a maximum after a ReLU.
            this.values_kept |= match self.nodes[index - 1] {
                Node::Relu => true,
                Node::MaxPool2d { .. } => input_masked,
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
            **conv = DirectConv2d::new(shape, input_values, this.values, wanted, flipped.is_some());
            *tiles = Winograd::pays(&shape).then(|| {
                let winograd = Winograd::new(shape, input_values, this.values, wanted, flipped.is_some());
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
            let kept =
                self.last_reader(index).is_none_or(|last| self.takes_all_images_within(index.saturating_sub(1), last));
            self.activations[index].values_kept = kept;
        }
    }

    /// The nodes that read an activation.
    fn readers(&self, activation: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(move |&node| {
            let other = matches!(self.nodes[node], Node::Sum { other } if other == activation);
            other || self.inputs[node] == activation
        })
    }

    fn last_reader(&self, activation: usize) -> Option<usize> {
        self.readers(activation).last()
    }

    /// Whether all images of a shard are taken at once somewhere from node `first` to node `last`, both included.
    fn takes_all_images_within(&self, first: usize, last: usize) -> bool {
        self.nodes[first..=last].iter().any(Node::takes_all_images)
    }

    /// Whether the backward pass goes from node `last` to node `first` in several sections, so that what lies between
    /// them is needed of all images.
    fn is_section_between(&self, first: usize, last: usize) -> bool {
        let is_norm = |node: &Node| matches!(node, Node::BatchNorm { .. });
        self.takes_all_images_within(first, last) || self.nodes[first..last].iter().any(is_norm)
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
                Node::Linear { outputs, weights, .. } => {
                    *weights = take(*outputs * self.activations[self.inputs[index]].stride())
                }
                Node::BatchNorm { gamma, beta, .. } => {
                    *gamma = take(gamma.len());
                    *beta = take(beta.len());
                }
                _ => {}
            }
        }
    }
}
