//! A shard: neighbouring images of a batch, with the memory that they need, worked on by one thread at a time.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::operation::{Graph, Operation, Tiles};
use super::{Batch, Objective};
use crate::batch_norm::{Moments, batch_norm_backward, batch_norm_forward, batch_norm_moments, batch_norm_sums};
use crate::elementwise::{copy, multiply, relu_backward, relu_forward};
use crate::isa::Isa;
use crate::linear::{linear_forward, linear_input_gradient};
use crate::memory::{Memory, zeros};
use crate::pool::{avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward};
use crate::sums::accumulate;

/// What every shard reads in a pass.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) isa: Isa,
    pub(super) graph: &'a Graph,
    pub(super) weights: &'a [f32],
    pub(super) flipped: &'a [f32],
    pub(super) transformed: &'a [f32],
    pub(super) transformed_flipped: &'a [f32],
    pub(super) norms: &'a [NormNumbers],
    pub(super) workspaces: &'a [Mutex<Memory>],
    pub(super) training: bool,
    /// Whether the gradient of the images is wanted.
    pub(super) input_gradient: bool,
}

impl Shared<'_> {
    /// The scratch memory of this thread, which stays in the cache of its core from shard to shard.
    fn workspace(&self) -> MutexGuard<'_, Memory> {
        // A single shard stays on the thread that has called, which may be of no pool.
        let thread = rayon::current_thread_index().map_or(0, |thread| thread + 1);
        self.workspaces[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of a batch normalisation that all shards use, one a channel of its blocks.
#[derive(Debug, Clone, Default)]
pub(super) struct NormNumbers {
    pub(super) mean: Vec<f32>,
    /// γ r.
    pub(super) scale: Vec<f32>,
    /// β.
    pub(super) offset: Vec<f32>,
    /// ∂L/∂β / M, or 0 in inference.
    pub(super) of_sum: Vec<f32>,
    /// r · ∂L/∂γ / M, or 0 in inference.
    pub(super) of_product: Vec<f32>,
}

impl NormNumbers {
    pub(super) fn new(padded: usize) -> Self {
        let zeros = || vec![0.0; padded];
        Self { mean: zeros(), scale: zeros(), offset: zeros(), of_sum: zeros(), of_product: zeros() }
    }

    /// What `channel` is normalised by, with `inverse` = 1/√(v + ε).
    pub(super) fn set(&mut self, channel: usize, mean: f64, inverse: f64, [gamma, beta]: [f32; 2]) {
        self.mean[channel] = mean as f32;
        self.scale[channel] = (f64::from(gamma) * inverse) as f32;
        self.offset[channel] = beta;
    }
}

/// The images and their memory. Buffers of an activation that is not kept have room for one image.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    pub(super) images: Range<usize>,
    pub(super) values: Vec<Memory>,
    gradients: Vec<Memory>,
    /// Of each operation: argmax indices of a maximum, the mask of dropout.
    pub(super) saved: Vec<Memory>,
    /// Of each convolution: the gradient with its border, and with zeros between its pixels.
    padded: Vec<Memory>,
    pub(super) spread: Vec<Memory>,
    /// One image as it comes, `[C, H, W]`.
    image: Vec<f32>,
    /// The gradients of the parameters that are added up.
    pub(super) sums: Memory,
    /// Those of weights as they come, transformed.
    pub(super) transformed_sums: Memory,
    pub(super) moments: Vec<Moments>,
    /// Σ g and Σ g (x − mean) of each normalisation.
    pub(super) norm_sums: Vec<[Vec<f64>; 2]>,
    pub(super) loss: f64,
    pub(super) correct: usize,
}

