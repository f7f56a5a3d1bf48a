//! What a data set is to everything else: a [`Source`], and what it gives.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use backproof_spec::{DataSet, counted};

use crate::error::{DataError, Result};
use crate::{Images, Published};

/// A data set: what it is, and its images and labels.
///
/// `data_sets.rs` lists the data sets that a config may name. Each is a `static` in a separate file. Any other source
/// works with [`prepare_from`](crate::prepare_from).
pub trait Source: fmt::Debug + Send + Sync {
    /// Its name in a config.
    fn name(&self) -> &str;

    /// What the data set is, if that is known without its files. Then a config is checked against it before anything is
    /// built or read. `None` if only the files say what the data set is.
    fn known(&self) -> Option<DataSet>;

    /// What the data set is. If it has to look at files, they are under the folder `data_dir`, or under
    /// [`default_directory`](crate::default_directory).
    ///
    /// # Errors
    ///
    /// If the files are missing, or belong to another data set.
    fn look(&self, data_dir: Option<&Path>) -> Result<DataSet> {
        self.known().map_or_else(|| Ok(self.load(data_dir)?.data_set), Ok)
    }

    /// The data set with all images and labels, from the same place.
    ///
    /// # Errors
    ///
    /// If files are missing (the error lists all of them), cannot be read, or belong to another data set.
    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData>;

    /// As [`load`](Self::load), and tells `watch` how far it is where that takes a while.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and [`DataError::Stopped`] where `watch` breaks off.
    fn load_watched(&self, data_dir: Option<&Path>, _watch: Watch<'_>) -> Result<LoadedData> {
        self.load(data_dir)
    }

    /// The published files, which [`fetch()`](crate::fetch()) downloads. `None` if the data set is part of the program.
    fn published(&self) -> Option<&Published> {
        None
    }
}

/// Told how many of how many images are done; it may break off.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

/// A data set in memory, or mapped into it.
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// What it is.
    pub data_set: DataSet,
    /// The training set, in the order of the files.
    pub training: Images,
    /// The test set, in the order of the file.
    pub test: Images,
    /// The indices of the published validation part in the training set, if the data set has such a part.
    pub published_validation: Option<Range<usize>>,
    /// Where it came from.
    pub origin: Origin,
    /// The SHA-256 of the unpacked content of each file that was read, by the name of the file without `.gz`.
    pub checksums: BTreeMap<String, String>,
    /// What a person may want to know of it, a sentence or a list each.
    pub notes: Vec<String>,
}

/// Where a data set came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of the program.
    Bundled,
    /// The folder that holds its files.
    Folder(PathBuf),
}

/// Loads the data set of `source`, and checks its images against its description. After that, everything else can rely
/// on every shape, label and index.
pub(crate) fn load_checked(source: &dyn Source, data_dir: Option<&Path>, watch: Watch<'_>) -> Result<LoadedData> {
    let loaded = source.load_watched(data_dir, watch)?;
    let DataSet { name, shape, class_names, training_images, test_images, .. } = &loaded.data_set;
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
