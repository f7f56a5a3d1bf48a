//! ELU.

use backproof_spec::{EluSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, float};
use crate::pytorch::python::{Arguments, Expression, number};

impl Definition for EluSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        graph.node("Elu", &layer.name, &[input], vec![float("alpha", self.alpha)])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.ELU", Arguments::default().value(number(self.alpha)))
    }
}
