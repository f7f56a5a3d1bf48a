//! What all shards read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use backproof_kernels::{Isa, Memory, zeros};

use crate::graph::Graph;

/// What every shard reads in a pass.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) isa: Isa,
    pub(crate) graph: &'a Graph,
    pub(crate) weights: &'a [f32],
    pub(crate) flipped: &'a [f32],
    pub(crate) transformed: &'a [f32],
    pub(crate) transformed_flipped: &'a [f32],
    pub(crate) norms: &'a [NormNumbers],
    pub(crate) workspaces: &'a [Mutex<Workspace>],
    pub(crate) training: bool,
    /// Whether the gradient of the images is wanted.
    pub(crate) input_gradient: bool,
    /// What sums of transformed gradients begin with: 0, unless a [`Fault`](crate::Fault) was injected.
    pub(crate) first_transformed_sum: f32,
}

/// The scratch memory of a thread, which stays in the cache of its core from shard to shard.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Of one call of a kernel.
    pub(super) scratch: Memory,
    /// Sums of the gradients of transformed weights, over the images of one shard.
    pub(super) transformed_sums: Memory,
}

impl Workspace {
    pub(crate) fn new(graph: &Graph, training: bool) -> Self {
        Self { scratch: zeros(graph.workspace), transformed_sums: zeros(if training { graph.transformed } else { 0 }) }
    }
}

impl Shared<'_> {
    /// The scratch memory of this thread.
    pub(super) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        // A single shard stays on the thread that has called, which may be of no pool.
        let thread = rayon::current_thread_index().map_or(0, |thread| thread + 1);
        self.workspaces[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of a batch normalisation that all shards use, one a channel of its blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct NormNumbers {
    pub(crate) mean: Vec<f32>,
    /// γ r.
    pub(crate) scale: Vec<f32>,
    /// β.
    pub(crate) offset: Vec<f32>,
    /// ∂L/∂β / M, or 0 in inference.
    pub(crate) of_sum: Vec<f32>,
    /// r · ∂L/∂γ / M, or 0 in inference.
    pub(crate) of_product: Vec<f32>,
}

impl NormNumbers {
    pub(crate) fn new(padded: usize) -> Self {
        let zeros = || vec![0.0; padded];
        Self { mean: zeros(), scale: zeros(), offset: zeros(), of_sum: zeros(), of_product: zeros() }
    }

    /// What `channel` is normalised by, with `inverse` = 1/√(v + ε).
    pub(crate) fn set(&mut self, channel: usize, mean: f64, inverse: f64, [gamma, beta]: [f32; 2]) {
        self.mean[channel] = mean as f32;
        self.scale[channel] = (f64::from(gamma) * inverse) as f32;
        self.offset[channel] = beta;
    }
}
