//! Average pooling. What a last window has behind the padding never counts; the padding itself counts where it is asked
//! for.

use backproof_spec::{AvgPool2dSpec, TracedLayer};

use super::definition::Definition;
use super::pooling::behind;
use crate::onnx::graph::{Graph, int, ints, size};
use crate::pytorch::python::{Arguments, Expression, flag, pair};

impl Definition for AvgPool2dSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let Self { kernel, padding, .. } = *self;
        let stride = self.effective_stride();
        let [below, right] = behind(layer, [kernel.height, kernel.width], stride, padding);
        let [down, across] = [padding.height, padding.width];
        let (input, pads, count_pads) = if self.count_include_pad && [below, right] != [0, 0] {
            // Zeros of the image count, and padding does not: zeros for the one, and padding for the other.
            let side = [0, 0, down as i64, across as i64];
            let padded = graph.pad(&format!("{}.padded", layer.name), input, [&side, &side], 0.0);
            (padded, [0, 0, below, right], false)
        } else {
            (input.to_owned(), [down, across, down + below, across + right], self.count_include_pad)
        };
        let attributes = vec![
            size("kernel_shape", kernel),
            size("strides", stride),
            ints("pads", &pads),
            int("count_include_pad", usize::from(count_pads)),
        ];
        graph.node("AveragePool", &layer.name, &[&input], attributes)
    }

    fn pytorch(&self, _: &TracedLayer, _: &[Expression]) -> Expression {
        let arguments = Arguments::default()
            .value(pair(self.kernel))
            .unless(pair(self.kernel), "stride", pair(self.effective_stride()))
            .unless(0, "padding", pair(self.padding))
            .unless("False", "ceil_mode", flag(self.ceil_mode))
            .unless("True", "count_include_pad", flag(self.count_include_pad));
        Expression::call("nn.AvgPool2d", arguments)
    }
}
