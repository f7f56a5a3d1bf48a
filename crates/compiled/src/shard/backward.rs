//! Backward, image by image or all images at once.

use std::ops::Range;

use backproof_kernels::{
    accumulate, add_pixels, avg_pool_backward, batch_norm_backward, copy, element_backward, linear_input_gradient,
    max_pool_backward, multiply, prelu_backward, relu_backward, relu_backward_passing_zero,
};

use super::{NormNumbers, Shard, Shared, Workspace, at, distinct};
use crate::graph::{Node, Tiles};

impl Shard {
    /// Operations `nodes` backward, the last first.
    pub(crate) fn backward(&mut self, shared: &Shared<'_>, nodes: Range<usize>) {
        let mut end = nodes.end;
        while end > nodes.start {
            let of_all = (nodes.start..end).rev().find(|&at| shared.graph.nodes[at].takes_all_images());
            let start = of_all.map_or(nodes.start, |node| node + 1);
            if start < end {
                (start..end).for_each(|node| begin_transformed(shared, node));
                for image in 0..self.images.len() {
                    for node in (start..end).rev() {
                        self.image_backward(shared, node, image);
                    }
                }
                (start..end).for_each(|node| self.add_transformed(shared, node));
            }
            if let Some(node) = of_all {
                begin_transformed(shared, node);
                self.all_images_backward(shared, node);
                self.add_transformed(shared, node);
            }
            end = of_all.unwrap_or(nodes.start);
        }
    }

