//! What a listing is.

use std::path::PathBuf;

use super::names::Part;

/// The most classes: a label has 16 bits.
pub(crate) const MOST_CLASSES: usize = 65_535;

/// The images of a folder or of a list.
#[derive(Debug)]
pub(crate) struct Listing {
    /// What the paths of the files begin at.
    #[cfg_attr(not(feature = "pictures"), expect(dead_code, reason = "only who decodes pictures opens the files"))]
    pub(crate) root: PathBuf,
    /// In label order.
    pub(crate) class_names: Vec<String>,
    /// By part, and within a part in the order of the images: by the names of the files, or as the list has them.
    pub(crate) files: Vec<Listed>,
    /// Sentences about what is odd, and no reason to stop.
    pub(crate) warnings: Vec<String>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Below the root.
    pub(crate) path: PathBuf,
    pub(crate) label: u16,
    pub(crate) part: Part,
}

impl Listing {
    pub(crate) fn count(&self, part: Part) -> usize {
        self.files.iter().filter(|file| file.part == part).count()
    }

    /// How many images each class has in a part.
    pub(crate) fn class_counts(&self, part: Part) -> Vec<usize> {
        let mut counts = vec![0; self.class_names.len()];
        self.files.iter().filter(|file| file.part == part).for_each(|file| counts[usize::from(file.label)] += 1);
        counts
    }
}

/// In the order of the letters; in that of the numbers if all names are numbers.
pub(crate) fn sort_names(names: &mut [&str]) {
    let number = |name: &str| name.parse::<u64>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(|name| (number(name), name.len()));
    } else {
        names.sort_unstable();
    }
}
