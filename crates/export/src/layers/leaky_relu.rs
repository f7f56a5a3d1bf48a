//! Leaky ReLU.

use backproof_spec::{LeakyReluSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, float};
use crate::pytorch::python::{Arguments, Expression, number};

impl Definition for LeakyReluSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        graph.node("LeakyRelu", &layer.name, &[input], vec![float("alpha", self.slope)])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.LeakyReLU", Arguments::default().value(number(self.slope)))
    }
}