    fn image_backward(&mut self, shared: &Shared<'_>, node: usize, image: usize) {
        let Shared { isa, graph, weights: all_weights, flipped: all_flipped, .. } = *shared;
        let (from, to) = (graph.input(node), &graph.activations[node + 1]);
        if let Node::Sum { other } = graph.nodes[node] {
            return self.sum_backward(shared, node, other, image);
        }
        let [input, output] = distinct(&mut self.values, [graph.inputs[node], node + 1]);
        let input = &at(input, from.values_kept, from.stride(), image)[..from.values.size()];
        let output = &at(output, to.values_kept, to.stride(), image)[..to.values.size()];
        let [input_gradient, gradient] = distinct(&mut self.gradients, [graph.inputs[node], node + 1]);
        let input_gradient = at(input_gradient, from.gradient_kept, from.gradient_stride(), image);
        let input_gradient = &mut input_gradient[..from.gradient.size()];
        let gradient = &mut at(gradient, to.gradient_kept, to.gradient_stride(), image)[..to.gradient.size()];
        let wanted = graph.inputs[node] > 0 || shared.input_gradient;
        match &graph.nodes[node] {
            Node::Conv2d { conv, weights, bias, flipped, tiles, padded } => {
                let mut layout = &to.gradient;
                let mut gradient = gradient;
                if let Some(padded) = padded {
                    copy(isa, layout, gradient, padded, &mut self.padded[node]);
                    (layout, gradient) = (padded, &mut self.padded[node]);
                }
                if to.relu_fused && !to.masked_next {
                    relu_backward(isa, &to.values, output, layout, gradient);
                }
                if let Some(bias) = bias {
                    conv.bias_gradient(isa, gradient, &mut self.sums[bias.clone()]);
                }
                let result = &from.gradient;
                if let Some(Tiles { winograd, weights, flipped }) = tiles.as_deref() {
                    let Workspace { scratch, transformed_sums } = &mut *shared.workspace();
                    let scratch = &mut scratch[..winograd.workspace()];
                    winograd.weight_gradient(isa, input, gradient, scratch, &mut transformed_sums[weights.clone()]);
                    if let Some(flipped) = flipped.as_ref().filter(|_| wanted) {
                        let flipped = &shared.transformed_flipped[flipped.clone()];
                        winograd.input_gradient(isa, gradient, flipped, scratch, input_gradient, result);
                    }
                    return;
                }
                conv.weight_gradient(isa, input, gradient, &mut self.sums[weights.clone()]);
                if let Some(flipped) = flipped.as_ref().filter(|_| wanted) {
                    let flipped = &all_flipped[flipped.clone()];
                    conv.input_gradient(isa, gradient, flipped, &mut self.spread[node], input_gradient, result);
                }
            }
            Node::MaxPool2d { window } if wanted => {
                let argmax = &at(&mut self.saved[node], true, to.stride(), image)[..to.values.size()];
                let argmax = (&to.values, argmax);
                let positive = from.masked_next.then_some(output);
                max_pool_backward(
                    isa,
                    window,
                    &to.gradient,
                    gradient,
                    argmax,
                    positive,
                    &from.gradient,
                    input_gradient,
                );
            }
            Node::AvgPool2d { window, divisor } if wanted => {
                avg_pool_backward(isa, window, *divisor, &to.gradient, gradient, &from.gradient, input_gradient);
            }
            Node::Relu if wanted => {
                copy(isa, &to.gradient, gradient, &from.gradient, input_gradient);
                relu_backward(isa, &to.values, output, &from.gradient, input_gradient);
            }
            Node::ReluPassingZero if wanted => {
                copy(isa, &to.gradient, gradient, &from.gradient, input_gradient);
                relu_backward_passing_zero(isa, &from.values, input, &from.gradient, input_gradient);
            }
            Node::Elementwise(f) if wanted => {
                let (of, known) = if f.keeps_slopes() {
                    (&to.values, &at(&mut self.saved[node], true, to.stride(), image)[..to.values.size()])
                } else {
                    (&from.values, input)
                };
                element_backward(isa, *f, of, known, &to.gradient, gradient, &from.gradient, input_gradient);
            }
            Node::Prelu { slope } => {
                let (of, onto) = (&from.values, &from.gradient);
                let a = all_weights[slope.start];
                self.sums[slope.start] +=
                    prelu_backward(isa, a, of, input, &to.gradient, gradient, onto, input_gradient);
            }
            Node::BatchNorm { index, .. } if wanted => {
                let NormNumbers { mean, scale, of_sum, of_product, .. } = &shared.norms[*index];
                let numbers = [&mean[..], scale, of_sum, of_product];
                let (values, positive) = (&from.values, from.masked_next);
                let result = (&from.gradient, input_gradient);
                batch_norm_backward(isa, values, input, numbers, positive, &to.gradient, gradient, result);
            }
            Node::Dropout if wanted => {
                let mask = &at(&mut self.saved[node], true, to.stride(), image)[..to.values.size()];
                copy(isa, &to.gradient, gradient, &from.gradient, input_gradient);
                multiply(isa, &to.values, mask, &from.gradient, input_gradient);
            }
            Node::Pixels { stride } if wanted => {
                add_pixels(&to.gradient, gradient, *stride, &from.gradient, input_gradient);
            }
            Node::Linear { .. } => unreachable!("it takes all images at once"),
            _ => {}
        }
    }

    /// The gradient of a sum is that of both of its terms.
    fn sum_backward(&mut self, shared: &Shared<'_>, node: usize, other: usize, image: usize) {
        let Shared { isa, graph, .. } = *shared;
        let from = graph.inputs[node];
        let (of_one, of_other, to) =
            (&graph.activations[from], &graph.activations[other], &graph.activations[node + 1]);
        let [one, other, gradient] = distinct(&mut self.gradients, [from, other, node + 1]);
        let gradient = &mut at(gradient, to.gradient_kept, to.gradient_stride(), image)[..to.gradient.size()];
        if to.relu_fused && !to.masked_next {
            let output = &at(&mut self.values[node + 1], to.values_kept, to.stride(), image)[..to.values.size()];
            relu_backward(isa, &to.values, output, &to.gradient, gradient);
        }
        for (term, memory) in [(of_one, one), (of_other, other)] {
            let memory = at(memory, term.gradient_kept, term.gradient_stride(), image);
            copy(isa, &to.gradient, gradient, &term.gradient, &mut memory[..term.gradient.size()]);
        }
    }

