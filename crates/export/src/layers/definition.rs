//! What the file of a layer defines.

use backproof_spec::TracedLayer;

use crate::onnx::graph::Graph;
use crate::pytorch::python::Expression;
use crate::pytorch::state::State;

/// A layer in ONNX and in PyTorch.
pub(crate) trait Definition {
    /// Adds its nodes to the graph, and gives its output. `input` is what comes in. `branches` are the outputs of its
    /// branches; most layers have none.
    fn onnx(&self, layer: &TracedLayer, input: &str, branches: &[String], graph: &mut Graph) -> String;

    /// It as a PyTorch module. `branches` are the modules of its branches.
    fn pytorch(&self, layer: &TracedLayer, branches: &[Expression]) -> Expression;

    /// Changes its tensors, as a weights file has them, to those of the module.
    fn state(&self, _layer: &TracedLayer, _state: &mut State) {}
}
