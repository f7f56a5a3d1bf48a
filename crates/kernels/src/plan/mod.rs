//! A network as a plan: which kernels run on which memory, forward, backward and update.
//!
//! There are three, and each has the calls that apply to it: [`InferencePlan`], [`TrainingPlan`] and [`SegmentPlan`],
//! over one core. [`Plan`] is what all have.
//!
//! Images do not depend on each other, except in batch normalisation. So a batch is divided into shards of neighbouring
//! images. One thread takes a shard from the images to the gradients, while what it works on is in the cache. All
//! shards wait for each other at a batch normalisation, and nowhere else. At the end the gradients of the shards are
//! added up in the order of the shards.
//!
//! The number of shards depends on the size of the batch alone. So results depend on the instructions, and not on the
//! number of threads.

mod fault;
mod finish;
mod kinds;
mod operation;
mod parameters;
mod shard;

use std::sync::Mutex;

use rayon::prelude::*;

use crate::batch_norm::Moments;
use crate::isa::Isa;
use crate::loss::{binary_cross_entropy, mean_squared_error, softmax_cross_entropy};
use crate::memory::{Memory, zeros};
use operation::{Graph, Norm};
use shard::{NormNumbers, Shard, Shared};

pub use fault::Fault;
pub use kinds::{InferencePlan, Plan, SegmentPlan, TrainingPlan};
pub use operation::Layer;
pub use parameters::Parameter;

/// The most shards that a batch is divided into: what can be used of many threads, against memory for as many
/// gradients.
const MOST_SHARDS: usize = 16;

/// The images of a pass.
pub struct Batch<'a> {
    /// How many.
    pub count: usize,
    /// Writes image n, `[C, H, W]`.
    pub image: &'a (dyn Fn(usize, &mut [f32]) + Sync),
    /// Writes what dropout multiplies with: of layer number l (from 0, among all layers) the elements from e on, in
    /// row-major order over the whole batch.
    pub mask: &'a (dyn Fn(usize, usize, &mut [f32]) + Sync),
}

/// The loss of an image, whose mean over the batch is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// `−ln softmax(z)[label]`.
    CrossEntropy,
    /// The mean over the outputs of `(z − [k = label])²`.
    MeanSquaredError,
    /// The mean over the outputs of the cross-entropies of `σ(z)`.
    BinaryCrossEntropy,
}

impl Objective {
    /// The loss of one image with these outputs, and in `gradient` its gradient times `weight`.
    ///
    /// # Panics
    ///
    /// If the slices differ in length or the label is outside of them.
    pub fn loss(self, outputs: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        let of = match self {
            Self::CrossEntropy => softmax_cross_entropy,
            Self::MeanSquaredError => mean_squared_error,
            Self::BinaryCrossEntropy => binary_cross_entropy,
        };
        of(outputs, label, weight, gradient)
    }
}

/// What a pass over a batch gives beside the gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The mean loss.
    pub loss: f64,
    /// Images whose largest output is that of their label.
    pub correct: usize,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Outputs alone: little memory.
    Inference,
    /// The gradients of the parameters.
    Training,
    /// The gradients of the parameters and of the input, from the gradient of the output or from the loss.
    Segment,
}

/// A network with its parameters, gradients and all memory of a pass.
#[derive(Debug, Clone)]
struct Core {
    isa: Isa,
    graph: Graph,
    weights: Memory,
    gradient: Memory,
    /// What momentum remembers.
    velocity: Memory,
    flipped: Memory,
    transformed: Memory,
    transformed_flipped: Memory,
    /// Whether the weights have changed since they were flipped and transformed.
    weights_are_new: bool,
    norms: Vec<NormNumbers>,
    /// Running mean and variance of each normalisation.
    running: Vec<[Vec<f32>; 2]>,
    /// 1/√(v + ε) of the last batch.
    inverse_deviations: Vec<Vec<f64>>,
    moments: Vec<Moments>,
    shards: Vec<Shard>,
    /// Scratch memory, for the calling thread and for each of the pool that it last ran in.
    workspaces: Workspaces,
    shard_capacity: usize,
    purpose: Purpose,
    input_gradient: bool,
    tasks: Vec<finish::Task>,
}

