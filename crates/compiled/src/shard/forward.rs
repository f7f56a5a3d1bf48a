//! Forward, image by image or all images at once.

use std::ops::Range;

use backproof_kernels::{
    ElementFunction, avg_pool_forward, batch_norm_forward, copy, element_forward, linear_forward, max_pool_forward,
    multiply, relu_forward, sum, take_pixels,
};

use super::{NormNumbers, Shard, Shared, at, distinct};
use crate::Inputs;
use crate::graph::{Node, Tiles};

impl Shard {
    /// Operations `nodes` forward. The first of all reads the images.
    pub(crate) fn forward(&mut self, shared: &Shared<'_>, inputs: &Inputs<'_>, nodes: Range<usize>) {
        let mut next = nodes.start;
        if next == 0 {
            self.sums.fill(0.0);
        }
        if nodes.is_empty() && next == 0 {
            (0..self.images.len()).for_each(|image| self.load(shared, inputs, image));
        }
        while next < nodes.end {
            // Image by image as far as possible, so that what is between two nodes stays in the cache.
            let of_all = (next..nodes.end).find(|&at| shared.graph.nodes[at].takes_all_images());
            let end = of_all.unwrap_or(nodes.end);
            if next == 0 || next < end {
                for image in 0..self.images.len() {
                    if next == 0 {
                        self.load(shared, inputs, image);
                    }
                    for node in next..end {
                        self.image_forward(shared, inputs, node, image);
                        if !self.active.is_empty() {
                            self.count_active(shared.graph, node, image);
                        }
                    }
                }
            }
            if let Some(node) = of_all {
                self.all_images_forward(shared, node);
                if !self.active.is_empty() {
                    (0..self.images.len()).for_each(|image| self.count_active(shared.graph, node, image));
                }
            }
            next = end + 1;
        }
    }

    fn load(&mut self, shared: &Shared<'_>, inputs: &Inputs<'_>, image: usize) {
        let activation = &shared.graph.activations[0];
        (inputs.image)(self.images.start + image, &mut self.image);
        let to = at(&mut self.values[0], activation.values_kept, activation.stride(), image);
        activation.values.write(&self.image, &mut to[..activation.values.size()]);
    }

