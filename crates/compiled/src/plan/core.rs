//! What the three plans have in common: a network with its memory, and threads that take its shards.

use std::sync::Mutex;

use backproof_kernels::{Isa, MOST_REMEMBERED, Memory, Moments, zeros};
use rayon::prelude::*;

use super::tasks::{Task, tasks};
use crate::Operation;
use crate::graph::{Graph, Purpose};
use crate::shard::{NormNumbers, Shard, Shared, Workspace};

/// The most shards that a batch is divided into: what can be used of many threads, against memory for as many
/// gradients.
pub(crate) const MOST_SHARDS: usize = 16;

/// Copies of the weights that a plan has room for: a moving average, and the slow weights of Lookahead.
pub(super) const COPIES: usize = 2;

/// A network with its parameters, gradients and all memory of a pass.
#[derive(Debug, Clone)]
pub(crate) struct Core {
    pub(super) isa: Isa,
    pub(super) graph: Graph,
    pub(super) weights: Memory,
    pub(super) gradient: Memory,
    /// Whether the gradients of the last pass are together.
    pub(super) finished: bool,
    /// Copies of the weights that go after them; empty before they are made.
    pub(super) copies: [Memory; COPIES],
    /// What the optimizer remembers, in the order of its step; empty before it remembers anything.
    pub(super) remembered: [Memory; MOST_REMEMBERED],
    pub(super) flipped: Memory,
    pub(super) transformed: Memory,
    pub(super) transformed_flipped: Memory,
    /// Whether the weights have changed since they were flipped and transformed.
    pub(super) weights_are_new: bool,
    pub(super) norms: Vec<NormNumbers>,
    /// Running mean and variance of each normalisation.
    pub(super) running: Vec<[Vec<f32>; 2]>,
    /// 1/√(v + ε) of the last batch.
    pub(super) inverse_deviations: Vec<Vec<f64>>,
    pub(super) moments: Vec<Moments>,
    pub(super) shards: Vec<Shard>,
    /// Scratch memory, for the calling thread and for each of the pool that it last ran in.
    pub(super) workspaces: Workspaces,
    pub(super) shard_capacity: usize,
    pub(super) purpose: Purpose,
    pub(super) input_gradient: bool,
    pub(super) first_transformed_sum: f32,
    pub(super) tasks: Vec<Task>,
}

/// Nothing in it outlives a call, so that a copy of a plan begins without.
#[derive(Debug, Default)]
pub(super) struct Workspaces(Vec<Mutex<Workspace>>);

impl Clone for Workspaces {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Core {
    pub(super) fn new(isa: Isa, input: [usize; 3], operations: &[Operation], purpose: Purpose) -> Self {
        let segment = purpose == Purpose::Segment;
        let training = purpose != Purpose::Inference;
        let graph = Graph::new(input, operations, purpose);
        let last = graph.activations.last().expect("the input's").values;
        assert!(segment || [last.height, last.width] == [1, 1], "the network ends in a vector");
        let when_training = |size: usize| zeros(if training { size } else { 0 });
        Self {
            isa,
            weights: zeros(graph.parameters),
            gradient: when_training(graph.parameters),
            finished: false,
            copies: std::array::from_fn(|_| zeros(0)),
            remembered: std::array::from_fn(|_| zeros(0)),
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
            first_transformed_sum: 0.0,
            tasks: tasks(&graph),
            graph,
        }
    }

    /// Divides `count` images among shards, and makes room where there is not enough.
    pub(super) fn divide(&mut self, count: usize) {
        self.first_transformed_sum = 0.0;
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

    /// Runs `work` on each shard that has images, on the threads of Rayon.
    pub(super) fn each_shard(&mut self, training: bool, work: impl Fn(&mut Shard, &Shared<'_>) + Sync) {
        let Self { isa, graph, weights, flipped, transformed, transformed_flipped, norms, shards, .. } = self;
        let (input_gradient, first_transformed_sum) = (self.input_gradient, self.first_transformed_sum);
        let for_training = self.purpose != Purpose::Inference;
        let workspace = || Mutex::new(Workspace::new(graph, for_training));
        self.workspaces.0.resize_with(rayon::current_num_threads() + 1, workspace);
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
            first_transformed_sum,
        };
        shards
            .par_iter_mut()
            .with_max_len(1)
            .filter(|shard| !shard.images.is_empty())
            .for_each(|shard| work(shard, &shared));
    }
}
