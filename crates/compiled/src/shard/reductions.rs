//! What a shard adds up over its images: the loss, and the sums of normalisations.

use backproof_kernels::{batch_norm_moments, batch_norm_sums};

use super::{Shard, Shared, at};

/// The loss of image n, its label, and in the last slice the gradient, from its outputs.
pub(crate) type ImageLoss<'a> = &'a (dyn Fn(usize, &[f32], &mut [f32]) -> (f64, usize) + Sync);

impl Shard {
    /// Mean and deviations of what comes into a normalisation.
    pub(crate) fn moments(&mut self, shared: &Shared<'_>, node: usize, index: usize) {
        let (activation, from) = (shared.graph.input(node), shared.graph.inputs[node]);
        for image in 0..self.images.len() {
            let input = at(&mut self.values[from], activation.values_kept, activation.stride(), image);
            let input = &input[..activation.values.size()];
            batch_norm_moments(shared.isa, &activation.values, input, &mut self.moments[index]);
        }
    }

    /// Loss, right answers, and the gradient of the outputs. `loss` gives the loss of an image of these outputs and the
    /// label that counts as right, and writes the gradient.
    pub(crate) fn loss(&mut self, shared: &Shared<'_>, loss: ImageLoss<'_>) {
        let last = shared.graph.activations.len() - 1;
        let activation = &shared.graph.activations[last];
        let classes = activation.values.channels;
        for image in 0..self.images.len() {
            let outputs = &self.values[last][image * activation.stride()..][..classes];
            let gradient = &mut self.gradients[last][image * activation.gradient_stride()..][..classes];
            let (loss, label) = loss(self.images.start + image, outputs, gradient);
            self.loss += loss;
            self.correct += usize::from(largest(outputs) == label);
        }
    }

    /// Σ g and Σ g (x − mean) of a normalisation.
    pub(crate) fn norm_sums(&mut self, shared: &Shared<'_>, node: usize, index: usize) {
        let (from, to) = (shared.graph.input(node), &shared.graph.activations[node + 1]);
        let values = &mut self.values[shared.graph.inputs[node]];
        for image in 0..self.images.len() {
            let input = at(values, from.values_kept, from.stride(), image);
            let input = &input[..from.values.size()];
            let gradient = at(&mut self.gradients[node + 1], to.gradient_kept, to.gradient_stride(), image);
            let gradient = &gradient[..to.gradient.size()];
            let [plain, weighted] = &mut self.norm_sums[index];
            let mean = &shared.norms[index].mean;
            batch_norm_sums(shared.isa, &from.values, input, mean, &to.gradient, gradient, [plain, weighted]);
        }
    }
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
