//! Passes over a batch, forward and backward, from a normalisation to the next.

use rayon::prelude::*;

use super::core::{Core, MOST_SHARDS};
use crate::graph::{Graph, Purpose};
use crate::shard::{ImageLoss, Shard};
use crate::{ActiveUnits, Inputs, Objective, PassOutcome};

impl Core {
    /// Forward and backward, from the mean loss.
    pub(super) fn pass(&mut self, inputs: &Inputs<'_>, labels: &[usize], objective: &Objective) -> PassOutcome {
        let share = 1.0 / total_weight(labels, objective) as f32;
        self.pass_by_labels(inputs, labels, &|_| share, objective)
    }

    /// [`pass`](Self::pass) of images with two labels each: from `share` of the mean loss with the first, and the rest
    /// of the mean loss with the second. The label with the larger share counts as right.
    pub(super) fn mixed_pass(
        &mut self,
        inputs: &Inputs<'_>,
        labels: [&[usize]; 2],
        share: f64,
        objective: &Objective,
    ) -> PassOutcome {
        let shares = [share, 1.0 - share];
        for labels in labels {
            assert_eq!(labels.len(), inputs.count, "{} labels of {} images", labels.len(), inputs.count);
        }
        let weights = [0, 1].map(|at| shares[at] / total_weight(labels[at], objective));
        let right = labels[usize::from(shares[1] > shares[0])];
        self.pass_by(inputs, 1.0, &|image, outputs, gradient| {
            let mut of_second = vec![0.0; gradient.len()];
            let first = objective.loss(outputs, labels[0][image], weights[0] as f32, gradient);
            let second = objective.loss(outputs, labels[1][image], weights[1] as f32, &mut of_second);
            gradient.iter_mut().zip(&of_second).for_each(|(sum, of_second)| *sum += of_second);
            (weights[0] * first + weights[1] * second, right[image])
        })
    }

    /// [`pass`](Self::pass) with the gradients of `Σ_n weights[n] · loss[n]` in place of the mean's.
    pub(super) fn weighted_pass(
        &mut self,
        inputs: &Inputs<'_>,
        labels: &[usize],
        weights: &[f32],
        objective: &Objective,
    ) -> PassOutcome {
        assert_eq!(weights.len(), labels.len(), "a weight an image");
        self.pass_by_labels(inputs, labels, &|image| weights[image], objective)
    }

    fn pass_by_labels(
        &mut self,
        inputs: &Inputs<'_>,
        labels: &[usize],
        weight: &(dyn Fn(usize) -> f32 + Sync),
        objective: &Objective,
    ) -> PassOutcome {
        assert_eq!(labels.len(), inputs.count, "{} labels of {} images", labels.len(), inputs.count);
        self.pass_by(inputs, total_weight(labels, objective), &|image, outputs, gradient| {
            (objective.loss(outputs, labels[image], weight(image), gradient), labels[image])
        })
    }

    /// The loss that it gives is the sum of those of the images, over `total`.
    fn pass_by(&mut self, inputs: &Inputs<'_>, total: f64, loss: ImageLoss<'_>) -> PassOutcome {
        let last = self.graph.activations.last().expect("the output's").values;
        assert_eq!([last.height, last.width], [1, 1], "a loss is of a vector");
        assert!(inputs.count > 0, "a batch has an image");
        self.input_gradient = self.purpose == Purpose::Segment;
        self.finished = false;
        self.divide(inputs.count);
        self.prepare_weights();
        let last = self.graph.nodes.len();
        self.normalize(inputs);
        let last_norm = self.last_norm();
        self.each_shard(true, |shard, shared| {
            shard.forward(shared, inputs, last_norm.map_or(0, |(_, at)| at)..last);
            shard.loss(shared, loss);
            shard.backward(shared, last_norm.map_or(0, |(_, at)| at + 1)..last);
            if let Some((norm, at)) = last_norm {
                shard.norm_sums(shared, at, norm);
            }
        });
        self.backward_from_last_norm();
        PassOutcome {
            loss: self.shards.iter().map(|shard| shard.loss).sum::<f64>() / total,
            correct: self.shards.iter().map(|shard| shard.correct).sum(),
        }
    }

    /// Forward to each normalisation, whose statistics are then those of the batch.
    fn normalize(&mut self, inputs: &Inputs<'_>) {
        for norm in 0..self.graph.norms.len() {
            let node = |norm: usize| self.graph.norms[norm].node;
            let (start, end) = (norm.checked_sub(1).map_or(0, node), node(norm));
            self.each_shard(true, |shard, shared| {
                shard.forward(shared, inputs, start..end);
                shard.moments(shared, end, norm);
            });
            self.use_batch_statistics(norm);
        }
    }

    /// The number of the last normalisation, and the node that it is.
    fn last_norm(&self) -> Option<(usize, usize)> {
        self.graph.norms.iter().map(|norm| norm.node).enumerate().next_back()
    }

