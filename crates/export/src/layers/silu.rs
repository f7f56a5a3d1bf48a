//! SiLU, x · σ(x).

use backproof_spec::{SiluSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression};

impl Definition for SiluSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let sigmoid = graph.node("Sigmoid", &format!("{}.sigmoid", layer.name), &[input], vec![]);
        graph.node("Mul", &layer.name, &[input, &sigmoid], vec![])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.SiLU", Arguments::default())
    }
}
