//! Parametric ReLU with one slope, which is `[1]` and fits every shape.

use backproof_spec::{PreluSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression};

impl Definition for PreluSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let slope = graph.weight(layer, "weight");
        graph.node("PRelu", &layer.name, &[input, &slope], vec![])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.PReLU", Arguments::default())
    }
}
