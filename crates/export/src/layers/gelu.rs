//! GELU. ONNX has an operator for it from opset 20 on; with older ones it is written out.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use backproof_spec::{GeluApproximation, GeluSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression};

impl Definition for GeluSpec {
    /// ½ x · (1 + erf(x / √2)), or ½ x · (1 + tanh(√(2/π) (x + 0.044715 x³))).
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let name = |part: &str| format!("{}.{part}", layer.name);
        let odd = match self.approximate {
            GeluApproximation::None => {
                let factor = graph.floats(&name("inverse_root_of_2"), &[], &[FRAC_1_SQRT_2]);
                let scaled = graph.node("Mul", &name("scaled"), &[input, &factor], vec![]);
                graph.node("Erf", &name("erf"), &[&scaled], vec![])
            }
            GeluApproximation::Tanh => {
                let cubic = graph.floats(&name("cubic"), &[], &[0.044_715]);
                let factor = graph.floats(&name("root_of_2_over_pi"), &[], &[FRAC_2_PI.sqrt()]);
                let square = graph.node("Mul", &name("square"), &[input, input], vec![]);
                let cube = graph.node("Mul", &name("cube"), &[&square, input], vec![]);
                let cube = graph.node("Mul", &name("scaled_cube"), &[&cube, &cubic], vec![]);
                let sum = graph.node("Add", &name("sum"), &[input, &cube], vec![]);
                let scaled = graph.node("Mul", &name("scaled"), &[&sum, &factor], vec![]);
                graph.node("Tanh", &name("tanh"), &[&scaled], vec![])
            }
        };
        let one = graph.floats(&name("one"), &[], &[1.0]);
        let half = graph.floats(&name("half"), &[], &[0.5]);
        let positive = graph.node("Add", &name("positive"), &[&odd, &one], vec![]);
        let halved = graph.node("Mul", &name("halved"), &[input, &half], vec![]);
        graph.node("Mul", &layer.name, &[&halved, &positive], vec![])
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        let approximate = match self.approximate {
            GeluApproximation::None => "none",
            GeluApproximation::Tanh => "tanh",
        };
        let arguments = Arguments::default().unless("\"none\"", "approximate", format!("\"{approximate}\""));
        Expression::call("nn.GELU", arguments)
    }
}
