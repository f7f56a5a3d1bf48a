//! Residual connections.

use std::collections::BTreeSet;

use backproof_spec::{ResidualSpec, Shortcut, Size2, TracedLayer, zero_padding_stride};

use super::definition::Definition;
use crate::onnx::graph::Graph;
use crate::pytorch::python::{Arguments, Expression, Helper, indented, tuple};

/// The stride of zero padding, and the channels that it adds.
fn zero_padding(layer: &TracedLayer) -> (Size2, usize) {
    let channels = |shape: backproof_spec::Shape| shape.dimensions()[0];
    (zero_padding_stride(layer.input, layer.output), channels(layer.output) - channels(layer.input))
}

impl Definition for ResidualSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, branches: &[String], graph: &mut Graph) -> String {
        let beside = match self.shortcut {
            Shortcut::Identity => input.to_owned(),
            Shortcut::Layers(_) => branches[1].clone(),
            Shortcut::ZeroPadding => zero_padded(layer, input, graph),
        };
        graph.node("Add", &layer.name, &[&branches[0], &beside], vec![])
    }

    fn pytorch(&self, layer: &TracedLayer, branches: &[Expression]) -> Expression {
        let beside = match self.shortcut {
            Shortcut::Identity => Expression::call("nn.Identity", Arguments::default()),
            Shortcut::Layers(_) => branches[1].clone(),
            Shortcut::ZeroPadding => {
                let (stride, added) = zero_padding(layer);
                let stride = tuple(&[stride.height, stride.width]);
                let arguments = Arguments::default().named("stride", stride).named("added", added);
                Expression::call("ZeroPadding", arguments).with(Helper::ZeroPadding)
            }
        };
        let [body, shortcut] = [&branches[0], &beside].map(|branch| indented(&branch.text, 4));
        let helpers = branches[0].helpers.iter().chain(&beside.helpers).copied().collect();
        let text = format!("Residual(\n    body={body},\n    shortcut={shortcut},\n)");
        Expression { text, helpers }.with(Helper::Residual)
    }
}

/// Every pixel at the stride, and channels of zeros after the input's.
fn zero_padded(layer: &TracedLayer, input: &str, graph: &mut Graph) -> String {
    let name = |part: &str| format!("{}.shortcut.{part}", layer.name);
    let (Size2 { height, width }, added) = zero_padding(layer);
    let mut beside = input.to_owned();
    if [height, width] != [1, 1] {
        let starts = graph.integers(&name("starts"), &[0, 0]);
        let ends = graph.integers(&name("ends"), &[i64::MAX, i64::MAX]);
        let axes = graph.integers(&name("axes"), &[2, 3]);
        let steps = graph.integers(&name("steps"), &[height as i64, width as i64]);
        beside = graph.node("Slice", &name("strided"), &[&beside, &starts, &ends, &axes, &steps], vec![]);
    }
    if added > 0 {
        let sides = [&[0, 0, 0, 0][..], &[0, added as i64, 0, 0]];
        beside = graph.pad(&name("padded"), &beside, sides, 0.0);
    }
    beside
}

/// The layers of a branch, one after the other.
pub(super) fn in_a_row(layers: &[(&str, Expression)]) -> Expression {
    let lines = layers.iter().map(|(name, layer)| format!("    {name}={},\n", indented(&layer.text, 4)));
    let helpers: BTreeSet<Helper> = layers.iter().flat_map(|(_, layer)| &layer.helpers).copied().collect();
    Expression { text: format!("named(\n{})", lines.collect::<String>()), helpers }.with(Helper::Named)
}
