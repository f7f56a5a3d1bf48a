//! The first weights of a run out of those of another.
//!
//! A warm start that loads no tensor is an error: it would be a cold start under another name.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use backproof_data::sha256;
use backproof_models::{Network, transfer_weights};
use backproof_spec::WarmStart;

use crate::{RunFolder, TrainError, WarmStartRecord, files};

/// `network`, which tells `classes` apart, with what fits of the weights that `warm_start` names, and what is frozen of
/// it frozen.
pub(crate) fn begin(
    warm_start: &WarmStart,
    network: Network,
    classes: &[String],
) -> Result<(Network, WarmStartRecord), TrainError> {
    let asked = Path::new(&warm_start.init_from);
    let path = fs::canonicalize(asked).map_err(|error| match error.kind() {
        ErrorKind::NotFound => TrainError::NoWarmStart { path: asked.to_owned() },
        _ => TrainError::read(asked, error),
    })?;
    let bytes = if path.is_dir() {
        let last = RunFolder::open(&path)?.last();
        if !last.exists() {
            let expected = "a checkpoint; the run was stopped before it saved one";
            return Err(TrainError::damaged(last.folder(), "is not there", expected));
        }
        last.weights()?.0
    } else {
        files::read(&path).map_err(|error| TrainError::read(&path, error))?
    };
    // A path that TOML cannot hold stays as it was typed.
    let source = path.to_str().unwrap_or(&warm_start.init_from).to_owned();
    let (network, transfer) = transfer_weights(network, &bytes, classes, warm_start.resize)
        .map_err(|error| TrainError::weights(&path, error))?;
    if transfer.loaded.is_empty() && transfer.resized.is_empty() {
        return Err(TrainError::NothingLoaded { source_name: source, transfer: Box::new(transfer) });
    }
    let frozen = if warm_start.freeze { transfer.loaded.clone() } else { Vec::new() };
    let network = network.freeze(frozen.iter().cloned());
    if warm_start.freeze && network.tensors().iter().all(|tensor| !tensor.trainable) {
        return Err(TrainError::AllFrozen { source_name: source });
    }
    let weights_sha256 = sha256(&bytes);
    Ok((network, WarmStartRecord { source, weights_sha256, transfer, frozen, validation_accuracy: None }))
}

#[cfg(test)]
mod tests;
