//! Which weights a run is evaluated with, or predicts with.

use std::path::{Path, PathBuf};

use backproof_models::{Changes, Network, load_weights};

use crate::{RunFolder, TrainError, files};

/// Weights of a run's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// The last checkpoint; of a run that ended with the weights of its best epoch, those.
    Last,
    /// The best checkpoint by validation.
    Best,
    /// Those of an iteration that `training.keep` asked for.
    Kept(usize),
    /// A file of any format that [`load_weights`] reads, from wherever it came.
    File(PathBuf),
}

/// A network with its weights.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) network: Network,
    /// What the weights are of, where they are a checkpoint's.
    pub(crate) iteration: Option<usize>,
    /// What was done to a weights file first.
    pub(crate) changes: Changes,
}

impl Weights {
    /// `network`, which tells `classes` apart, with these weights.
    ///
    /// # Errors
    ///
    /// A checkpoint that is not there or damaged; a file that cannot be read or is of another network.
    pub(crate) fn load(&self, folder: &RunFolder, network: Network, classes: &[String]) -> Result<Loaded, TrainError> {
        let checkpoint = match self {
            Self::Last => folder.last(),
            Self::Best => folder.best(),
            Self::Kept(iteration) => {
                let kept = folder.kept_weights().into_iter().find(|(of, _)| of == iteration);
                let (_, path) = kept.ok_or_else(|| TrainError::NoCheckpoint {
                    folder: folder.path().join(format!("checkpoints/kept/{iteration}.safetensors")),
                })?;
                return Ok(Loaded { iteration: Some(*iteration), ..load_file(&path, network, classes)? });
            }
            Self::File(path) => return load_file(path, network, classes),
        };
        if !checkpoint.exists() {
            return Err(TrainError::NoCheckpoint { folder: checkpoint.folder().to_owned() });
        }
        let (network, iteration) = checkpoint.load_weights(network)?;
        Ok(Loaded { network, iteration: Some(iteration), changes: Changes::default() })
    }
}

/// `network`, which tells `classes` apart, with the weights of the file at `path`.
///
/// # Errors
///
/// A file that cannot be read or is of another network.
pub(crate) fn load_file(path: &Path, network: Network, classes: &[String]) -> Result<Loaded, TrainError> {
    let bytes = files::read(path).map_err(|error| TrainError::read(path, error))?;
    let loaded = load_weights(network, &bytes, classes);
    let (network, changes) = loaded.map_err(|error| TrainError::weights(path, error))?;
    Ok(Loaded { network, iteration: None, changes })
}