/// Nothing in it outlives a call, so that a copy of a plan begins without.
#[derive(Debug, Default)]
struct Workspaces(Vec<Mutex<Memory>>);

impl Clone for Workspaces {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Core {
    fn new(isa: Isa, input: [usize; 3], layers: &[Layer], purpose: Purpose) -> Self {
        let segment = purpose == Purpose::Segment;
        let training = purpose != Purpose::Inference;
        let graph = Graph::new(input, layers, purpose);
        let last = graph.activations.last().expect("the input's").values;
        assert!(segment || [last.height, last.width] == [1, 1], "the network ends in a vector");
        let when_training = |size: usize| zeros(if training { size } else { 0 });
        Self {
            isa,
            weights: zeros(graph.parameters),
            gradient: when_training(graph.parameters),
            velocity: when_training(graph.parameters),
            flipped: when_training(graph.flipped),
            transformed: zeros(graph.transformed),
            transformed_flipped: when_training(graph.transformed_flipped),
            weights_are_new: false,
            norms: graph.norms.iter().map(|norm| NormNumbers::new(norm.padded)).collect(),
            running: graph.norms.iter().map(|norm| [vec![0.0; norm.channels], vec![1.0; norm.channels]]).collect(),
            inverse_deviations: graph.norms.iter().map(|norm| vec![0.0; norm.padded]).collect(),
            moments: graph.norms.iter().map(|norm| Moments::new(norm.padded)).collect(),
            shards: Vec::new(),
            workspaces: Workspaces::default(),
            shard_capacity: 0,
            purpose,
            input_gradient: false,
            tasks: finish::tasks(&graph),
            graph,
        }
    }

    /// Forward and backward, from the mean loss.
    fn pass(&mut self, batch: &Batch<'_>, labels: &[usize], objective: Objective) -> Outcome {
        let share = 1.0 / labels.len() as f32;
        self.pass_by(batch, labels, &|_| share, objective)
    }

    /// [`pass`](Self::pass) with the gradients of `Σ_n weights[n] · loss[n]` in place of the mean's.
    fn weighted_pass(&mut self, batch: &Batch<'_>, labels: &[usize], weights: &[f32], objective: Objective) -> Outcome {
        assert_eq!(weights.len(), labels.len(), "a weight an image");
        self.pass_by(batch, labels, &|image| weights[image], objective)
    }

    fn pass_by(
        &mut self,
        batch: &Batch<'_>,
        labels: &[usize],
        weight: &(dyn Fn(usize) -> f32 + Sync),
        objective: Objective,
    ) -> Outcome {
        let last = self.graph.activations.last().expect("the output's").values;
        assert_eq!([last.height, last.width], [1, 1], "a loss is of a vector");
        assert!(batch.count > 0 && labels.len() == batch.count, "{} labels of {} images", labels.len(), batch.count);
        self.input_gradient = self.purpose == Purpose::Segment;
        self.divide(batch.count);
        self.prepare_weights();
        let last = self.graph.operations.len();
        self.normalize(batch);
        let last_norm = self.last_norm();
        self.each_shard(true, |shard, shared| {
            shard.forward(shared, batch, last_norm.map_or(0, |(_, at)| at)..last);
            shard.loss(shared, labels, weight, objective);
            shard.backward(shared, last_norm.map_or(0, |(_, at)| at + 1)..last);
            if let Some((norm, at)) = last_norm {
                shard.norm_sums(shared, at, norm);
            }
        });
        self.backward_from_last_norm();
        Outcome {
            loss: self.shards.iter().map(|shard| shard.loss).sum::<f64>() / batch.count as f64,
            correct: self.shards.iter().map(|shard| shard.correct).sum(),
        }
    }

