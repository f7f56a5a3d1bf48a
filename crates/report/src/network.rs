//! The layers of a network with their parameters.

use backproof_spec::{Architecture, TracedLayer};
use backproof_train::{Computation, ComputedBy};
use serde::Serialize;

/// The parameter table.
#[derive(Debug, Serialize)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) layers: Vec<LayerRow>,
    pub(crate) weights: usize,
    pub(crate) biases: usize,
    pub(crate) running_statistics: usize,
    /// Whether it is known what computed the layers.
    pub(crate) computed: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct LayerRow {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) output: String,
    pub(crate) weights: usize,
    pub(crate) biases: usize,
    /// Empty in a run of a version that did not note it.
    pub(crate) computed_by: String,
}

/// The parameter table of a network; `None` of one whose shapes do not fit each other.
pub(crate) fn network(model: &Architecture, computation: Option<&Computation>) -> Option<Network> {
    let layers = model.trace().ok()?;
    let sum = |of: fn(&TracedLayer) -> usize| layers.iter().map(of).sum::<usize>();
    let computed_by = |name: &str| match computation?.layers.iter().find(|layer| layer.layer == name)?.by {
        ComputedBy::Kernel => Some("kernel".to_owned()),
        ComputedBy::Burn { ref reason } => Some(format!("Burn: {reason}")),
    };
    Some(Network {
        name: model.name.clone(),
        input: model.input.to_string(),
        computed: computation.is_some(),
        weights: sum(|layer| layer.weights),
        biases: sum(|layer| layer.biases),
        running_statistics: sum(|layer| layer.running_statistics),
        layers: layers
            .iter()
            .flat_map(TracedLayer::all)
            .map(|layer| {
                // What is inside of a layer has rows of its own.
                let counts = layer.branches.is_empty();
                LayerRow {
                    name: backproof_spec::indented(&layer.name).replace(' ', "\u{a0}"),
                    kind: backproof_spec::describe_layer(&layer.layer),
                    output: layer.output.to_string(),
                    weights: if counts { layer.weights } else { 0 },
                    biases: if counts { layer.biases } else { 0 },
                    computed_by: computed_by(&layer.name).unwrap_or_default(),
                }
            })
            .collect(),
    })
}
