//! What goes into a run beside the experiment.

use std::path::PathBuf;

use backproof_data::source_of;
use backproof_spec::Data;
use burn::tensor::Device;

/// Where and how a run is made: what is not part of the experiment.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The device, without autodiff.
    pub device: Device,
    /// `flex`, `ndarray`, `wgpu` or `cuda`.
    pub backend: String,
    /// The device in words.
    pub device_name: String,
    /// Where the data sets are, if not in the cache.
    pub data_dir: Option<PathBuf>,
    /// Where run folders are made.
    pub runs_dir: PathBuf,
    /// Whether a run writes its figures for TensorBoard too; a resumed one that did so before does so in any case.
    pub tensorboard: bool,
    /// The arguments as typed, for `run.json`.
    pub command_line: Vec<String>,
    /// The commit of the working tree, for `run.json`.
    pub git_revision: Option<String>,
}

/// A part of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The images that the network is trained on, without augmentation.
    Training,
    /// The part of the training set that is held out.
    Validation,
    /// The test set.
    Test,
}

impl Split {
    /// `training`, `validation` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The names of the classes of a data set; none where they are in files that are not there.
///
/// Only a weights file of others asks for them before the data is read, and without the data nothing comes of it.
pub(crate) fn class_names(data: &Data, setup: &Setup) -> Vec<String> {
    let looked = source_of(&data.images, 0).and_then(|source| source.look(setup.data_dir.as_deref()));
    looked.map_or_else(|_| Vec::new(), |data_set| data_set.class_names)
}
