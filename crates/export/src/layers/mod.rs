//! How each layer is written for others: a file each, and one line in the list below.

mod definition;
mod elementwise;
mod pooling;

use backproof_spec::{LayerSpec, TracedLayer};

use crate::onnx::graph::Graph;
use crate::pytorch::python::Expression;
use crate::pytorch::state::State;
use definition::Definition;

/// The modules, and the dispatch over all layers. `cargo fmt` does not see modules that a macro names: `rustfmt
/// crates/export/src/layers/*.rs` formats them, and CI checks that.
macro_rules! list {
    ($($file:ident::$Layer:ident,)*) => {
        $(mod $file;)*

        /// Adds the nodes of a layer to a graph, and gives its output. `input` is what comes in, and `branches` are the
        /// outputs of its branches.
        fn add(layer: &TracedLayer, input: &str, branches: &[String], graph: &mut Graph) -> String {
            match &layer.layer {
                $(LayerSpec::$Layer(spec) => spec.onnx(layer, input, branches, graph),)*
            }
        }

        /// The layer as a PyTorch module. `branches` are the modules of its branches.
        fn module(layer: &TracedLayer, branches: &[Expression]) -> Expression {
            match &layer.layer {
                $(LayerSpec::$Layer(spec) => spec.pytorch(layer, branches),)*
            }
        }

        /// Changes the tensors of a layer to those of its module.
        fn change_state(layer: &TracedLayer, state: &mut State) {
            match &layer.layer {
                $(LayerSpec::$Layer(spec) => spec.state(layer, state),)*
            }
        }
    };
}

list! {
    conv2d::Conv2d,
    max_pool2d::MaxPool2d,
    avg_pool2d::AvgPool2d,
    global_avg_pool::GlobalAvgPool,
    linear::Linear,
    flatten::Flatten,
    scale::Scale,
    relu::Relu,
    leaky_relu::LeakyRelu,
    prelu::Prelu,
    elu::Elu,
    gelu::Gelu,
    sigmoid::Sigmoid,
    tanh::Tanh,
    silu::Silu,
    softplus::Softplus,
    batch_norm::BatchNorm,
    group_norm::GroupNorm,
    layer_norm::LayerNorm,
    dropout::Dropout,
    residual::Residual,
}

/// Adds layers that follow one another to a graph, and gives the output of the last one.
pub(crate) fn chain(layers: &[TracedLayer], input: &str, graph: &mut Graph) -> String {
    layers.iter().fold(input.to_owned(), |input, layer| {
        let branches: Vec<String> = layer.branches.iter().map(|branch| chain(&branch.layers, &input, graph)).collect();
        let output = add(layer, &input, &branches, graph);
        if output != input {
            graph.describe(&output, layer.output);
        }
        output
    })
}

/// The modules of layers, each with its name in its branch.
pub(crate) fn modules(layers: &[TracedLayer]) -> Vec<(&str, Expression)> {
    let own = |layer: &TracedLayer| {
        let branches: Vec<Expression> =
            layer.branches.iter().map(|branch| residual::in_a_row(&modules(&branch.layers))).collect();
        module(layer, &branches)
    };
    layers.iter().map(|layer| (layer.name.rsplit('.').next().unwrap_or(&layer.name), own(layer))).collect()
}

/// Makes the tensors of a weights file those of the modules.
pub(crate) fn change_states(layers: &[TracedLayer], state: &mut State) {
    layers.iter().flat_map(TracedLayer::all).for_each(|layer| change_state(layer, state));
}
