//! The probabilities that follow from the logits of a loss, as nodes; [`Loss`] says which they are.

use backproof_spec::Loss;

use super::graph::{Graph, int};

/// Adds them for so many classes.
pub(super) fn probabilities(loss: Loss, logits: &str, classes: usize, graph: &mut Graph) {
    let last = "probabilities";
    match loss {
        Loss::CrossEntropy => {
            graph.node("Softmax", last, &[logits], vec![int("axis", 1)]);
        }
        Loss::BinaryCrossEntropy => {
            let values = graph.node("Sigmoid", "probabilities.values", &[logits], vec![]);
            let sum = sum(&values, graph);
            graph.node("Div", last, &[&values, &sum], vec![]);
        }
        Loss::MeanSquaredError => {
            let values = graph.node("Relu", "probabilities.values", &[logits], vec![]);
            let sum = sum(&values, graph);
            let zero = graph.floats("probabilities.zero", &[], &[0.0]);
            let equal = graph.floats("probabilities.equal", &[], &[1.0 / classes as f32]);
            let some = graph.node("Greater", "probabilities.some", &[&sum, &zero], vec![]);
            let shares = graph.node("Div", "probabilities.shares", &[&values, &sum], vec![]);
            graph.node("Where", last, &[&some, &shares, &equal], vec![]);
        }
    }
}

/// The sum over the classes, `[N, 1]`.
fn sum(values: &str, graph: &mut Graph) -> String {
    let axis = graph.integers("probabilities.axis", &[1]);
    graph.node("ReduceSum", "probabilities.sum", &[values, &axis], vec![int("keepdims", 1)])
}
