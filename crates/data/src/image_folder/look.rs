//! A folder of images as plain data, for configs.

use std::path::Path;

use backproof_spec::{DataSet, FolderFault, ImageFolder, counted};

use super::listed::Listing;
use super::listing::list;
use super::names::Part;
use crate::error::{DataError, Result};
use crate::split::test_count;

/// What the images of a folder are, by their names alone: their classes, and how many there are.
///
/// # Errors
///
/// A folder or a list that is not there, cannot be read or cannot be trained on, with the way out.
pub fn look(folder: &ImageFolder) -> Result<DataSet, FolderFault> {
    let path = Path::new(&folder.path);
    let listed = list(path).and_then(|listing| describe(folder, &listing));
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