    fn image_forward(&mut self, shared: &Shared<'_>, inputs: &Inputs<'_>, node: usize, image: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let (from, to) = (graph.input(node), &graph.activations[node + 1]);
        if let Node::Sum { other } = graph.nodes[node] {
            return self.sum_forward(shared, node, other, image);
        }
        let [input, output] = distinct(&mut self.values, [graph.inputs[node], node + 1]);
        let input = &at(input, from.values_kept, from.stride(), image)[..from.values.size()];
        let output = &mut at(output, to.values_kept, to.stride(), image)[..to.values.size()];
        match &graph.nodes[node] {
            Node::Conv2d { conv, weights: own, bias, tiles, .. } => {
                let bias = bias.clone().map(|bias| &weights[bias]);
                if let Some(Tiles { winograd, weights, .. }) = tiles.as_deref() {
                    let transformed = &shared.transformed[weights.clone()];
                    let workspace = &mut shared.workspace();
                    let scratch = &mut workspace.scratch[..winograd.workspace()];
                    winograd.forward(isa, input, transformed, bias, to.relu_fused, scratch, output);
                } else {
                    conv.forward(isa, input, &weights[own.clone()], bias, to.relu_fused, output);
                }
            }
            Node::MaxPool2d { window } => {
                // Without a backward pass nobody asks for an image's argmax indices later.
                let argmax = at(&mut self.saved[node], shared.training, to.stride(), image);
                let argmax = &mut argmax[..to.values.size()];
                max_pool_forward(isa, window, &from.values, input, &to.values, output, argmax);
            }
            Node::AvgPool2d { window, divisor } => {
                avg_pool_forward(isa, window, *divisor, &from.values, input, &to.values, output);
            }
            Node::Relu | Node::ReluPassingZero => relu_forward(isa, &from.values, input, &to.values, output),
            Node::Elementwise(f) => {
                let keeps = shared.training && f.keeps_slopes();
                let slopes = keeps.then(|| at(&mut self.saved[node], true, to.stride(), image));
                let slopes = slopes.map(|slopes| &mut slopes[..to.values.size()]);
                element_forward(isa, *f, &from.values, input, &to.values, output, slopes);
            }
            Node::Prelu { slope } => {
                let f = ElementFunction::LeakyRelu { slope: weights[slope.start] };
                element_forward(isa, f, &from.values, input, &to.values, output, None);
            }
            Node::BatchNorm { index, .. } => {
                let NormNumbers { mean, scale, offset, .. } = &shared.norms[*index];
                batch_norm_forward(isa, &from.values, input, [mean, scale, offset], &to.values, output);
            }
            Node::Dropout => {
                copy(isa, &from.values, input, &to.values, output);
                if shared.training {
                    let mask = at(&mut self.saved[node], true, to.stride(), image);
                    let mask = &mut mask[..to.values.size()];
                    let elements = to.features();
                    let plain = &mut self.image;
                    plain.resize(plain.len().max(elements), 0.0);
                    let plain = &mut plain[..elements];
                    (inputs.mask)(graph.operations[node], (self.images.start + image) * elements, plain);
                    to.values.write(plain, mask);
                    multiply(isa, &to.values, mask, &to.values, output);
                    self.image.truncate(graph.activations[0].features());
                }
            }
            Node::Pixels { stride } => take_pixels(&from.values, input, *stride, &to.values, output),
            Node::Sum { .. } => unreachable!("it reads two activations"),
            Node::Linear { .. } => unreachable!("it takes all images at once"),
        }
    }

    fn sum_forward(&mut self, shared: &Shared<'_>, node: usize, other: usize, image: usize) {
        let Shared { isa, graph, .. } = *shared;
        let (of_one, of_other, to) = (graph.input(node), &graph.activations[other], &graph.activations[node + 1]);
        let [one, other, output] = distinct(&mut self.values, [graph.inputs[node], other, node + 1]);
        let one = &at(one, of_one.values_kept, of_one.stride(), image)[..of_one.values.size()];
        let other = &at(other, of_other.values_kept, of_other.stride(), image)[..of_other.values.size()];
        let output = &mut at(output, to.values_kept, to.stride(), image)[..to.values.size()];
        sum(isa, (&of_one.values, one), (&of_other.values, other), to.relu_fused, (&to.values, output));
    }

    fn all_images_forward(&mut self, shared: &Shared<'_>, node: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let (from, to) = (graph.input(node), &graph.activations[node + 1]);
        let [input, output] = distinct(&mut self.values, [graph.inputs[node], node + 1]);
        let count = self.images.len();
        let (input, output) = (&input[..count * from.stride()], &mut output[..count * to.stride()]);
        match &graph.nodes[node] {
            Node::Linear { outputs, weights: own, bias, .. } => {
                let (sizes, bias) = ([*outputs, from.stride()], bias.clone().map(|bias| &weights[bias]));
                let weights = &weights[own.clone()];
                linear_forward(isa, sizes, weights, bias, to.relu_fused, input, output, to.stride());
            }
            Node::Conv2d { bias, tiles: Some(tiles), .. } => {
                let bias = bias.clone().map(|bias| &weights[bias]);
                let Tiles { winograd, weights, .. } = &**tiles;
                let transformed = &shared.transformed[weights.clone()];
                let workspace = &mut shared.workspace();
                let scratch = &mut workspace.scratch[..winograd.workspace()];
                winograd.forward(isa, input, transformed, bias, to.relu_fused, scratch, output);
            }
            other => unreachable!("{other:?} takes one image at a time"),
        }
    }
}
