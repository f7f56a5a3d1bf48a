//! The end of a step: the shards' gradients become one, and the optimizer moves the weights, in one pass over the
//! parameters.

use backproof_kernels::{Isa, MOST_REMEMBERED, OptimizerStep, accumulate, linear_weight_gradient, zeros};

use super::core::{Core, MOST_SHARDS};
use super::tasks::{Gradient, Task};
use crate::graph::{Graph, Node, Purpose, Tiles};
use crate::shard::Shard;

/// What all tasks read.
struct Context<'a> {
    isa: Isa,
    graph: &'a Graph,
    shards: &'a [Shard],
    step: Option<&'a dyn OptimizerStep>,
}

/// The part of the parameters that tasks work on, from `start` on.
struct Part<'a> {
    start: usize,
    gradient: &'a mut [f32],
    /// What the optimizer remembers; the slices that its step does not use are empty.
    remembered: [&'a mut [f32]; MOST_REMEMBERED],
    weights: &'a mut [f32],
}

impl<'a> Part<'a> {
    fn split(self, at: usize) -> (Self, Self) {
        let count = at - self.start;
        let (gradient, gradients) = self.gradient.split_at_mut(count);
        let (weight, weights) = self.weights.split_at_mut(count);
        let mut before = Self { start: self.start, gradient, remembered: Default::default(), weights: weight };
        let mut after = Self { start: at, gradient: gradients, remembered: Default::default(), weights };
        for (slot, all) in self.remembered.into_iter().enumerate() {
            (before.remembered[slot], after.remembered[slot]) = all.split_at_mut(count.min(all.len()));
        }
        (before, after)
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
        let Part { start, gradient, mut remembered, weights } = part;
        debug_assert_eq!(start..start + gradient.len(), task.parameters);
        match &task.gradient {
            Gradient::Summed => {
                gradient.fill(0.0);
                for shard in shards.iter().filter(|shard| !shard.images.is_empty()) {
                    accumulate(*isa, &shard.sums[task.parameters.clone()], gradient);
                }
            }
            Gradient::Product { node, rows } => {
                let features = graph.input(*node).stride();
                let row = graph.activations[node + 1].gradient_stride();
                let mut parts: [(&[f32], &[f32]); MOST_SHARDS] = [(&[], &[]); MOST_SHARDS];
                parts.iter_mut().zip(*shards).for_each(|(part, shard)| *part = shard.ends(graph, *node));
                linear_weight_gradient(*isa, rows.clone(), features, &parts[..shards.len()], row, gradient);
            }
            Gradient::Done => {}
        }
        if let Some(step) = step {
            step.apply(*isa, gradient, &mut remembered[..step.remembers()], weights);
        }
    }
}

impl Core {
    /// Puts the gradients of the last [`pass`](Self::pass) together and moves the weights.
    pub(crate) fn step(&mut self, step: &dyn OptimizerStep) {
        let count = self.weights.len();
        for slot in self.remembered.iter_mut().take(step.remembers()).filter(|slot| slot.is_empty()) {
            *slot = zeros(count);
        }
        self.finish(Some(step));
        self.weights_are_new = true;
    }

    /// Puts the gradients of the last [`pass`](Self::pass) together.
    pub(crate) fn finish_gradients(&mut self) {
        self.finish(None);
    }

    fn finish(&mut self, step: Option<&dyn OptimizerStep>) {
        let Self { isa, graph, shards, tasks, gradient, remembered, weights, .. } = self;
        shards.iter_mut().for_each(|shard| shard.clear_unused(graph));
        let context = Context { isa: *isa, graph, shards, step };
        let remembered = remembered.each_mut().map(|slot| &mut slot[..]);
        context.run(tasks, Part { start: 0, gradient, remembered, weights });
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