impl Shard {
    /// Room for `images` images; with `training`, for a backward pass too.
    pub(super) fn new(graph: &Graph, images: usize, training: bool) -> Self {
        let buffer = |kept: bool, stride: usize| zeros(if kept { images * stride } else { stride });
        let when_training = |size: usize| if training { size } else { 0 };
        let outputs = || graph.operations.iter().zip(&graph.activations[1..]);
        Self {
            images: 0..0,
            values: graph
                .activations
                .iter()
                .map(|activation| buffer(activation.values_kept, activation.stride()))
                .collect(),
            gradients: graph
                .activations
                .iter()
                .map(|activation| buffer(activation.gradient_kept, when_training(activation.gradient_stride())))
                .collect(),
            saved: outputs()
                .map(|(operation, output)| match operation {
                    Operation::MaxPool2d { .. } | Operation::Dropout => buffer(training, output.stride()),
                    _ => zeros(0),
                })
                .collect(),
            padded: outputs()
                .map(|(operation, _)| match operation {
                    Operation::Conv2d { padded: Some(layout), .. } => zeros(when_training(layout.size())),
                    _ => zeros(0),
                })
                .collect(),
            spread: outputs()
                .map(|(operation, _)| match operation {
                    Operation::Conv2d { conv, flipped: Some(_), .. } => zeros(when_training(conv.scratch())),
                    _ => zeros(0),
                })
                .collect(),
            image: vec![0.0; graph.activations[0].features()],
            sums: zeros(when_training(graph.summed)),
            transformed_sums: zeros(when_training(graph.transformed)),
            moments: graph.norms.iter().map(|norm| Moments::new(norm.padded)).collect(),
            norm_sums: graph.norms.iter().map(|norm| [vec![0.0; norm.padded], vec![0.0; norm.padded]]).collect(),
            loss: 0.0,
            correct: 0,
        }
    }

    /// Begins a pass over `images`.
    pub(super) fn begin(&mut self, images: Range<usize>) {
        self.images = images;
        self.sums.fill(0.0);
        self.transformed_sums.fill(0.0);
        self.moments.iter_mut().for_each(Moments::clear);
        self.norm_sums.iter_mut().flatten().for_each(|sums| sums.fill(0.0));
        self.loss = 0.0;
        self.correct = 0;
    }

    /// The outputs of the network for image `image` of this shard.
    pub(super) fn outputs(&self, graph: &Graph, image: usize) -> &[f32] {
        let last = graph.activations.last().expect("the output's");
        &self.values[graph.activations.len() - 1][image * last.stride()..][..last.values.channels]
    }

    /// Writes the last activation's values of image `image`, `[C, H, W]`, to `to`.
    pub(super) fn read_output(&self, graph: &Graph, image: usize, to: &mut [f32]) {
        let last = graph.activations.last().expect("the output's");
        let from = &self.values[graph.activations.len() - 1][image * last.stride()..];
        last.values.read(&from[..last.values.size()], to);
    }

    /// Sets the gradient of the outputs of image `image` to what `write` writes, `[C, H, W]`.
    pub(super) fn set_gradient(&mut self, graph: &Graph, write: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        let last = graph.activations.last().expect("the output's");
        let mut plain = vec![0.0; last.features()];
        for image in 0..self.images.len() {
            write(self.images.start + image, &mut plain);
            let to = at(&mut self.gradients[graph.activations.len() - 1], true, last.gradient_stride(), image);
            last.gradient.write(&plain, &mut to[..last.gradient.size()]);
        }
    }

    /// Writes the gradient of image `image`, `[C, H, W]`, to `to`.
    pub(super) fn read_input_gradient(&self, graph: &Graph, image: usize, to: &mut [f32]) {
        let first = &graph.activations[0];
        let from = &self.gradients[0][image * first.gradient_stride()..];
        first.gradient.read(&from[..first.gradient.size()], to);
    }

    /// What comes into operation `operation`, and the gradient of what comes out, of all images.
    pub(super) fn ends(&self, graph: &Graph, operation: usize) -> (&[f32], &[f32]) {
        let count = self.images.len();
        (
            &self.values[operation][..count * graph.activations[operation].stride()],
            &self.gradients[operation + 1][..count * graph.activations[operation + 1].gradient_stride()],
        )
    }

    /// Operations `operations` forward. The first of all reads the images.
    pub(super) fn forward(&mut self, shared: &Shared<'_>, batch: &Batch<'_>, operations: Range<usize>) {
        let mut next = operations.start;
        if operations.is_empty() && next == 0 {
            (0..self.images.len()).for_each(|image| self.load(shared, batch, image));
        }
        while next < operations.end {
            // Image by image as far as possible, so that what is between two operations stays in the cache.
            let matrix = (next..operations.end).find(|&at| shared.graph.operations[at].is_matrix());
            let end = matrix.unwrap_or(operations.end);
            if next == 0 || next < end {
                for image in 0..self.images.len() {
                    if next == 0 {
                        self.load(shared, batch, image);
                    }
                    for operation in next..end {
                        self.image_forward(shared, batch, operation, image);
                    }
                }
            }
            if let Some(matrix) = matrix {
                self.matrix_forward(shared, matrix);
            }
            next = end + 1;
        }
    }

