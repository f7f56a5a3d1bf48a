//! The end of a step: the shards' gradients become one, and the optimizer moves the weights, in one pass over the
//! parameters.

use std::ops::Range;

use backproof_kernels::{Isa, MomentumStep, accumulate, linear_weight_gradient};

use super::core::{Core, MOST_SHARDS};
use crate::graph::{Graph, Node, Purpose, Tiles};
use crate::shard::Shard;

/// Parameters that a task takes at least: below, dividing the work costs more than it saves.
const LEAST: usize = 8192;

/// Neighbouring parameters whose gradient is put together in one go.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    parameters: Range<usize>,
    gradient: Gradient,
}

/// How that is done.
#[derive(Debug, Clone)]
enum Gradient {
    /// The sum over the shards.
    Summed,
    /// The product of inputs and output gradients of a linear node, some rows of its weights.
    Product { node: usize, rows: Range<usize> },
    /// It is there already.
    Done,
}

/// Tasks that cover all parameters, in order.
pub(crate) fn tasks(graph: &Graph) -> Vec<Task> {
    let mut tasks: Vec<Task> = (0..graph.summed)
        .step_by(LEAST)
        .map(|start| Task { parameters: start..(start + LEAST).min(graph.summed), gradient: Gradient::Summed })
        .collect();
    for (node, kind) in graph.nodes.iter().enumerate() {
        match kind {
            Node::Linear { outputs, weights, .. } => {
                let features = graph.activations[node].stride();
                // Six rows at a time is what the kernel is best at.
                let rows = LEAST.div_ceil(features).next_multiple_of(6);
                for start in (0..*outputs).step_by(rows) {
                    let rows = start..(start + rows).min(*outputs);
                    let index = |row: usize| weights.start + row * features;
                    tasks.push(Task {
                        parameters: index(rows.start)..index(rows.end),
                        gradient: Gradient::Product { node, rows },
                    });
                }
            }
            Node::BatchNorm { gamma, beta, .. } => {
                tasks.push(Task { parameters: gamma.start..beta.end, gradient: Gradient::Done });
            }
            _ => {}
        }
    }
    tasks
}

/// What all tasks read.
struct Context<'a> {
    isa: Isa,
    graph: &'a Graph,
    shards: &'a [Shard],
    step: Option<MomentumStep>,
}

/// The part of the parameters that tasks work on, from `start` on.
struct Part<'a> {
    start: usize,
    gradient: &'a mut [f32],
    velocity: &'a mut [f32],
    weights: &'a mut [f32],
}

impl<'a> Part<'a> {
    fn split(self, at: usize) -> (Self, Self) {
        let (gradient, gradients) = self.gradient.split_at_mut(at - self.start);
        let (velocity, velocities) = self.velocity.split_at_mut(at - self.start);
        let (weight, weights) = self.weights.split_at_mut(at - self.start);
        (
            Self { start: self.start, gradient, velocity, weights: weight },
            Self { start: at, gradient: gradients, velocity: velocities, weights },
        )
    }
}

impl Context<'_> {
    fn run(&self, tasks: &[Task], part: Part<'_>) {
        match tasks {
            [] => {}
            [task] => self.run_one(task, part),
            _ => {
                let (first, second) = tasks.split_at(tasks.len() / 2);
                let (before, after) = part.split(second[0].parameters.start);
                rayon::join(|| self.run(first, before), || self.run(second, after));
            }
        }
    }

    fn run_one(&self, task: &Task, part: Part<'_>) {
        let Self { isa, graph, shards, step } = self;
        let Part { start, gradient, velocity, weights } = part;
        debug_assert_eq!(start..start + gradient.len(), task.parameters);
        match &task.gradient {
            Gradient::Summed => {
                gradient.fill(0.0);
                for shard in shards.iter().filter(|shard| !shard.images.is_empty()) {
                    accumulate(*isa, &shard.sums[task.parameters.clone()], gradient);
                }
            }
            Gradient::Product { node, rows } => {
                let features = graph.activations[*node].stride();
                let row = graph.activations[node + 1].gradient_stride();
                let mut parts: [(&[f32], &[f32]); MOST_SHARDS] = [(&[], &[]); MOST_SHARDS];
                parts.iter_mut().zip(*shards).for_each(|(part, shard)| *part = shard.ends(graph, *node));
                linear_weight_gradient(*isa, rows.clone(), features, &parts[..shards.len()], row, gradient);
            }
            Gradient::Done => {}
        }
        if let Some(step) = step {
            step.apply(*isa, gradient, velocity, weights);
        }
    }
}

impl Core {
    /// Puts the gradients of the last [`pass`](Self::pass) together and moves the weights by momentum.
    pub(crate) fn momentum_step(&mut self, step: MomentumStep) {
        self.finish(Some(step));
        self.weights_are_new = true;
    }

    /// Puts the gradients of the last [`pass`](Self::pass) together.
    pub(crate) fn finish_gradients(&mut self) {
        self.finish(None);
    }

    fn finish(&mut self, step: Option<MomentumStep>) {
        let Self { isa, graph, shards, tasks, gradient, velocity, weights, .. } = self;
        shards.iter_mut().for_each(|shard| shard.clear_unused(graph));
        let context = Context { isa: *isa, graph, shards, step };
        context.run(tasks, Part { start: 0, gradient, velocity, weights });
    }

    /// The weights of convolutions once more, flipped for the input gradient and transformed for tiles, where they have
    /// changed.
    pub(crate) fn prepare_weights(&mut self) {
        if !std::mem::take(&mut self.weights_are_new) {
            return;
        }
        let training = self.purpose != Purpose::Inference;
        for node in &self.graph.nodes {
            let Node::Conv2d { conv, weights, flipped, tiles, .. } = node else { continue };
            let weights = &self.weights[weights.clone()];
            let flipped = flipped.clone().filter(|_| training);
            if let Some(flipped) = flipped.clone() {
                conv.flip(weights, &mut self.flipped[flipped]);
            }
            let Some(Tiles { winograd, weights: own, flipped: own_flipped }) = tiles.as_deref() else { continue };
            winograd.transform(self.isa, weights, &mut self.transformed[own.clone()]);
            if let (Some(flipped), Some(own)) = (flipped, own_flipped.clone()) {
                winograd.transform_flipped(self.isa, &self.flipped[flipped], &mut self.transformed_flipped[own]);
            }
        }
    }
}
