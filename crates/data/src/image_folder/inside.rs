//! What lies in one folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::names::{is_hidden, is_picture};
use crate::error::{DataError, Result};

/// What is directly in a folder, in the order of the names.
pub(super) struct Inside {
    pub(super) folders: Vec<PathBuf>,
    pub(super) pictures: Vec<PathBuf>,
    pub(super) others: Vec<PathBuf>,
}

impl Inside {
    /// Links are followed, one step: what is looked at lies at most three folders deep, so no circle is endless.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let mut inside = Self { folders: Vec::new(), pictures: Vec::new(), others: Vec::new() };
        for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
            let entry = entry.map_err(DataError::io("read", folder))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(DataError::io("read", &path))?;
            // A link that leads nowhere is taken for a file, and reading it says so.
            let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            match (is_folder, is_hidden(&name)) {
                (true, true) => {}
                (true, false) => inside.folders.push(path),
                (false, _) if is_picture(&name) => inside.pictures.push(path),
                (false, _) => inside.others.push(path),
            }
        }
        inside.folders.sort();
        inside.pictures.sort();
        Ok(inside)
    }
}
