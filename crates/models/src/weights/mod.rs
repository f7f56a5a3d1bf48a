//! Weights as safetensors, with the names and layouts of PyTorch; and weights of others.
//!
//! A tensor is called after its layer and its role, `conv1.weight`, `linear1.bias`, `norm2.running_var`. A linear
//! weight is stored `[out, in]` as PyTorch has it, and is `[in, out]` in memory as Burn has it; everything else has one
//! layout in both.
//!
//! [`file`] reads a file of any framework: safetensors, the archives of NumPy, and the networks of MATLAB ([`matlab`]).
//! `backproof-arrays` tells them apart. [`walk`] is where the names come from.

mod changes;
mod error;
mod file;
mod matlab;
mod walk;

use std::collections::BTreeMap;

pub use backproof_arrays::FormatError;
use burn::module::Module;
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, TensorView};

use crate::Network;

pub use changes::Changes;
pub use error::{ElementFault, WeightsError};
pub(crate) use file::WeightsFile;
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

/// `network` with the tensors of a weights file, in the network's precision, and what was done to the file first.
///
/// The content of `bytes` decides what they are:
///
/// - safetensors of f16, bf16, f32 or f64. A prefix that every name has is removed. A prefix is what a wrapper of PyTorch
///   puts before every name: `module.` (`DataParallel`), `_orig_mod.` (`torch.compile`), `model.`, or several of them,
///   such as `module._orig_mod.`.
/// - an archive of NumPy arrays (`.npz`) with the same names and layouts, of floating-point numbers or integers.
/// - a MATLAB file of version 5 to 7 with a network of the course FMAN45: a struct with a cell `layers`. Its layers must
///   be those of the network, except for dropout.
///
/// `classes` are the names of the classes, in the order of the outputs; none where they are not known. If they are the
/// digits from 0 on, the last output of a MATLAB file is of the digit 0, because MATLAB counts from 1.
///
/// The counters `num_batches_tracked` that PyTorch keeps for batch normalisation are passed over: the running
/// statistics here are averaged with a fixed momentum, which needs no count.
///
/// # Errors
///
/// Bytes that are no weights file; a prefix that only some names have; layers that are not the network's; a tensor that
/// is missing, unexpected, of another shape or type, not finite, or too large for the network's precision.
pub fn load_weights(network: Network, bytes: &[u8], classes: &[String]) -> Result<(Network, Changes), WeightsError> {
    let file = WeightsFile::read(bytes, network.architecture(), classes)?;
    let layers = network.architecture().trace().expect("a network was made of it");
    file.check_layers(network.architecture().input, &layers)?;
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
        let tensor = file.tensor(&name).expect("missing tensors were looked for");
        if tensor.shape() != &own.shape()[..] {
            return Err(WeightsError::Shape { name, found: tensor.shape().to_vec(), expected: own.shape().to_vec() });
        }
        match tensor.elements(own.dtype()) {
            Ok(data) => found.insert(name, data),
            Err(fault) => return Err(WeightsError::Element { name, fault }),
        };
    }
    let mut replace = Replace::new(&network, found);
    Ok((network.map(&mut replace), file.changes))
}

#[cfg(test)]
mod tests;
