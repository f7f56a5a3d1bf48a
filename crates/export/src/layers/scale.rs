//! A fixed factor.

use backproof_spec::{ScaleSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression, Helper, number};

impl Definition for ScaleSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let factor = graph.floats(&format!("{}.factor", layer.name), &[], &[self.factor as f32]);
        graph.node("Mul", &layer.name, &[input, &factor], vec![])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("Scale", Arguments::default().value(number(self.factor))).with(Helper::Scale)
    }
}
