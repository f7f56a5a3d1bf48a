//! Batch normalisation by running statistics.

use backproof_spec::{BatchNormSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, float};
use crate::pytorch::python::{Arguments, Expression, Helper, flag, number};
use crate::pytorch::state::State;

/// γ and β: role, whether the layer has it, and what it is where the layer has none.
fn learned(spec: &BatchNormSpec) -> [(&'static str, bool, f32); 2] {
    [("weight", spec.scale, 1.0), ("bias", spec.shift, 0.0)]
}

fn channels(layer: &TracedLayer) -> usize {
    layer.input.dimensions()[0]
}

impl Definition for BatchNormSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let channels = channels(layer);
        let [scale, shift] = learned(self).map(|(role, has_it, constant)| match has_it {
            true => graph.weight(layer, role),
            false => graph.floats(&format!("{}.{role}", layer.name), &[channels], &vec![constant; channels]),
        });
        let [mean, variance] = ["running_mean", "running_var"].map(|role| graph.weight(layer, role));
        let inputs = [input, &scale, &shift, &mean, &variance];
        graph.node("BatchNormalization", &layer.name, &inputs, vec![float("epsilon", self.epsilon)])
    }

    /// PyTorch has both γ and β or none. Where there is one, the other is a constant.
    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let class = if layer.input.dimensions().len() == 3 { "nn.BatchNorm2d" } else { "nn.BatchNorm1d" };
        let arguments = Arguments::default()
            .value(channels(layer))
            .unless(number(1e-5), "eps", number(self.epsilon))
            .unless(number(0.1), "momentum", number(self.momentum))
            .unless("True", "affine", flag(self.scale || self.shift));
        let module = Expression::call(class, arguments);
        let constant = match (self.scale, self.shift) {
            (false, true) => "\"weight\"",
            (true, false) => "\"bias\"",
            _ => return module,
        };
        Expression::call("fixed", Arguments::default().value(module.text).value(constant)).with(Helper::Fixed)
    }

    fn state(&self, layer: &TracedLayer, state: &mut State) {
        state.count_batches(layer);
        if self.scale != self.shift {
            for (role, _, constant) in learned(self).into_iter().filter(|(_, has_it, _)| !has_it) {
                state.fill(layer, role, channels(layer), constant);
            }
        }
    }
}
