//! A safetensors file as other frameworks write it.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData, bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{ElementFault, WeightsError};

/// What wrappers put before the name of every tensor: `DataParallel` of PyTorch, `torch.compile`, and modules that hold
/// the network as `model`, as those of Lightning do.
const PREFIXES: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// The tensors of a file by name, without the prefix that all names had.
pub(crate) struct WeightsFile<'a> {
    tensors: BTreeMap<String, TensorView<'a>>,
    removed_prefix: String,
}

impl<'a> WeightsFile<'a> {
    /// Reads the header of `bytes`; [`elements`] reads a tensor.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Format`], and [`WeightsError::Prefix`] where only some names have a prefix.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes)?;
        let removed_prefix = common_prefix(&file.names())?;
        let tensors = file.iter().map(|(name, view)| (name[removed_prefix.len()..].to_owned(), view)).collect();
        Ok(Self { tensors, removed_prefix })
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&TensorView<'a>> {
        self.tensors.get(name)
    }

    /// The prefix that every name had, if there was one.
    pub(crate) fn into_removed_prefix(self) -> Option<String> {
        Some(self.removed_prefix).filter(|prefix| !prefix.is_empty())
    }
}

/// The prefix of wrappers that every name has; wrappers can be nested.
fn common_prefix(names: &[&str]) -> Result<String, WeightsError> {
    let mut prefix = String::new();
    loop {
        let begins = |wrapper: &str| names.iter().any(|name| name[prefix.len()..].starts_with(wrapper));
        let wrapper = PREFIXES.into_iter().find(|wrapper| begins(wrapper));
        let Some(wrapper) = wrapper else { return Ok(prefix) };
        prefix += wrapper;
        let [with, without] = [true, false].map(|has| names.iter().find(|name| name.starts_with(&prefix) == has));
        if let (Some(with), Some(without)) = (with, without) {
            return Err(WeightsError::Prefix { prefix, with: (*with).to_owned(), without: (*without).to_owned() });
        }
    }
}

/// The elements of a tensor in the precision `dtype` of a network.
///
/// # Errors
///
/// Elements of another type than f16, bf16, f32 and f64, that are not finite, or that are not finite in `dtype`.
pub(crate) fn elements(view: &TensorView<'_>, dtype: DType) -> Result<TensorData, ElementFault> {
    let bytes = view.data();
    let shape = view.shape().to_vec();
    let data = match view.dtype() {
        Dtype::F16 => TensorData::new(single(bytes, |b| f16::from_le_bytes(b).to_f32()), shape),
        Dtype::BF16 => TensorData::new(single(bytes, |b| bf16::from_le_bytes(b).to_f32()), shape),
        Dtype::F32 => TensorData::new(single(bytes, f32::from_le_bytes), shape),
        Dtype::F64 => {
            let values = bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
            TensorData::new(values.collect::<Vec<_>>(), shape)
        }
        other => return Err(ElementFault::Type(format!("{other:?}"))),
    };
    if !data.iter::<f64>().all(f64::is_finite) {
        return Err(ElementFault::NotFinite);
    }
    if data.dtype() == dtype {
        return Ok(data);
    }
    let converted = data.clone().convert_dtype(dtype);
    let large = data.iter::<f64>().zip(converted.iter::<f64>()).find(|(_, converted)| !converted.is_finite());
    large.map_or(Ok(converted), |(value, _)| Err(ElementFault::TooLarge(value)))
}

fn single<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|element| number(*element)).collect()
}