    /// Forward to each normalisation, whose statistics are then those of the batch.
    fn normalize(&mut self, batch: &Batch<'_>) {
        for norm in 0..self.graph.norms.len() {
            let operation = |norm: usize| self.graph.norms[norm].operation;
            let (start, end) = (norm.checked_sub(1).map_or(0, operation), operation(norm));
            self.each_shard(true, |shard, shared| {
                shard.forward(shared, batch, start..end);
                shard.moments(shared, end, norm);
            });
            self.use_batch_statistics(norm);
        }
    }

    /// The number of the last normalisation, and the operation that it is.
    fn last_norm(&self) -> Option<(usize, usize)> {
        self.graph.norms.iter().map(|norm| norm.operation).enumerate().next_back()
    }

    /// Backward from where every shard has its sums for the last normalisation.
    fn backward_from_last_norm(&mut self) {
        for norm in (0..self.graph.norms.len()).rev() {
            self.sum_norm_gradients(norm);
            let before = norm.checked_sub(1).map(|before| (before, self.graph.norms[before].operation));
            let end = self.graph.norms[norm].operation + 1;
            self.each_shard(true, |shard, shared| {
                shard.backward(shared, before.map_or(0, |(_, at)| at + 1)..end);
                if let Some((norm, at)) = before {
                    shard.norm_sums(shared, at, norm);
                }
            });
        }
    }

    /// Forward by the running statistics and without dropout.
    fn infer(&mut self, batch: &Batch<'_>) {
        self.use_running_statistics();
        self.prepare_weights();
        self.divide(batch.count);
        let last = self.graph.operations.len();
        self.each_shard(false, |shard, shared| shard.forward(shared, batch, 0..last));
    }

    /// The outputs of a whole network for image `image` of the last batch.
    fn outputs(&self, image: usize) -> &[f32] {
        let shard = self.shards.iter().find(|shard| shard.images.contains(&image)).expect("an image of the last batch");
        shard.outputs(&self.graph, image - shard.images.start)
    }

    /// Forward by the statistics of the batch.
    fn forward(&mut self, batch: &Batch<'_>) {
        self.prepare_weights();
        self.divide(batch.count);
        self.normalize(batch);
        let (start, last) = (self.last_norm().map_or(0, |(_, at)| at), self.graph.operations.len());
        self.each_shard(true, |shard, shared| shard.forward(shared, batch, start..last));
    }

    /// The output of all images of the last batch, `[N, C, H, W]`.
    fn output(&self, to: &mut [f32]) {
        let features = self.graph.activations.last().expect("the output's").features();
        self.read_shards(features, to, |shard, image, to| shard.read_output(&self.graph, image, to));
    }