    /// Backward from where every shard has its sums for the last normalisation.
    fn backward_from_last_norm(&mut self) {
        for norm in (0..self.graph.norms.len()).rev() {
            self.sum_norm_gradients(norm);
            let before = norm.checked_sub(1).map(|before| (before, self.graph.norms[before].node));
            let end = self.graph.norms[norm].node + 1;
            self.each_shard(true, |shard, shared| {
                shard.backward(shared, before.map_or(0, |(_, at)| at + 1)..end);
                if let Some((norm, at)) = before {
                    shard.norm_sums(shared, at, norm);
                }
            });
        }
    }

    /// Forward by the running statistics and without dropout.
    pub(super) fn infer(&mut self, inputs: &Inputs<'_>) {
        self.use_running_statistics();
        self.prepare_weights();
        self.divide(inputs.count);
        let last = self.graph.nodes.len();
        self.each_shard(false, |shard, shared| shard.forward(shared, inputs, 0..last));
    }

    /// As [`infer`](Self::infer), with what each ReLU gives.
    pub(super) fn active_units(&mut self, inputs: &Inputs<'_>) -> Vec<ActiveUnits> {
        let Graph { relus, activations, .. } = &self.graph;
        let of =
            |&(operation, output): &(usize, usize)| ActiveUnits::new(operation, activations[output].values.channels);
        let mut all: Vec<ActiveUnits> = relus.iter().map(of).collect();
        // As many shards as this batch takes, before each gets its counters.
        self.divide(inputs.count);
        self.shards.iter_mut().for_each(|shard| shard.active.clone_from(&all));
        self.infer(inputs);
        for shard in &mut self.shards {
            let found = std::mem::take(&mut shard.active);
            all.iter_mut().zip(&found).for_each(|(all, found)| all.merge(found));
        }
        all
    }

    /// The outputs of a whole network for image `image` of the last batch.
    pub(super) fn outputs(&self, image: usize) -> &[f32] {
        let (shard, image) = self.find(image);
        shard.outputs(&self.graph, image)
    }

    /// Forward by the statistics of the batch.
    pub(super) fn forward(&mut self, inputs: &Inputs<'_>) {
        self.prepare_weights();
        self.divide(inputs.count);
        self.normalize(inputs);
        let (start, last) = (self.last_norm().map_or(0, |(_, at)| at), self.graph.nodes.len());
        self.each_shard(true, |shard, shared| shard.forward(shared, inputs, start..last));
    }

    /// The output of all images of the last batch, `[N, C, H, W]`.
    pub(super) fn output(&self, to: &mut [f32]) {
        let features = self.graph.activations.last().expect("the output's").features();
        self.read_shards(features, to, |shard, image, to| shard.read_output(&self.graph, image, to));
    }

    /// Backward from the gradient of the output of image n, which `gradient` writes.
    pub(super) fn backward(&mut self, gradient: &(dyn Fn(usize, &mut [f32]) + Sync), input_gradient: bool) {
        let (last, last_norm) = (self.graph.nodes.len(), self.last_norm());
        self.input_gradient = input_gradient;
        self.finished = false;
        self.prepare_weights();
        self.each_shard(true, |shard, shared| {
            shard.set_gradient(shared.graph, gradient);
            shard.backward(shared, last_norm.map_or(0, |(_, at)| at + 1)..last);
            if let Some((norm, at)) = last_norm {
                shard.norm_sums(shared, at, norm);
            }
        });
        self.backward_from_last_norm();
        self.finish_gradients();
    }

    /// The gradient of the input of all images, `[N, C, H, W]`.
    pub(super) fn input_gradient(&self, to: &mut [f32]) {
        let features = self.graph.activations[0].features();
        self.read_shards(features, to, |shard, image, to| shard.read_input_gradient(&self.graph, image, to));
    }

    fn read_shards(&self, features: usize, to: &mut [f32], read: impl Fn(&Shard, usize, &mut [f32]) + Sync) {
        let images: usize = self.shards.iter().map(|shard| shard.images.len()).sum();
        assert_eq!(to.len(), images * features, "{images} images");
        to.par_chunks_mut(features).enumerate().with_min_len(images.div_ceil(MOST_SHARDS)).for_each(|(image, to)| {
            let (shard, image) = self.find(image);
            read(shard, image, to);
        });
    }

    /// The shard that image `image` of the last batch is in, and its number there.
    fn find(&self, image: usize) -> (&Shard, usize) {
        let shard = self.shards.iter().find(|shard| shard.images.contains(&image)).expect("an image of the last batch");
        (shard, image - shard.images.start)
    }
}

/// By what the sum of a batch's losses is divided: the number of images, unless their classes have weights.
fn total_weight(labels: &[usize], objective: &Objective) -> f64 {
    labels.iter().map(|&label| objective.weight(label)).sum()
}
