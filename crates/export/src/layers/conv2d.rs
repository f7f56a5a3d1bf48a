//! Convolution. All three count padding on each side, and have kernels as `[O, C / groups, H, W]`.

use backproof_spec::{Conv2dSpec, TracedLayer};

use super::definition::Definition;
use crate::onnx::graph::{Graph, int, ints, size};
use crate::pytorch::python::{Arguments, Expression, flag, pair};

impl Definition for Conv2dSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let mut inputs = vec![input.to_owned(), graph.weight(layer, "weight")];
        if self.bias {
            inputs.push(graph.weight(layer, "bias"));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let [down, across] = [self.padding.height, self.padding.width];
        let attributes = vec![
            size("kernel_shape", self.kernel),
            size("strides", self.stride),
            ints("pads", &[down, across, down, across]),
            size("dilations", self.dilation),
            int("group", self.groups),
        ];
        graph.node("Conv", &layer.name, &inputs, attributes)
    }

    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default()
            .value(layer.input.dimensions()[0])
            .value(self.out_channels)
            .value(pair(self.kernel))
            .unless(1, "stride", pair(self.stride))
            .unless(0, "padding", pair(self.padding))
            .unless(1, "dilation", pair(self.dilation))
            .unless(1, "groups", self.groups)
            .unless("True", "bias", flag(self.bias));
        Expression::call("nn.Conv2d", arguments)
    }
}
