//! Group normalisation. ONNX has it channel by channel from opset 21 on; with older ones, the groups are the channels of
//! an instance normalisation.

use backproof_spec::{GroupNormSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, float};
use crate::pytorch::python::{Arguments, Expression, number};

impl Definition for GroupNormSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let name = |part: &str| format!("{}.{part}", layer.name);
        // 0 keeps the axis of the batch, and −1 is what is left over.
        let rows = graph.integers(&name("groups"), &[0, self.groups as i64, -1]);
        let grouped = graph.node("Reshape", &name("grouped"), &[input, &rows], vec![]);
        let ones = graph.floats(&name("ones"), &[self.groups], &vec![1.0; self.groups]);
        let zeros = graph.floats(&name("zeros"), &[self.groups], &vec![0.0; self.groups]);
        let epsilon = vec![float("epsilon", self.epsilon)];
        let normal = graph.node("InstanceNormalization", &name("normal"), &[&grouped, &ones, &zeros], epsilon);

        let dimensions = layer.input.dimensions();
        let back: Vec<i64> = std::iter::once(0).chain(dimensions.iter().map(|&length| length as i64)).collect();
        let back = graph.integers(&name("shape"), &back);
        let normalized = graph.node("Reshape", &name("normalized"), &[&normal, &back], vec![]);
        // [C, 1, 1] beside [N, C, H, W].
        let mut along = vec![1; dimensions.len()];
        along[0] = dimensions[0];
        let weight = graph.weight_in_shape(layer, "weight", &along);
        let bias = graph.weight_in_shape(layer, "bias", &along);
        let scaled = graph.node("Mul", &name("scaled"), &[&normalized, &weight], vec![]);
        graph.node("Add", &layer.name, &[&scaled, &bias], vec![])
    }

    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default().value(self.groups).value(layer.input.dimensions()[0]);
        Expression::call("nn.GroupNorm", arguments.unless(number(1e-5), "eps", number(self.epsilon)))
    }
}
