//! Weights of one network in another: every tensor that fits, by name and shape.

use std::collections::BTreeMap;
use std::fmt;

use burn::module::Module;
use burn::tensor::TensorData;
use serde::{Deserialize, Serialize};

use crate::weights::{NamedTensor, Replace, WeightsFile};
use crate::{Changes, Network, WeightsError};

/// What became of each tensor in [`transfer_weights`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What was done to the file first, as [`load_weights`](crate::load_weights) does.
    #[serde(flatten)]
    pub changes: Changes,
    /// Tensors that were taken as they are.
    pub loaded: Vec<String>,
    /// Tensors of another shape, of which the overlap was taken.
    pub resized: Vec<Resized>,
    /// Tensors of the network that keep their initial values.
    pub skipped: Vec<Skipped>,
    /// Tensors of the file that the network has no place for.
    pub unused: Vec<String>,
}

/// A tensor that was grown or shrunk; shapes in PyTorch's layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resized {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape in the file.
    pub from: Vec<usize>,
    /// The network's.
    pub to: Vec<usize>,
}

/// A tensor that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// `conv1.weight`.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// One line for each group: what was done to the file, the tensors that were loaded, those that were resized, and those
/// that were not loaded, each with its reason.
impl fmt::Display for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        for line in self.changes.lines() {
            writeln!(f, "{line}")?;
        }
        write!(f, "loaded {}", list(&self.loaded))?;
        for Resized { name, from, to } in &self.resized {
            write!(f, "\nloaded the overlap of {name}, {from:?} there and {to:?} here")?;
        }
        for Skipped { name, reason } in &self.skipped {
            write!(f, "\nnot loaded: {name}, {reason}")?;
        }
        if !self.unused.is_empty() {
            write!(f, "\nnot used: {}, which the network lacks", self.unused.join(", "))?;
        }
        Ok(())
    }
}

/// `network` with every tensor of a weights file whose name and shape are those of a tensor of its own. The file and
/// `classes` are as in [`load_weights`](crate::load_weights), but the layers of a MATLAB file may be others.
///
/// With `resize`, a tensor of the same rank and another shape gives the part that both shapes have, from index 0 on
/// along each axis; the rest keeps its initial values. Channels and units stay what they were; the columns of a linear
/// layer after a `flatten` do so only where the images in front of it have one size.
///
/// # Errors
///
/// Bytes that are no weights file; a prefix that only some names have.
pub fn transfer_weights(
    network: Network,
    bytes: &[u8],
    classes: &[String],
    resize: bool,
) -> Result<(Network, Transfer), WeightsError> {
    let file = WeightsFile::read(bytes, network.architecture(), classes)?;
    let mut transfer = Transfer::default();
    let mut found = BTreeMap::new();
    let own = network.tensors();
    for tensor in &own {
        let name = tensor.name.clone();
        match values_for(tensor, &file, resize) {
            Ok((data, from)) => {
                let to = tensor.data.shape().to_vec();
                match from == to {
                    true => transfer.loaded.push(name.clone()),
                    false => transfer.resized.push(Resized { name: name.clone(), from, to }),
                }
                found.insert(name, data);
            }
            Err(reason) => transfer.skipped.push(Skipped { name, reason }),
        }
    }
    let is_unused = |name: &&str| own.iter().all(|tensor| tensor.name != *name);
    transfer.unused = file.names().filter(is_unused).map(str::to_owned).collect();
    transfer.changes = file.changes;
    let mut replace = Replace::new(&network, found);
    Ok((network.map(&mut replace), transfer))
}

/// The new values of `tensor`, in its shape and precision, and the shape that they had in the file; or why there are
/// none.
fn values_for(tensor: &NamedTensor, file: &WeightsFile<'_>, resize: bool) -> Result<(TensorData, Vec<usize>), String> {
    let found = file.tensor(&tensor.name).ok_or("which the file lacks")?;
    let (from, to) = (found.shape().to_vec(), tensor.data.shape().to_vec());
    if from != to && !(resize && from.len() == to.len()) {
        return Err(format!("which has the shape {from:?} there and {to:?} here"));
    }
    let given = found.elements(tensor.data.dtype()).map_err(|fault| format!("which {fault}"))?;
    if from == to {
        return Ok((given, from));
    }
    let given: Vec<f64> = given.iter::<f64>().collect();
    let mut values: Vec<f64> = tensor.data.iter::<f64>().collect();
    copy_overlap(&given, &from, &mut values, &to);
    Ok((TensorData::new(values, to).convert_dtype(tensor.data.dtype()), from))
}

