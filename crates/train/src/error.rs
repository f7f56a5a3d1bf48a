//! What can go wrong while training.

use std::io;
use std::path::{Path, PathBuf};

use backproof_data::DataError;
use backproof_models::{FormatError, NotCompiled, Transfer, WeightsError};
use backproof_spec::{ConfigError, ShapeError};

use crate::EndedEarly;

/// An error of training, resuming or evaluating.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// An evaluation was broken off.
    #[error("interrupted; nothing is written")]
    Stopped,
    /// The data could not be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The architecture does not fit together.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The config of a run folder cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A weights file does not fit the network, or is damaged.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A weights file that is no checkpoint does not fit the network.
    #[error("{} does not fit the network", path.display())]
    WeightsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WeightsError,
    },
    /// The run has no such checkpoint.
    #[error("there is no checkpoint {}", folder.display())]
    NoCheckpoint {
        /// Where it would be.
        folder: PathBuf,
    },
    /// A run has no images of a kind, such as a validation part of 0.
    #[error("the run has no {split} images")]
    NoImages {
        /// `training`, `validation` or `test`.
        split: &'static str,
    },
    /// The config of a run folder is not the one that its checkpoint was trained with.
    #[error("the run's config.toml is not the config of {}{change}", checkpoint.display())]
    OtherConfig {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The first difference.
        change: String,
    },
    /// Data or first weights are not those that the run began with.
    #[error("{name} is not what the run began with: its SHA-256 is {found}, expected {expected}")]
    OtherFile {
        /// The file.
        name: String,
        /// The SHA-256 that the run noted.
        expected: String,
        /// What it is now.
        found: String,
    },
    /// The network gives no finite number for an image.
    #[error("the weights are so large that the network's output is not finite")]
    NotFinite,
    /// The compiled engine cannot run the network.
    #[error("engine = \"compiled\" cannot train this: {0}")]
    NotCompiled(#[from] NotCompiled),
    /// The kernels that the environment asks for are not there.
    #[error("{0}")]
    Kernels(String),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of a run folder is not what it should be.
    #[error("{} {found}; expected {expected}", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The loss or a weight is no longer a finite number.
    #[error("training diverged at iteration {iteration}: {what}")]
    Diverged {
        /// The iteration, counted from 1.
        iteration: usize,
        /// What is not finite.
        what: String,
        /// Data set indices of the images of the batch; none where it shows after the last one.
        batch: Vec<usize>,
        /// The last checkpoint with finite weights, and its iteration.
        last_good: Option<(PathBuf, usize)>,
    },
    /// There is no run folder and no file to start from.
    #[error("there are no weights at {} to start from", path.display())]
    NoWarmStart {
        /// What the config asks for.
        path: PathBuf,
    },
    /// No tensor of the weights to start from fits the network.
    #[error("{source_name} has no tensor that fits the network\n{transfer}")]
    NothingLoaded {
        /// The run folder or the file.
        source_name: String,
        /// Why each did not.
        transfer: Box<Transfer>,
    },
    /// Everything was loaded, and everything loaded is frozen.
    #[error("freeze = true leaves nothing to train: every parameter fits that of {source_name}")]
    AllFrozen {
        /// The run folder or the file.
        source_name: String,
    },
    /// Early stopping has ended the run.
    #[error("the run {0}: there is nothing left to do")]
    EndedEarly(EndedEarly),
    /// The run has already done the iterations asked for.
    #[error("the run is at iteration {at} of {of}: there is nothing left to do")]
    NothingLeft {
        /// Iterations done.
        at: usize,
        /// Iterations asked for.
        of: usize,
    },
    /// Another process is training in this run folder.
    #[error("another process is training in {}", folder.display())]
    Busy {
        /// The run folder.
        folder: PathBuf,
    },
}

impl TrainError {
    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// Weights that cannot be read, or not into the network.
    pub(crate) fn weights(path: &Path, error: WeightsError) -> Self {
        match error {
            WeightsError::Format(FormatError { found, expected }) => Self::damaged(path, found, expected),
            error => Self::WeightsFile { path: path.to_owned(), source: error },
        }
    }

    pub(crate) fn damaged(path: &Path, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), found: found.into(), expected: expected.into() }
    }
}
