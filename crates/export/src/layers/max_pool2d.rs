//! Max pooling. Padding never wins, in all three.

use backproof_spec::{MaxPool2dSpec, TracedLayer};

use super::definition::Definition;
use super::pooling::behind;
use crate::onnx::graph::{Graph, ints, size};
use crate::pytorch::python::{Arguments, Expression, flag, pair};

/// Pixels above, left, below and right of the image, such that just the windows fit that there are.
fn pads(spec: &MaxPool2dSpec, layer: &TracedLayer) -> [usize; 4] {
    let MaxPool2dSpec { kernel, padding, dilation, .. } = *spec;
    let reach = [(kernel.height - 1) * dilation.height + 1, (kernel.width - 1) * dilation.width + 1];
    let [below, right] = behind(layer, reach, spec.effective_stride(), padding);
    [padding.height, padding.width, padding.height + below, padding.width + right]
}

impl Definition for MaxPool2dSpec {
    fn onnx(&self, layer: &TracedLayer, input: &str, _: &[String], graph: &mut Graph) -> String {
        let Self { kernel, dilation, .. } = *self;
        let pads = pads(self, layer);
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
            size("strides", self.effective_stride()),
            ints("pads", &pads),
            size("dilations", dilation),
        ];
        graph.node("MaxPool", &layer.name, &[&input], attributes)
    }

    fn pytorch(&self, layer: &TracedLayer, _: &[Expression]) -> Expression {
        let Self { kernel, padding, dilation, .. } = *self;
        // PyTorch refuses padding of more than half of the kernel, which a window with a dilation may have.
        let is_small = padding.height <= kernel.height / 2 && padding.width <= kernel.width / 2;
        let arguments = Arguments::default()
            .value(pair(kernel))
            .unless(pair(kernel), "stride", pair(self.effective_stride()))
            .unless(0, "padding", if is_small { pair(padding) } else { "0".to_owned() })
            .unless(1, "dilation", pair(dilation))
            .unless("False", "ceil_mode", flag(self.ceil_mode && is_small));
        let pool = Expression::call("nn.MaxPool2d", arguments);
        if is_small {
            return pool;
        }
        let [above, left, below, right] = pads(self, layer);
        let sides = format!("({left}, {right}, {above}, {below})");
        let pad = Expression::call("nn.ConstantPad2d", Arguments::default().value(sides).value("float(\"-inf\")"));
        Expression::call("nn.Sequential", Arguments::default().value(pad.text).value(pool.text))
    }
}
