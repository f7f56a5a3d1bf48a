//! Which images there are, by their names alone: nothing is decoded, so that `cargo xtask` can do it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use backproof_spec::counted;

use super::listed::{Listing, MOST_CLASSES};
use super::names::{Part, some_of};
use super::{folders, labels};
use crate::error::{DataError, Result};

/// The images at `path`, a folder or a CSV file.
///
/// # Errors
///
/// What is not there, cannot be read or cannot be trained on.
pub(crate) fn list(path: &Path) -> Result<Listing> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => DataError::folder(path, "is not there").with_help(nearest_there(path)),
        _ => DataError::io("read", path)(error),
    })?;
    let listing = if metadata.is_dir() {
        folders::listing(path)?
    } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        labels::listing(path)?
    } else {
        let help = "give a folder that has a folder for each class, or a CSV file of paths and labels";
        return Err(DataError::folder(path, "is a file").with_help(Some(help.to_owned())));
    };
    check(listing, path)
}

/// That there is something to tell apart, and something of each class to train on.
fn check(mut listing: Listing, path: &Path) -> Result<Listing> {
    if listing.class_names.len() > MOST_CLASSES {
        let problem = format!("has {} classes; at most {MOST_CLASSES} are told apart", listing.class_names.len());
        return Err(DataError::folder(path, problem));
    }
    let training = listing.class_counts(Part::Training);
    let of = |wanted: usize| -> Vec<&str> {
        let counted = listing.class_names.iter().zip(&training);
        counted.filter(|(_, count)| **count == wanted).map(|(name, _)| name.as_str()).collect()
    };
    let empty = of(0);
    if !empty.is_empty() {
        let (classes, names) = (counted(empty.len(), "class"), some_of(empty.iter().copied()));
        let problem = format!("has no images to train on of {classes}: {names}");
        let help = "put images there, or remove these classes";
        return Err(DataError::folder(path, problem).with_help(Some(help.to_owned())));
    }
    let single = of(1);
    if !single.is_empty() && listing.count(Part::Test) == 0 {
        let (classes, names) = (counted(single.len(), "class"), some_of(single.iter().copied()));
        let has = if single.len() == 1 { "has" } else { "have" };
        let it = if single.len() == 1 { "it" } else { "them" };
        let warning = format!("{classes} {has} one image, so nothing is left to test {it} with: {names}");
        listing.warnings.push(warning);
    }
    Ok(listing)
}

/// The nearest name beside one that is not there.
fn nearest_there(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> =
        fs::read_dir(parent).ok()?.flatten().filter_map(|it| it.file_name().into_string().ok()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = backproof_spec::nearest(wanted, &names)?;
    Some(format!("did you mean `{}`?", path.with_file_name(near).display()))
}