/// Copies what two arrays of one rank have in common, both in row-major order.
fn copy_overlap(from: &[f64], from_shape: &[usize], to: &mut [f64], to_shape: &[usize]) {
    let ([from_length, from_rest @ ..], [to_length, to_rest @ ..]) = (from_shape, to_shape) else {
        to.copy_from_slice(from);
        return;
    };
    let (from_size, to_size) = (from_rest.iter().product::<usize>(), to_rest.iter().product::<usize>());
    for index in 0..*from_length.min(to_length) {
        let from = &from[index * from_size..][..from_size];
        copy_overlap(from, from_rest, &mut to[index * to_size..][..to_size], to_rest);
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::{Architecture, Conv2dSpec, LayerSpec, LinearSpec, published};
    use burn::tensor::Device;

    use super::*;
    use crate::save_weights;

    fn build(architecture: &Architecture, seed: u64) -> Network {
        Network::new(architecture, seed, &Device::flex()).unwrap()
    }

    fn values(network: &Network, name: &str) -> Vec<f64> {
        let tensor = network.tensors().into_iter().find(|tensor| tensor.name == name).unwrap();
        tensor.data.iter::<f64>().collect()
    }

    fn names(skipped: &[Skipped]) -> Vec<&str> {
        skipped.iter().map(|skipped| skipped.name.as_str()).collect()
    }

    #[test]
    fn what_fits_by_name_and_shape_is_taken_and_the_rest_is_told() {
        // The same first two convolutions; the third is new, and nothing else differs.
        let source = build(&published::cifar_baseline(), 2);
        let fresh = build(&published::willis_improved(), 1);
        let (network, transfer) = transfer_weights(fresh.clone(), &save_weights(&source).unwrap(), &[], false).unwrap();
        assert_eq!(transfer.loaded.len(), 6);
        assert_eq!(names(&transfer.skipped), ["conv3.weight", "conv3.bias"]);
        assert_eq!(transfer.skipped[0].reason, "which the file lacks");
        for name in &transfer.loaded {
            assert_eq!(values(&network, name), values(&source, name), "{name}");
        }
        assert_eq!(values(&network, "conv3.weight"), values(&fresh, "conv3.weight"));
        assert!(transfer.to_string().contains("\nnot loaded: conv3.weight, which the file lacks"), "{transfer}");

        let (_, back) = transfer_weights(source, &save_weights(&fresh).unwrap(), &[], false).unwrap();
        assert_eq!(back.unused, ["conv3.bias", "conv3.weight"]);
    }

    #[test]
    fn another_shape_is_told_or_with_resize_gives_its_overlap() {
        let source = build(&published::mnist_baseline(), 2);
        let mut wider = published::mnist_baseline();
        wider.layers[3] = LayerSpec::Conv2d(Conv2dSpec::new(24, 3).padding(1)); // 16 kernels of 5×5 before
        wider.layers[7] = LayerSpec::Linear(LinearSpec::new(7)); // 10 before
        let fresh = build(&wider, 1);
        let bytes = save_weights(&source).unwrap();

        let (_, plain) = transfer_weights(fresh.clone(), &bytes, &[], false).unwrap();
        assert_eq!(plain.loaded, ["conv1.weight", "conv1.bias"]);
        assert_eq!(names(&plain.skipped), ["conv2.weight", "conv2.bias", "linear1.weight", "linear1.bias"]);
        assert_eq!(plain.skipped[0].reason, "which has the shape [16, 16, 5, 5] there and [24, 16, 3, 3] here");

        let (network, resized) = transfer_weights(fresh.clone(), &bytes, &[], true).unwrap();
        assert_eq!(resized.resized.len(), 4);
        let at = |values: &[f64], shape: [usize; 4], [o, i, h, w]: [usize; 4]| {
            values[((o * shape[1] + i) * shape[2] + h) * shape[3] + w]
        };
        let (grown, given) = (values(&network, "conv2.weight"), values(&source, "conv2.weight"));
        let initial = values(&fresh, "conv2.weight");
        for index in [[0, 0, 0, 0], [15, 15, 2, 2], [3, 7, 1, 2]] {
            assert_eq!(at(&grown, [24, 16, 3, 3], index), at(&given, [16, 16, 5, 5], index));
        }
        assert_eq!(grown[16 * 16 * 9..], initial[16 * 16 * 9..], "kernels 16 to 23 are new");
        // PyTorch's [out, in]: 7 of 10 rows; 784 of the 24 · 49 = 1,176 columns.
        let (grown, given) = (values(&network, "linear1.weight"), values(&source, "linear1.weight"));
        assert_eq!(grown[6 * 1_176..][..784], given[6 * 784..][..784]);
        assert_eq!(grown[6 * 1_176 + 784..], values(&fresh, "linear1.weight")[6 * 1_176 + 784..]);
    }

    #[test]
    fn what_is_too_large_for_f32_is_not_taken() {
        let values: Vec<u8> = [1.0, 1e300].iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F64, vec![2], &values).unwrap();
        let bytes = safetensors::serialize([("conv1.bias", view)], None).unwrap();
        let (network, transfer) = transfer_weights(build(&published::mnist_baseline(), 1), &bytes, &[], true).unwrap();
        assert_eq!(transfer.skipped[1].reason, "which has the element 1e300, which is too large for single precision");
        assert!(save_weights(&network).is_ok());
    }

    #[test]
    fn bytes_that_are_no_weights_are_refused() {
        assert!(transfer_weights(build(&published::mnist_baseline(), 1), b"not weights", &[], true).is_err());
    }
}