    /// Backward from the gradient of the output of image n, which `gradient` writes.
    fn backward(&mut self, gradient: &(dyn Fn(usize, &mut [f32]) + Sync), input_gradient: bool) {
        let (last, last_norm) = (self.graph.operations.len(), self.last_norm());
        self.input_gradient = input_gradient;
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
    fn input_gradient(&self, to: &mut [f32]) {
        let features = self.graph.activations[0].features();
        self.read_shards(features, to, |shard, image, to| shard.read_input_gradient(&self.graph, image, to));
    }

    fn read_shards(&self, features: usize, to: &mut [f32], read: impl Fn(&Shard, usize, &mut [f32]) + Sync) {
        let images: usize = self.shards.iter().map(|shard| shard.images.len()).sum();
        assert_eq!(to.len(), images * features, "{images} images");
        to.par_chunks_mut(features).enumerate().with_min_len(images.div_ceil(MOST_SHARDS)).for_each(|(image, to)| {
            let shard =
                self.shards.iter().find(|shard| shard.images.contains(&image)).expect("an image of the last batch");
            read(shard, image - shard.images.start, to);
        });
    }

    /// Divides `count` images among shards, and makes room where there is not enough.
    fn divide(&mut self, count: usize) {
        let shards = count.clamp(1, MOST_SHARDS);
        let most = count.div_ceil(shards);
        if self.shards.len() < shards || self.shard_capacity < most {
            self.shard_capacity = self.shard_capacity.max(most);
            let shard = Shard::new(&self.graph, self.shard_capacity, self.purpose != Purpose::Inference);
            self.shards = vec![shard; shards.max(self.shards.len())];
        }
        for (number, shard) in self.shards.iter_mut().enumerate() {
            let start = |number: usize| count * number.min(shards) / shards;
            shard.begin(start(number)..start(number + 1));
        }
    }

    fn each_shard(&mut self, training: bool, work: impl Fn(&mut Shard, &Shared<'_>) + Sync) {
        let Self { isa, graph, weights, flipped, transformed, transformed_flipped, norms, shards, .. } = self;
        let input_gradient = self.input_gradient;
        self.workspaces.0.resize_with(rayon::current_num_threads() + 1, || Mutex::new(zeros(graph.workspace)));
        let shared = Shared {
            isa: *isa,
            graph,
            weights,
            flipped,
            transformed,
            transformed_flipped,
            norms,
            workspaces: &self.workspaces.0,
            training,
            input_gradient,
        };
        shards
            .par_iter_mut()
            .with_max_len(1)
            .filter(|shard| !shard.images.is_empty())
            .for_each(|shard| work(shard, &shared));
    }

    /// Mean and variance over the batch, which the normalisation then uses, and the running ones follow.
    fn use_batch_statistics(&mut self, norm: usize) {
        let Norm { channels, epsilon, momentum, operation, .. } = self.graph.norms[norm];
        let moments = &mut self.moments[norm];
        moments.clear();
        self.shards.iter().for_each(|shard| moments.merge(&shard.moments[norm]));
        let (gamma, beta) = self.graph.scale_and_offset(operation);
        let numbers = &mut self.norms[norm];
        let [running_mean, running_variance] = &mut self.running[norm];
        for channel in 0..channels {
            let (mean, variance) = (moments.mean[channel], moments.squares[channel] / moments.count);
            let inverse = 1.0 / (variance + epsilon).sqrt();
            self.inverse_deviations[norm][channel] = inverse;
            let affine = [self.weights[gamma.start + channel], self.weights[beta.start + channel]];
            numbers.set(channel, mean, inverse, affine);
            let blend = |old: &mut f32, new: f64| *old = ((1.0 - momentum) * f64::from(*old) + momentum * new) as f32;
            blend(&mut running_mean[channel], mean);
            if moments.count > 1.0 {
                blend(&mut running_variance[channel], moments.squares[channel] / (moments.count - 1.0));
            }
        }
    }

    fn use_running_statistics(&mut self) {
        for (norm, [mean, variance]) in self.running.iter().enumerate() {
            let Norm { channels, epsilon, operation, .. } = self.graph.norms[norm];
            let (gamma, beta) = self.graph.scale_and_offset(operation);
            let numbers = &mut self.norms[norm];
            for channel in 0..channels {
                let inverse = 1.0 / (f64::from(variance[channel]) + epsilon).sqrt();
                let affine = [self.weights[gamma.start + channel], self.weights[beta.start + channel]];
                numbers.set(channel, mean[channel].into(), inverse, affine);
            }
        }
    }

    /// ∂L/∂γ and ∂L/∂β, and what the gradient of the input needs of them.
    fn sum_norm_gradients(&mut self, norm: usize) {
        let Norm { channels, operation, .. } = self.graph.norms[norm];
        let (gamma, beta) = self.graph.scale_and_offset(operation);
        let numbers = &mut self.norms[norm];
        let count = self.moments[norm].count;
        for channel in 0..channels {
            let sum = |which: usize| self.shards.iter().map(|shard| shard.norm_sums[norm][which][channel]).sum::<f64>();
            let inverse = self.inverse_deviations[norm][channel];
            let (of_beta, of_gamma) = (sum(0), sum(1) * inverse);
            self.gradient[beta.start + channel] = of_beta as f32;
            self.gradient[gamma.start + channel] = of_gamma as f32;
            numbers.of_sum[channel] = (of_beta / count) as f32;
            numbers.of_product[channel] = (inverse * of_gamma / count) as f32;
        }
    }
}

#[cfg(test)]
mod tests;