    /// The sum of a convolution's transformed gradients goes back to the taps.
    fn add_transformed(&mut self, shared: &Shared<'_>, node: usize) {
        if let Node::Conv2d { weights, tiles: Some(tiles), .. } = &shared.graph.nodes[node] {
            let sum = &shared.workspace().transformed_sums[tiles.weights.clone()];
            tiles.winograd.add_weight_gradient(shared.isa, sum, &mut self.sums[weights.clone()]);
        }
    }

    fn all_images_backward(&mut self, shared: &Shared<'_>, node: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let (from, to) = (graph.input(node), &graph.activations[node + 1]);
        let [input_gradient, gradient] = distinct(&mut self.gradients, [graph.inputs[node], node + 1]);
        let count = self.images.len();
        let input_gradient = &mut input_gradient[..count * from.gradient_stride()];
        let mut gradient = &mut gradient[..count * to.gradient_stride()];
        let (mut layout, mut row) = (&to.gradient, to.gradient_stride());
        if let Node::Conv2d { padded: Some(padded), .. } = &graph.nodes[node] {
            let plain = gradient.chunks_exact(row).map(|image| &image[..layout.size()]);
            let with_border = self.padded[node].chunks_exact_mut(padded.size());
            plain.zip(with_border).for_each(|(from, onto)| copy(isa, layout, from, padded, onto));
            (layout, row) = (padded, padded.size());
            gradient = &mut self.padded[node][..count * row];
        }
        if to.relu_fused && !to.masked_next {
            let outputs = self.values[node + 1].chunks_exact(to.stride());
            for (output, gradient) in outputs.zip(gradient.chunks_exact_mut(row)) {
                relu_backward(isa, &to.values, &output[..to.values.size()], layout, &mut gradient[..layout.size()]);
            }
        }
        match &graph.nodes[node] {
            Node::Linear { outputs, weights: own, bias, first } => {
                if let Some(bias) = bias {
                    gradient.chunks_exact(row).for_each(|g| accumulate(isa, g, &mut self.sums[bias.clone()]));
                }
                if !first {
                    let weights = &weights[own.clone()];
                    linear_input_gradient(isa, [*outputs, from.stride()], weights, gradient, row, input_gradient);
                }
            }
            Node::Conv2d { conv, bias, tiles: Some(tiles), .. } => {
                if let Some(bias) = bias {
                    let images = gradient.chunks_exact(row);
                    images.for_each(|gradient| conv.bias_gradient(isa, gradient, &mut self.sums[bias.clone()]));
                }
                let Tiles { winograd, weights, flipped } = &**tiles;
                let Workspace { scratch, transformed_sums } = &mut *shared.workspace();
                let scratch = &mut scratch[..winograd.workspace()];
                let input = &self.values[graph.inputs[node]][..count * from.stride()];
                winograd.weight_gradient(isa, input, gradient, scratch, &mut transformed_sums[weights.clone()]);
                if let Some(flipped) = flipped.as_ref().filter(|_| graph.inputs[node] > 0 || shared.input_gradient) {
                    let flipped = &shared.transformed_flipped[flipped.clone()];
                    winograd.input_gradient(isa, gradient, flipped, scratch, input_gradient, &from.gradient);
                }
            }
            other => unreachable!("{other:?} takes one image at a time"),
        }
    }
}

/// Clears the sum of a convolution's transformed gradients, which this thread may have used for another shard.
fn begin_transformed(shared: &Shared<'_>, node: usize) {
    if let Node::Conv2d { tiles: Some(tiles), .. } = &shared.graph.nodes[node] {
        shared.workspace().transformed_sums[tiles.weights.clone()].fill(shared.first_transformed_sum);
    }
}