    fn load(&mut self, shared: &Shared<'_>, batch: &Batch<'_>, image: usize) {
        let activation = &shared.graph.activations[0];
        (batch.image)(self.images.start + image, &mut self.image);
        let to = at(&mut self.values[0], activation.values_kept, activation.stride(), image);
        activation.values.write(&self.image, &mut to[..activation.values.size()]);
    }

    fn image_forward(&mut self, shared: &Shared<'_>, batch: &Batch<'_>, operation: usize, image: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let (from, to) = (&graph.activations[operation], &graph.activations[operation + 1]);
        let [input, output] = &mut self.values[operation..operation + 2] else { unreachable!("two activations") };
        let input = &at(input, from.values_kept, from.stride(), image)[..from.values.size()];
        let output = &mut at(output, to.values_kept, to.stride(), image)[..to.values.size()];
        match &graph.operations[operation] {
            Operation::Conv2d { conv, weights: own, bias, tiles, .. } => {
                let bias = bias.clone().map(|bias| &weights[bias]);
                if let Some(Tiles { winograd, weights, .. }) = tiles.as_deref() {
                    let transformed = &shared.transformed[weights.clone()];
                    let workspace = &mut shared.workspace()[..winograd.workspace()];
                    winograd.forward(isa, input, transformed, bias, to.relu_fused, workspace, output);
                } else {
                    conv.forward(isa, input, &weights[own.clone()], bias, to.relu_fused, output);
                }
            }
            Operation::MaxPool2d { window } => {
                // Without a backward pass nobody asks for an image's argmax indices later.
                let argmax = at(&mut self.saved[operation], shared.training, to.stride(), image);
                let argmax = &mut argmax[..to.values.size()];
                max_pool_forward(isa, window, &from.values, input, &to.values, output, argmax);
            }
            Operation::AvgPool2d { window, divisor } => {
                avg_pool_forward(isa, window, *divisor, &from.values, input, &to.values, output);
            }
            Operation::Relu => relu_forward(isa, &from.values, input, &to.values, output),
            Operation::BatchNorm { index, .. } => {
                let NormNumbers { mean, scale, offset, .. } = &shared.norms[*index];
                batch_norm_forward(isa, &from.values, input, [mean, scale, offset], &to.values, output);
            }
            Operation::Dropout => {
                copy(isa, &from.values, input, &to.values, output);
                if shared.training {
                    let mask = at(&mut self.saved[operation], true, to.stride(), image);
                    let mask = &mut mask[..to.values.size()];
                    let elements = to.features();
                    let plain = &mut self.image;
                    plain.resize(plain.len().max(elements), 0.0);
                    let plain = &mut plain[..elements];
                    (batch.mask)(graph.layers[operation], (self.images.start + image) * elements, plain);
                    to.values.write(plain, mask);
                    multiply(isa, &to.values, mask, &to.values, output);
                    self.image.truncate(graph.activations[0].features());
                }
            }
            Operation::Linear { .. } => unreachable!("linear layers take all images at once"),
        }
    }

