//! Which weights a run is evaluated with, or predicts with.

use std::fs;
use std::path::PathBuf;

use backproof_models::{Network, WeightsError, load_weights};

use crate::{RunFolder, TrainError};

/// Weights of a run's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// The last checkpoint.
    Last,
    /// The best checkpoint by validation.
    Best,
    /// A safetensors file with PyTorch's names and layouts, from wherever it came.
    File(PathBuf),
}

/// A network with its weights.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) network: Network,
    /// What the weights are of, where they are a checkpoint's.
    pub(crate) iteration: Option<usize>,
    /// The prefix that every name in a weights file had, such as `module.`.
    pub(crate) removed_prefix: Option<String>,
}

impl Weights {
    /// `network` with these weights.
    ///
    /// # Errors
    ///
    /// A checkpoint that is not there or damaged; a file that cannot be read or is of another network.
    pub(crate) fn load(&self, folder: &RunFolder, network: Network) -> Result<Loaded, TrainError> {
        let checkpoint = match self {
            Self::Last => folder.last(),
            Self::Best => folder.best(),
            Self::File(path) => {
                let bytes = fs::read(path).map_err(|error| TrainError::read(path, error))?;
                let (network, removed_prefix) = load_weights(network, &bytes).map_err(|error| match error {
                    WeightsError::Format(_) => {
                        TrainError::damaged(path, "is no safetensors file, or a damaged one", "weights")
                    }
                    error => TrainError::WeightsFile { path: path.clone(), source: error },
                })?;
                return Ok(Loaded { network, iteration: None, removed_prefix });
            }
        };
        if !checkpoint.exists() {
            return Err(TrainError::NoCheckpoint { folder: checkpoint.folder().to_owned() });
        }
        let (network, position) = checkpoint.load_network(network)?;
        Ok(Loaded { network, iteration: Some(position.iteration), removed_prefix: None })
    }
}
