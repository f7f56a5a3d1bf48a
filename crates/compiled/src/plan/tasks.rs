//! What is to do at the end of a step, in parts that threads can take.

use std::ops::Range;

use crate::graph::{Graph, Node};

/// Parameters that a task takes at least: below, dividing the work costs more than it saves.
const LEAST: usize = 8192;

/// Neighbouring parameters whose gradient is put together in one go.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(super) parameters: Range<usize>,
    pub(super) gradient: Gradient,
}

/// How that is done.
#[derive(Debug, Clone)]
pub(super) enum Gradient {
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
                let features = graph.input(node).stride();
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
