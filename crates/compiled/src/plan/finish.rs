//! The end of a step: the shards' gradients become one, and the optimizer moves the weights, in one pass over the
//! parameters.

use std::ops::Range;

use backproof_kernels::{Isa, MOST_REMEMBERED, OptimizerStep, accumulate, linear_weight_gradient, zeros};

use super::core::{Core, MOST_SHARDS};
use super::tasks::{Gradient, Task};
use crate::Parameter;
use crate::graph::{Graph, Node, Purpose, Tiles};
use crate::shard::Shard;

/// How weights are moved.
#[derive(Clone, Copy)]
enum Steps<'a> {
    None,
    /// All alike.
    All(&'a dyn OptimizerStep),
    /// Those of each range.
    Each(&'a [(Range<usize>, &'a dyn OptimizerStep)]),
}

/// What all tasks read.
struct Context<'a> {
    isa: Isa,
    graph: &'a Graph,
    shards: &'a [Shard],
    /// Whether the gradients are together already.
    finished: bool,
    steps: Steps<'a>,
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

    /// Moves the weights of `range`.
    fn step(&mut self, isa: Isa, range: Range<usize>, step: &dyn OptimizerStep) {
        let here = range.start - self.start..range.end - self.start;
        let mut remembered: [&mut [f32]; MOST_REMEMBERED] = Default::default();
        for (slot, all) in self.remembered.iter_mut().enumerate().take(step.remembers()) {
            remembered[slot] = &mut all[here.clone()];
        }
        let (gradient, weights) = (&self.gradient[here.clone()], &mut self.weights[here]);
        step.apply(isa, gradient, &mut remembered[..step.remembers()], weights);
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

    fn run_one(&self, task: &Task, mut part: Part<'_>) {
        debug_assert_eq!(part.start..part.start + part.gradient.len(), task.parameters);
        if !self.finished {
            self.finish_gradient(task, part.gradient);
        }
        match self.steps {
            Steps::None => {}
            Steps::All(step) => part.step(self.isa, task.parameters.clone(), step),
            Steps::Each(steps) => {
                for (range, step) in steps {
                    let range = range.start.max(task.parameters.start)..range.end.min(task.parameters.end);
                    if !range.is_empty() {
                        part.step(self.isa, range, *step);
                    }
                }
            }
        }
    }

    fn finish_gradient(&self, task: &Task, gradient: &mut [f32]) {
        let Self { isa, graph, shards, .. } = self;
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
    }
}

impl Core {
    /// Puts the gradients of the last [`pass`](Self::pass) together and moves the weights.
    pub(crate) fn step(&mut self, step: &dyn OptimizerStep) {
        self.make_room(step.remembers());
        self.finish(Steps::All(step));
        self.weights_are_new = true;
    }

    /// As [`step`](Self::step), each parameter by the step that `of` gives it, if one.
    pub(crate) fn step_each<'a>(&mut self, of: &dyn Fn(usize, Parameter) -> Option<&'a dyn OptimizerStep>) {
        let ranges = self.parameter_ranges();
        let steps =
            ranges.into_iter().filter_map(|(operation, parameter, range)| Some((range, of(operation, parameter)?)));
        let steps: Vec<_> = steps.collect();
        self.make_room(steps.iter().map(|(_, step)| step.remembers()).max().unwrap_or(0));
        self.finish(Steps::Each(&steps));
        self.weights_are_new = true;
    }

    fn make_room(&mut self, slots: usize) {
        let count = self.weights.len();
        for slot in self.remembered.iter_mut().take(slots).filter(|slot| slot.is_empty()) {
            *slot = zeros(count);
        }
    }

    /// Puts the gradients of the last [`pass`](Self::pass) together.
    pub(crate) fn finish_gradients(&mut self) {
        self.finish(Steps::None);
    }

    fn finish(&mut self, steps: Steps<'_>) {
        let Self { isa, graph, shards, tasks, gradient, remembered, weights, finished, .. } = self;
        if !*finished {
            shards.iter_mut().for_each(|shard| shard.clear_unused(graph));
        }
        let context = Context { isa: *isa, graph, shards, finished: *finished, steps };
        let remembered = remembered.each_mut().map(|slot| &mut slot[..]);
        context.run(tasks, Part { start: 0, gradient, remembered, weights });
        *finished = true;
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