    fn matrix_forward(&mut self, shared: &Shared<'_>, operation: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let Operation::Linear { outputs, weights: own, bias, .. } = &graph.operations[operation] else {
            unreachable!("only linear layers take all images at once")
        };
        let (from, to) = (&graph.activations[operation], &graph.activations[operation + 1]);
        let [input, output] = &mut self.values[operation..operation + 2] else { unreachable!("two activations") };
        let count = self.images.len();
        linear_forward(
            isa,
            [*outputs, from.stride()],
            &weights[own.clone()],
            bias.clone().map(|bias| &weights[bias]),
            to.relu_fused,
            &input[..count * from.stride()],
            &mut output[..count * to.stride()],
            to.stride(),
        );
    }

    /// Mean and deviations of what comes into a normalisation.
    pub(super) fn moments(&mut self, shared: &Shared<'_>, operation: usize, index: usize) {
        let activation = &shared.graph.activations[operation];
        for image in 0..self.images.len() {
            let input = at(&mut self.values[operation], activation.values_kept, activation.stride(), image);
            let input = &input[..activation.values.size()];
            batch_norm_moments(shared.isa, &activation.values, input, &mut self.moments[index]);
        }
    }

    /// Loss, right answers, and the gradient of the outputs times the weight of each image.
    pub(super) fn loss(
        &mut self,
        shared: &Shared<'_>,
        labels: &[usize],
        weight: &(dyn Fn(usize) -> f32 + Sync),
        objective: Objective,
    ) {
        let last = shared.graph.activations.len() - 1;
        let activation = &shared.graph.activations[last];
        let classes = activation.values.channels;
        for image in 0..self.images.len() {
            let outputs = &self.values[last][image * activation.stride()..][..classes];
            let gradient = &mut self.gradients[last][image * activation.gradient_stride()..][..classes];
            let label = labels[self.images.start + image];
            let weight = weight(self.images.start + image);
            self.loss += objective.loss(outputs, label, weight, gradient);
            self.correct += usize::from(largest(outputs) == label);
        }
    }

    /// Operations `operations` backward, the last first.
    pub(super) fn backward(&mut self, shared: &Shared<'_>, operations: Range<usize>) {
        let mut end = operations.end;
        while end > operations.start {
            let matrix = (operations.start..end).rev().find(|&at| shared.graph.operations[at].is_matrix());
            let start = matrix.map_or(operations.start, |matrix| matrix + 1);
            if start < end {
                for image in 0..self.images.len() {
                    for operation in (start..end).rev() {
                        self.image_backward(shared, operation, image);
                    }
                }
                (start..end).for_each(|operation| self.add_transformed(shared, operation));
            }
            if let Some(matrix) = matrix {
                self.matrix_backward(shared, matrix);
            }
            end = matrix.unwrap_or(operations.start);
        }
    }

    fn image_backward(&mut self, shared: &Shared<'_>, operation: usize, image: usize) {
        let Shared { isa, graph, flipped: all_flipped, .. } = *shared;
        let (from, to) = (&graph.activations[operation], &graph.activations[operation + 1]);
        let [input, output] = &mut self.values[operation..operation + 2] else { unreachable!("two activations") };
        let input = &at(input, from.values_kept, from.stride(), image)[..from.values.size()];
        let output = &at(output, to.values_kept, to.stride(), image)[..to.values.size()];
        let [input_gradient, gradient] = &mut self.gradients[operation..operation + 2] else {
            unreachable!("two activations")
        };
        let input_gradient = at(input_gradient, from.gradient_kept, from.gradient_stride(), image);
        let input_gradient = &mut input_gradient[..from.gradient.size()];
        let gradient = &mut at(gradient, to.gradient_kept, to.gradient_stride(), image)[..to.gradient.size()];
        let wanted = operation > 0 || shared.input_gradient;
        match &graph.operations[operation] {
            Operation::Conv2d { conv, weights, bias, flipped, tiles, padded } => {
                let mut layout = &to.gradient;
                let mut gradient = gradient;
                if let Some(padded) = padded {
                    copy(isa, layout, gradient, padded, &mut self.padded[operation]);
                    (layout, gradient) = (padded, &mut self.padded[operation]);
                }
                if to.relu_fused && !to.masked_next {
                    relu_backward(isa, &to.values, output, layout, gradient);
                }
                if let Some(bias) = bias {
                    conv.bias_gradient(isa, gradient, &mut self.sums[bias.clone()]);
                }
                let result = &from.gradient;
                if let Some(Tiles { winograd, weights, flipped }) = tiles.as_deref() {
                    let sum = &mut self.transformed_sums[weights.clone()];
                    let workspace = &mut shared.workspace()[..winograd.workspace()];
                    winograd.weight_gradient(isa, input, gradient, workspace, sum);
                    if let Some(flipped) = flipped.as_ref().filter(|_| wanted) {
                        let flipped = &shared.transformed_flipped[flipped.clone()];
                        winograd.input_gradient(isa, gradient, flipped, workspace, input_gradient, result);
                    }
                    return;
                }
                conv.weight_gradient(isa, input, gradient, &mut self.sums[weights.clone()]);
                if let Some(flipped) = flipped.as_ref().filter(|_| wanted) {
                    let flipped = &all_flipped[flipped.clone()];
                    conv.input_gradient(isa, gradient, flipped, &mut self.spread[operation], input_gradient, result);
                }
            }
            Operation::MaxPool2d { window } if wanted => {
                let argmax = &at(&mut self.saved[operation], true, to.stride(), image)[..to.values.size()];
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
            Operation::AvgPool2d { window, divisor } if wanted => {
                avg_pool_backward(isa, window, *divisor, &to.gradient, gradient, &from.gradient, input_gradient);
            }
            Operation::Relu if wanted => {
                copy(isa, &to.gradient, gradient, &from.gradient, input_gradient);
                relu_backward(isa, &to.values, output, &from.gradient, input_gradient);
            }
            Operation::BatchNorm { index, .. } if wanted => {
                let NormNumbers { mean, scale, of_sum, of_product, .. } = &shared.norms[*index];
                let numbers = [&mean[..], scale, of_sum, of_product];
                let (values, positive) = (&from.values, from.masked_next);
                let result = (&from.gradient, input_gradient);
                batch_norm_backward(isa, values, input, numbers, positive, &to.gradient, gradient, result);
            }
            Operation::Dropout if wanted => {
                let mask = &at(&mut self.saved[operation], true, to.stride(), image)[..to.values.size()];
                copy(isa, &to.gradient, gradient, &from.gradient, input_gradient);
                multiply(isa, &to.values, mask, &from.gradient, input_gradient);
            }
            Operation::Linear { .. } => unreachable!("linear layers take all images at once"),
            _ => {}
        }
    }

    /// The sum of a convolution's transformed gradients goes back to the taps.
    fn add_transformed(&mut self, shared: &Shared<'_>, operation: usize) {
        if let Operation::Conv2d { weights, tiles: Some(tiles), .. } = &shared.graph.operations[operation] {
            let sum = &self.transformed_sums[tiles.weights.clone()];
            tiles.winograd.add_weight_gradient(shared.isa, sum, &mut self.sums[weights.clone()]);
        }
    }

    fn matrix_backward(&mut self, shared: &Shared<'_>, operation: usize) {
        let Shared { isa, graph, weights, .. } = *shared;
        let Operation::Linear { outputs, weights: own, bias, first } = &graph.operations[operation] else {
            unreachable!("only linear layers take all images at once")
        };
        let (from, to) = (&graph.activations[operation], &graph.activations[operation + 1]);
        let [input_gradient, gradient] = &mut self.gradients[operation..operation + 2] else {
            unreachable!("two activations")
        };
        let (count, row) = (self.images.len(), to.gradient_stride());
        let gradient = &mut gradient[..count * row];
        for (image, gradient) in gradient.chunks_exact_mut(row).enumerate() {
            if to.relu_fused && !to.masked_next {
                let output = &self.values[operation + 1][image * to.stride()..][..to.stride()];
                relu_backward(isa, &to.values, output, &to.gradient, gradient);
            }
            if let Some(bias) = bias {
                accumulate(isa, gradient, &mut self.sums[bias.clone()]);
            }
        }
        if !first {
            let input_gradient = &mut input_gradient[..count * from.gradient_stride()];
            let weights = &weights[own.clone()];
            linear_input_gradient(isa, [*outputs, from.stride()], weights, gradient, row, input_gradient);
        }
    }

    /// Σ g and Σ g (x − mean) of a normalisation.
    pub(super) fn norm_sums(&mut self, shared: &Shared<'_>, operation: usize, index: usize) {
        let (from, to) = (&shared.graph.activations[operation], &shared.graph.activations[operation + 1]);
        for image in 0..self.images.len() {
            let input = at(&mut self.values[operation], from.values_kept, from.stride(), image);
            let input = &input[..from.values.size()];
            let gradient = at(&mut self.gradients[operation + 1], to.gradient_kept, to.gradient_stride(), image);
            let gradient = &gradient[..to.gradient.size()];
            let [plain, weighted] = &mut self.norm_sums[index];
            let mean = &shared.norms[index].mean;
            batch_norm_sums(shared.isa, &from.values, input, mean, &to.gradient, gradient, [plain, weighted]);
        }
    }

    /// Gradients of weights that there are not, where two groups share a block, go back to zero.
    pub(super) fn clear_unused(&mut self, graph: &Graph) {
        for operation in &graph.operations {
            if let Operation::Conv2d { conv, weights, .. } = operation {
                conv.clear_unused(&mut self.sums[weights.clone()]);
            }
        }
    }
}

/// The buffer of image `image`, or the one that all images share.
fn at(buffer: &mut [f32], kept: bool, stride: usize, image: usize) -> &mut [f32] {
    let start = if kept { image * stride } else { 0 };
    &mut buffer[start..start + stride]
}

/// The index of the largest; the first wins a tie.
fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}
