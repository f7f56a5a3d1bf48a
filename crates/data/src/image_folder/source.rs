//! A folder of images as a [`Source`].

use std::path::Path;

use backproof_spec::{DataSet, FolderFault, ImageFolder, counted};

use super::listing::Listing;
use super::names::Part;
use crate::error::{DataError, Result};
use crate::source::{LoadedData, Source, Watch};
use crate::split::test_count;

/// Images of the user's own, divided by the seed of the experiment where the folder does not divide them.
#[derive(Debug)]
pub(crate) struct UserImages {
    pub(super) folder: ImageFolder,
    #[cfg_attr(not(feature = "pictures"), allow(dead_code))] // only who reads images divides them
    pub(super) seed: u64,
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
        describe(&self.folder, &Listing::of(Path::new(&self.folder.path))?)
    }

    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData> {
        self.load_watched(data_dir, &mut |_, _| std::ops::ControlFlow::Continue(()))
    }

    #[cfg(feature = "pictures")]
    fn load_watched(&self, data_dir: Option<&Path>, watch: Watch<'_>) -> Result<LoadedData> {
        super::load::load(self, data_dir, watch)
    }

    #[cfg(not(feature = "pictures"))]
    fn load_watched(&self, _: Option<&Path>, _: Watch<'_>) -> Result<LoadedData> {
        Err(DataError::folder(Path::new(&self.folder.path), "cannot be read: this program was built without pictures"))
    }
}

/// What the images of a folder are, by their names alone: their classes, and how many there are.
///
/// # Errors
///
/// A folder or a list that is not there, cannot be read or cannot be trained on, with the way out.
pub fn look(folder: &ImageFolder) -> Result<DataSet, FolderFault> {
    let path = Path::new(&folder.path);
    let listed = Listing::of(path).and_then(|listing| describe(folder, &listing));
    listed.map_err(|error| FolderFault { message: error.with_causes(), help: error.help() })
}

/// The data set of a listing.
pub(super) fn describe(folder: &ImageFolder, listing: &Listing) -> Result<DataSet> {
    let [training, validation, test] = Part::ALL.map(|part| listing.count(part));
    let divided = if test == 0 { test_count(training, folder.test_fraction) } else { 0 };
    if test + divided == 0 {
        let images = counted(training, "image");
        let problem =
            format!("has no test images, and test_fraction = {} makes none of its {images}", folder.test_fraction);
        let help = "set `test_fraction` under [data], or put images into a folder `test`";
        return Err(DataError::folder(Path::new(&folder.path), problem).with_help(Some(help.to_owned())));
    }
    Ok(DataSet {
        name: folder.name().to_owned(),
        shape: folder.shape(),
        class_names: listing.class_names.clone(),
        training_images: training - divided + validation,
        test_images: test + divided,
        validation_images: (validation > 0).then_some(validation),
    })
}
