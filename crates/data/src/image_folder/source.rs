//! A folder of images as a [`Source`].

use std::path::Path;

use backproof_spec::{DataSet, ImageFolder};

use super::listing::list;
use super::look::describe;
#[cfg(not(feature = "pictures"))]
use crate::error::DataError;
use crate::error::Result;
use crate::source::{LoadedData, Source, Watch};

/// Images of the user's own, divided by the seed of the experiment where the folder does not divide them.
#[derive(Debug)]
pub(crate) struct UserImages {
    folder: ImageFolder,
    #[cfg_attr(not(feature = "pictures"), allow(dead_code))] // only who reads images divides them
    seed: u64,
}

impl UserImages {
    pub(crate) fn new(folder: &ImageFolder, seed: u64) -> Self {
        Self { folder: folder.clone(), seed }
    }
}

impl Source for UserImages {
    fn name(&self) -> &str {
        self.folder.name()
    }

    fn known(&self) -> Option<DataSet> {
        None
    }

    fn look(&self, _: Option<&Path>) -> Result<DataSet> {
        describe(&self.folder, &list(Path::new(&self.folder.path))?)
    }

    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData> {
        self.load_watched(data_dir, &mut |_, _| std::ops::ControlFlow::Continue(()))
    }

    #[cfg(feature = "pictures")]
    fn load_watched(&self, data_dir: Option<&Path>, watch: Watch<'_>) -> Result<LoadedData> {
        super::load::load(&self.folder, self.seed, data_dir, watch)
    }

    #[cfg(not(feature = "pictures"))]
    fn load_watched(&self, _: Option<&Path>, _: Watch<'_>) -> Result<LoadedData> {
        Err(DataError::folder(Path::new(&self.folder.path), "cannot be read: this program was built without pictures"))
    }
}
