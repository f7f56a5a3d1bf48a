//! What a config is held against: the data sets that a program has, as plain data.

use std::borrow::Cow;
use std::fmt;

use crate::{ImageFolder, ImageSource, Shape};

/// What a data set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Its name in a config.
    pub name: String,
    /// The shape of one image, before any padding.
    pub shape: Shape,
    /// The names of the classes, in the order of their labels.
    pub class_names: Vec<String>,
    /// The number of images in the training set, before any are held out for validation.
    pub training_images: usize,
    /// The number of images in the test set.
    pub test_images: usize,
    /// The number of images of the training set that are its own validation part, if it has one.
    pub validation_images: Option<usize>,
}

impl DataSet {
    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }
}

/// The data sets that a config may name.
///
/// This crate has no list of data sets: a program that has one gives it to the functions that read configs. A name
/// that is not listed is then an error, and a network that does not fit the images or the classes is one too.
///
/// Nor does it look into a folder of images: a program that can says how ([`looking`](Self::looking)).
#[derive(Debug, Clone, Default)]
pub struct DataSets {
    listed: Option<Vec<(String, Option<DataSet>)>>,
    look: Option<Look>,
}

/// Says what a folder of images holds, by the names of its files.
pub type Look = fn(&ImageFolder) -> Result<DataSet, FolderFault>;

/// Why a folder of images cannot be trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFault {
    /// What is wrong, in a sentence.
    pub message: String,
    /// The way out, where there is one.
    pub help: Option<String>,
}

impl fmt::Display for FolderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FolderFault {}

impl DataSets {
    /// Any name is valid, and nothing is known of the data set. A run folder is read so: its data was there once.
    pub const fn any() -> Self {
        Self { listed: None, look: None }
    }

    /// Only these names are valid, each with what is known of the data set before its files are read.
    pub fn of(listed: impl IntoIterator<Item = (String, Option<DataSet>)>) -> Self {
        Self { listed: Some(listed.into_iter().collect()), look: None }
    }

    /// The same, and `look` says what a folder of images is.
    #[must_use]
    pub fn looking(self, look: Look) -> Self {
        Self { look: Some(look), ..self }
    }

    /// The valid names, in the order of the list; `None` where any name is valid.
    pub fn names(&self) -> Option<Vec<&str>> {
        Some(self.listed.as_ref()?.iter().map(|(name, _)| name.as_str()).collect())
    }

    /// What is known of the data set of that name.
    pub fn by_name(&self, name: &str) -> Option<&DataSet> {
        self.known().find(|data_set| data_set.name == name)
    }

    /// What is known of the images; of a folder, what it holds now.
    ///
    /// # Errors
    ///
    /// A folder that cannot be trained on.
    pub fn known_of(&self, images: &ImageSource) -> Result<Option<Cow<'_, DataSet>>, FolderFault> {
        match images {
            ImageSource::DataSet(name) => Ok(self.by_name(name).map(Cow::Borrowed)),
            ImageSource::Folder(folder) => self.look.map(|look| look(folder).map(Cow::Owned)).transpose(),
        }
    }

    /// Every data set of which something is known.
    pub(crate) fn known(&self) -> impl Iterator<Item = &DataSet> {
        self.listed.iter().flatten().filter_map(|(_, data_set)| data_set.as_ref())
    }
}

/// Four data sets for the tests and the fuzzer, of the names and sizes that the configs in `configs/` go with.
#[cfg(any(fuzzing, test))]
pub(crate) fn four() -> DataSets {
    let grey = Shape::image(1, 28, 28);
    let listed = [
        ("mnist-sample", grey, 4_500, 500),
        ("mnist", grey, 60_000, 10_000),
        ("fashion-mnist", grey, 60_000, 10_000),
        ("cifar-10", Shape::image(3, 32, 32), 50_000, 10_000),
    ];
    DataSets::of(listed.map(|(name, shape, training_images, test_images)| {
        let class_names = (0..10).map(|class| class.to_string()).collect();
        let name = name.to_owned();
        (
            name.clone(),
            Some(DataSet { name, shape, class_names, training_images, test_images, validation_images: None }),
        )
    }))
}
