//! The fully connected layer. All three have its weight as `[outputs, inputs]` in a file.

use backproof_spec::{LinearSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, int};
use crate::pytorch::python::{Arguments, Expression, flag};

impl Definition for LinearSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let mut inputs = vec![input.to_owned(), graph.weight(layer, "weight")];
        if self.bias {
            inputs.push(graph.weight(layer, "bias"));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        graph.node("Gemm", &layer.name, &inputs, vec![int("transB", 1)])
    }

    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default().value(layer.input.elements()).value(self.out_features);
        Expression::call("nn.Linear", arguments.unless("True", "bias", flag(self.bias)))
    }
}
