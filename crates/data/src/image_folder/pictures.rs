//! The pictures of a folder that has no classes: to be predicted.

use std::path::{Path, PathBuf};

use backproof_spec::counted;

use super::inside::Inside;
use super::names::Others;
use crate::error::{DataError, Result};

/// How many folders deep pictures are looked for: as deep as `train/CLASS` lies.
const DEEPEST: usize = 2;

/// The pictures of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// In the order of their paths.
    pub files: Vec<PathBuf>,
    /// Sentences about what is left out.
    pub notes: Vec<String>,
}

/// The pictures in `folder`, by their names. If it has none, those of the folders in it, and then of the folders in these.
/// Hidden folders are left out.
///
/// # Errors
///
/// A folder that cannot be read, or in which there are no pictures.
pub fn pictures(folder: &Path) -> Result<Pictures> {
    let (mut level, mut others) = (vec![folder.to_path_buf()], Others::default());
    for depth in 0..=DEEPEST {
        let (mut files, mut deeper) = (Vec::new(), Vec::new());
        for folder in &level {
            let inside = Inside::of(folder)?;
            inside.others.iter().for_each(|path| others.add(path.file_name().unwrap_or_default()));
            files.extend(inside.pictures);
            deeper.extend(inside.folders);
        }
        if !files.is_empty() {
            let mut notes: Vec<String> = others.sentence().into_iter().collect();
            if !deeper.is_empty() {
                let inside = if depth == 0 { "inside" } else { "further inside" };
                let are = if deeper.len() == 1 { "is" } else { "are" };
                notes.push(format!("{} {inside} {are} left out", counted(deeper.len(), "folder")));
            }
            return Ok(Pictures { files, notes });
        }
        deeper.sort();
        level = deeper;
    }
    let help = others.sentence().unwrap_or_else(|| "name a folder with pictures in it, or files".to_owned());
    Err(DataError::folder(folder, "has no pictures, and neither have the folders in it").with_help(Some(help)))
}
