//! Weights as safetensors, with the names and layouts of PyTorch.
//!
//! A tensor is called after its layer and its role, `conv1.weight`, `linear1.bias`, `norm2.running_var`. A linear
//! weight is stored `[out, in]` as PyTorch has it, and is `[in, out]` in memory as Burn has it; everything else has one
//! layout in both.
//!
//! [`file`] reads a file of any framework: element types, and the prefixes that wrappers put before the names. [`walk`]
//! is where the names come from.

mod error;
mod file;
mod walk;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, TensorView};

use crate::Network;

pub use error::{ElementFault, WeightsError};
pub(crate) use file::{WeightsFile, elements};
pub use walk::NamedTensor;
pub(crate) use walk::{Path, Replace};

/// The network's tensors as a safetensors file.
///
/// # Errors
///
/// [`ElementFault::NotFinite`]: such weights are worth nothing, and must not replace a good file.
pub fn save_weights(network: &Network) -> Result<Vec<u8>, WeightsError> {
    let tensors = network.tensors();
    for tensor in &tensors {
        if !tensor.data.iter::<f64>().all(f64::is_finite) {
            return Err(WeightsError::Element { name: tensor.name.clone(), fault: ElementFault::NotFinite });
        }
    }
    let views = tensors
        .iter()
        .map(|tensor| {
            let dtype = match tensor.data.dtype() {
                DType::F64 => Dtype::F64,
                DType::F32 => Dtype::F32,
                other => unreachable!("networks are trained in f32 or f64, not {other:?}"),
            };
            let view = TensorView::new(dtype, tensor.data.shape().to_vec(), tensor.data.as_bytes())?;
            Ok((tensor.name.clone(), view))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(safetensors::serialize(views, Some(metadata))?)
}

/// `network` with the tensors of a safetensors file, in the network's precision, and the prefix that was removed from
/// every name.
///
/// Elements are of type f16, bf16, f32 or f64. A prefix is what a wrapper of PyTorch puts before every name: `module.`
/// (`DataParallel`), `_orig_mod.` (`torch.compile`), `model.`, or several of them, such as `module._orig_mod.`.
///
/// The counters `num_batches_tracked` that PyTorch keeps for batch normalisation are passed over: the running
/// statistics here are averaged with a fixed momentum, which needs no count.
///
/// # Errors
///
/// Bytes that are no safetensors file; a prefix that only some names have; a tensor that is missing, unexpected, of
/// another shape or type, not finite, or too large for the network's precision.
pub fn load_weights(network: Network, bytes: &[u8]) -> Result<(Network, Option<String>), WeightsError> {
    let file = WeightsFile::read(bytes)?;
    let expected = network.tensors();
    let missing: Vec<String> =
        expected.iter().filter(|tensor| file.tensor(&tensor.name).is_none()).map(|it| it.name.clone()).collect();
    if !missing.is_empty() {
        return Err(WeightsError::Missing(missing));
    }
    let is_known = |name: &str| name.ends_with(".num_batches_tracked") || expected.iter().any(|it| it.name == name);
    let unexpected: Vec<String> = file.names().filter(|name| !is_known(name)).map(str::to_owned).collect();
    if !unexpected.is_empty() {
        return Err(WeightsError::Unexpected(unexpected));
    }
    let mut found: BTreeMap<String, TensorData> = BTreeMap::new();
    for NamedTensor { name, data: own, .. } in expected {
        let view = file.tensor(&name).expect("missing tensors were looked for");
        if view.shape() != &own.shape()[..] {
            return Err(WeightsError::Shape { name, found: view.shape().to_vec(), expected: own.shape().to_vec() });
        }
        match elements(view, own.dtype()) {
            Ok(data) => found.insert(name, data),
            Err(fault) => return Err(WeightsError::Element { name, fault }),
        };
    }
    let mut replace = Replace::new(&network, found);
    Ok((network.map(&mut replace), file.into_removed_prefix()))
}

#[cfg(test)]
mod tests;
