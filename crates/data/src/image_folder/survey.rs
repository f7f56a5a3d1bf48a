//! What the images of a folder are like, from a few of them: for defaults.

use std::path::Path;

use backproof_spec::Color;

use super::listing::list;
use super::names::Part;
use crate::error::{DataError, Result};
use crate::picture::Picture;

/// Images that are looked at.
const SAMPLE: usize = 48;

/// A folder of images at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The number of classes.
    pub classes: usize,
    /// The number of training images, before any are held out.
    pub training_images: usize,
    /// Height and width: of every image that was looked at, if they agree; otherwise the medians of both.
    pub size: [usize; 2],
    /// Whether all images that were looked at have the same size.
    pub is_one_size: bool,
    /// Whether all of them are grey.
    pub is_grey: bool,
}

/// Lists the images at `path`, a folder or a CSV file, and decodes a few of them.
///
/// # Errors
///
/// What cannot be listed or trained on, and a folder of which none of these images can be read.
pub fn survey(path: &Path) -> Result<Survey> {
    let listing = list(path)?;
    let files = &listing.files;
    let every = files.len().div_ceil(SAMPLE).max(1);
    let (mut heights, mut widths, mut is_grey) = (Vec::new(), Vec::new(), true);
    let mut unreadable = None;
    for file in files.iter().step_by(every) {
        match Picture::read(&listing.root.join(&file.path), Color::WHITE) {
            Ok(picture) => {
                let (width, height) = picture.size();
                heights.push(height);
                widths.push(width);
                is_grey &= picture.is_grey();
            }
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    if let (true, Some(error)) = (heights.is_empty(), unreadable) {
        return Err(error);
    }
    if heights.is_empty() {
        return Err(DataError::folder(path, "has no images"));
    }
    heights.sort_unstable();
    widths.sort_unstable();
    let is_one = |sides: &[usize]| sides.first() == sides.last();
    Ok(Survey {
        classes: listing.class_names.len(),
        training_images: listing.count(Part::Training),
        size: [heights[heights.len() / 2], widths[widths.len() / 2]],
        is_one_size: is_one(&heights) && is_one(&widths),
        is_grey,
    })
}
