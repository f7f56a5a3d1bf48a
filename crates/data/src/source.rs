//! What a data set is to everything else: a [`Source`], and what it gives.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use backproof_spec::{DataSet, counted};

use crate::error::{DataError, Result};
use crate::{Images, Published};

/// A data set: what it is, and its images and labels.
///
/// The data sets that a config may name are listed in `data_sets.rs`, each a `static` in a file of its own. Any other
/// value works with [`prepare_from`](crate::prepare_from).
pub trait Source: fmt::Debug + Send + Sync {
    /// Its name in a config.
    fn name(&self) -> &str;

    /// What it is, where that is known before its files are looked at. A config is then held against it before
    /// anything is built or read. `None` where only the files say it.
    fn known(&self) -> Option<DataSet>;

    /// What it is, after a look at its files where that is needed: under the folder `data_dir`, or
    /// [`default_directory`](crate::default_directory).
    ///
    /// # Errors
    ///
    /// If there are no such files, or they are not of this data set.
    fn look(&self, data_dir: Option<&Path>) -> Result<DataSet> {
        self.known().map_or_else(|| Ok(self.load(data_dir)?.data_set), Ok)
    }

    /// What it is, with all images and labels, from the same place.
    ///
    /// # Errors
    ///
    /// If files are missing (the error lists all of them), cannot be read, or are not of this data set.
    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData>;

    /// The files that it is published as, which [`fetch()`](crate::fetch()) downloads; `None` where it is part of the
    /// program.
    fn published(&self) -> Option<&Published> {
        None
    }
}

/// A data set in memory.
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// What it is.
    pub data_set: DataSet,
    /// The training set, in the order of the files.
    pub training: Images,
    /// The test set, in the order of the file.
    pub test: Images,
    /// Which of the training set are the validation part that the data set comes with, if it comes with one.
    pub published_validation: Option<Range<usize>>,
    /// Where it came from.
    pub origin: Origin,
    /// The SHA-256 of what was really read, unpacked, by the name of the file without `.gz`.
    pub checksums: BTreeMap<String, String>,
}

/// Where a data set came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of the program.
    Bundled,
    /// The folder that holds its files.
    Folder(PathBuf),
}

/// Loads the data set of `source` and holds its images against what it says that it is. After that every shape, label
/// and index is one that everything else can rely on.
pub(crate) fn load_checked(source: &dyn Source, data_dir: Option<&Path>) -> Result<LoadedData> {
    let loaded = source.load(data_dir)?;
    let DataSet { name, shape, class_names, training_images, test_images } = &loaded.data_set;
    for (set, images, count) in [("training", &loaded.training, *training_images), ("test", &loaded.test, *test_images)]
    {
        let wrong = |what, expected: &dyn fmt::Display, found: &dyn fmt::Display| {
            Err(DataError::format(&format!("{name}, {set} set"), what, expected, found))
        };
        if images.shape() != *shape {
            return wrong("shape of an image", shape, &images.shape());
        }
        if images.len() != count {
            return wrong("number of images", &count, &images.len());
        }
        if images.is_empty() {
            return wrong("number of images", &"at least 1", &0);
        }
        if let Some(at) = (0..images.len()).find(|&at| images.label(at) >= class_names.len()) {
            let expected = format!("a number below the {}", counted(class_names.len(), "class"));
            return wrong("label", &expected, &format!("{} at image {at}", images.label(at)));
        }
    }
    if let Some(range) = loaded.published_validation.clone().filter(|range| range.end > loaded.training.len()) {
        let expected = format!("within the {}", counted(loaded.training.len(), "image"));
        return Err(DataError::format(name, "validation part", expected, format!("{range:?}")));
    }
    Ok(loaded)
}
