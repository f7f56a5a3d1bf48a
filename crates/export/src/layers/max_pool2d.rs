//! Max pooling. Padding never wins, in all three.

use backproof_spec::{MaxPool2dSpec, TracedLayer};

use super::definition::Definition;
use super::pooling::behind;
use crate::onnx::graph::{Graph, ints, size};
use crate::pytorch::python::{Arguments, Expression, flag, pair};

impl Definition for MaxPool2dSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let Self { kernel, padding, dilation, .. } = *self;
        let stride = self.effective_stride();
        let reach = [(kernel.height - 1) * dilation.height + 1, (kernel.width - 1) * dilation.width + 1];
        let [below, right] = behind(layer, reach, stride, padding);
        let pads = [padding.height, padding.width, padding.height + below, padding.width + right];
        // ONNX Runtime refuses padding as large as the kernel, which a window with a dilation may have.
        let is_small = pads[0].max(pads[2]) < kernel.height && pads[1].max(pads[3]) < kernel.width;
        let (input, pads) = if is_small {
            (input.to_owned(), pads)
        } else {
            let [above, left, below, right] = pads.map(|pixels| pixels as i64);
            let sides = [&[0, 0, above, left][..], &[0, 0, below, right]];
            (graph.pad(&format!("{}.padded", layer.name), input, sides, f32::NEG_INFINITY), [0; 4])
        };
        let attributes = vec![
            size("kernel_shape", kernel),
            size("strides", stride),
            ints("pads", &pads),
            size("dilations", dilation),
        ];
        graph.node("MaxPool", &layer.name, &[&input], attributes)
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default()
            .value(pair(self.kernel))
            .unless(pair(self.kernel), "stride", pair(self.effective_stride()))
            .unless(0, "padding", pair(self.padding))
            .unless(1, "dilation", pair(self.dilation))
            .unless("False", "ceil_mode", flag(self.ceil_mode));
        Expression::call("nn.MaxPool2d", arguments)
    }
}
