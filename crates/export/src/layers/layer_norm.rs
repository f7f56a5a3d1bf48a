//! Layer normalisation over a whole sample. In a weights file γ and β are flat; here they have the shape of a sample.

use backproof_spec::{LayerNormSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, float, int};
use crate::pytorch::python::{Arguments, Expression, list, number};
use crate::pytorch::state::State;

impl Definition for LayerNormSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let shape = layer.input.dimensions();
        let [weight, bias] = ["weight", "bias"].map(|role| graph.weight_in_shape(layer, role, &shape));
        let attributes = vec![int("axis", 1), float("epsilon", self.epsilon)];
        graph.node("LayerNormalization", &layer.name, &[input, &weight, &bias], attributes)
    }

    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default().value(list(layer.input.dimensions()));
        Expression::call("nn.LayerNorm", arguments.unless(number(1e-5), "eps", number(self.epsilon)))
    }

    fn state(&self, layer: &TracedLayer, state: &mut State) {
        let shape = layer.input.dimensions();
        ["weight", "bias"].iter().for_each(|role| state.reshape(layer, role, &shape));
    }
}
