//! Global average pooling, which keeps two axes of length 1.

use backproof_spec::{GlobalAvgPoolSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression};

impl Definition for GlobalAvgPoolSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        graph.node("GlobalAveragePool", &layer.name, &[input], vec![])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.AdaptiveAvgPool2d", Arguments::default().value(1))
    }
}
