//! The state dict of the module.

use std::collections::BTreeMap;

use backproof_spec::TracedLayer;
use safetensors::tensor::{Dtype, TensorView};

use crate::Tensors;

/// A tensor as bytes of a little-endian machine.
#[derive(Debug)]
pub(crate) struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn floats(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    pub(crate) fn pixels(shape: &[usize], bytes: Vec<u8>) -> Self {
        Self { dtype: Dtype::U8, shape: shape.to_vec(), bytes }
    }
}

/// Every tensor of the module by its name: those of a weights file, but for what a layer's module has otherwise.
#[derive(Debug)]
pub(crate) struct State {
    entries: BTreeMap<String, Entry>,
    /// How many batches the network was trained on, where that is known.
    batches: i64,
}

impl State {
    pub(crate) fn of(tensors: &Tensors, batches: usize) -> Self {
        let floats = |(name, shape, values): (&str, &[usize], &[f32])| (name.to_owned(), Entry::floats(shape, values));
        Self { entries: tensors.iter().map(floats).collect(), batches: i64::try_from(batches).unwrap_or(i64::MAX) }
    }

    /// Gives a tensor of a layer another shape.
    pub(crate) fn reshape(&mut self, layer: &TracedLayer, role: &str, shape: &[usize]) {
        let entry = self.entries.get_mut(&format!("{}.{role}", layer.name)).expect("a tensor of the layer");
        entry.shape = shape.to_vec();
    }

    /// Adds a tensor that the layer here does without, `count` times `value`.
    pub(crate) fn fill(&mut self, layer: &TracedLayer, role: &str, count: usize, value: f32) {
        self.entries.insert(format!("{}.{role}", layer.name), Entry::floats(&[count], &vec![value; count]));
    }

    /// Adds PyTorch's counter of batches.
    pub(crate) fn count_batches(&mut self, layer: &TracedLayer) {
        let entry = Entry { dtype: Dtype::I64, shape: vec![], bytes: self.batches.to_le_bytes().to_vec() };
        self.entries.insert(format!("{}.num_batches_tracked", layer.name), entry);
    }

    /// As a safetensors file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.entries)
    }
}

/// Tensors as a safetensors file.
pub(crate) fn to_bytes(entries: &BTreeMap<String, Entry>) -> Vec<u8> {
    let views = entries.iter().map(|(name, entry)| {
        let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.bytes);
        (name, view.expect("there is an element for each place of the shape"))
    });
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata)).expect("the names are different")
}
