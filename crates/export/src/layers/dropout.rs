//! Dropout, which does nothing in inference: ONNX has no node of it.

use backproof_spec::{DropoutSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression, number};

impl Definition for DropoutSpec {
    fn onnx(&self, _: &TracedLayer, input: &str, _: &[String], _: &mut Graph) -> String {
        input.to_owned()
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        Expression::call("nn.Dropout", Arguments::default().value(number(self.probability)))
    }
}
