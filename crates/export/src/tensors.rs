//! The weights of a network by their names.

use std::collections::BTreeMap;

use backproof_models::Network;
use backproof_spec::TracedLayer;

/// The tensors of a network in f32, by the names and in the layouts of a weights file.
#[derive(Debug)]
pub(crate) struct Tensors(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl Tensors {
    pub(crate) fn of(network: &Network) -> Self {
        let tensors = network.tensors().into_iter();
        Self(tensors.map(|it| (it.name, (it.data.shape().to_vec(), it.data.iter::<f32>().collect()))).collect())
    }

    /// Shape and values of the tensor `role` of a layer, where it has one.
    pub(crate) fn find(&self, layer: &TracedLayer, role: &str) -> Option<(&[usize], &[f32])> {
        let (shape, values) = self.0.get(&format!("{}.{role}", layer.name))?;
        Some((shape, values))
    }

    /// As [`find`](Self::find), of a tensor that each layer of this kind has.
    pub(crate) fn get(&self, layer: &TracedLayer, role: &str) -> (&[usize], &[f32]) {
        self.find(layer, role).unwrap_or_else(|| panic!("{} has a {role}", layer.name))
    }

    /// All of them, in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.0.iter().map(|(name, (shape, values))| (name.as_str(), &shape[..], &values[..]))
    }

    /// How many numbers there are.
    pub(crate) fn count(&self) -> usize {
        self.0.values().map(|(_, values)| values.len()).sum()
    }
}
