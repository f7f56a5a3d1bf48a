//! Layers that are one operator without attributes in ONNX, and a module without arguments in PyTorch.

/// The definition of such a layer: the operator, and the module.
macro_rules! elementwise {
    ($Spec:ident, $operator:literal, $module:literal) => {
        impl crate::layers::definition::Definition for backproof_spec::$Spec {
            fn onnx(
                &self,
                layer: &backproof_spec::TracedLayer,
                input: &str,
                _: &[String],
                graph: &mut crate::onnx::graph::Graph,
            ) -> String {
                graph.node($operator, &layer.name, &[input], vec![])
            }

            fn pytorch(
                &self,
                _: &backproof_spec::TracedLayer,
                _: &[crate::pytorch::python::Expression],
            ) -> crate::pytorch::python::Expression {
                crate::pytorch::python::Expression::call($module, Default::default())
            }
        }
    };
}

pub(super) use elementwise;
