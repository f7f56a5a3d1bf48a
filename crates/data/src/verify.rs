//! What is in the data folder, file by file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::content::{read, sha256};
use crate::error::{DataError, Result};
use crate::folder::{LocalFile, directory, local_files};
use crate::published::Published;
use crate::source::Source;
use crate::sources;

/// The state of one file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    /// The name of the file, without `.gz`.
    pub name: String,
    /// Where it is, or where it would be put.
    pub path: PathBuf,
    /// What was found there.
    pub state: FileState,
}

/// What was found in place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Its content is the published content.
    Published,
    /// It has the right size, and another content.
    Other {
        /// The SHA-256 of its content, unpacked.
        sha256: String,
        /// The published one.
        published: String,
    },
    /// The system refuses to read it.
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// It has the wrong size, or cannot be unpacked.
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// It is not there.
    Missing {
        /// Where to get it, or the archive that holds it.
        url: String,
    },
}

/// Whether every checksum in `checksums` belongs to a published file of the data set `name`. The checksums are SHA-256,
/// by the name of the file, as in [`LoadedData`](crate::LoadedData). For a data set that is part of the program, this
/// is true.
pub fn is_published(name: &str, checksums: &BTreeMap<String, String>) -> bool {
    let source = sources().iter().find(|source| source.name() == name);
    source
        .and_then(|source| source.published())
        .is_none_or(|published| checksums.values().all(|sum| published.contents().any(|file| file.sha256 == sum)))
}

/// Reads every file of `source` in the folder `data_dir`, or in [`default_directory`](crate::default_directory), and
/// compares its SHA-256 with the published one. A data set that is part of the program has no files.
///
/// # Errors
///
/// If there is no folder to look in. What is wrong with a file is its state, not an error.
pub fn verify(source: &dyn Source, data_dir: Option<&Path>) -> Result<Vec<FileStatus>> {
    let Some(published) = source.published() else {
        return Ok(Vec::new());
    };
    let status = |file: LocalFile| FileStatus {
        name: file.content.name.to_owned(),
        state: state(published, &file),
        path: file.path,
    };
    Ok(local_files(published, &directory(data_dir)?).into_iter().map(status).collect())
}

pub(crate) fn state(published: &Published, file: &LocalFile) -> FileState {
    if !file.present {
        return FileState::Missing { url: published.url(file.content) };
    }
    match read(&file.path, file.content.size).map(|bytes| sha256(&bytes)) {
        Ok(sum) if sum == file.content.sha256 => FileState::Published,
        Ok(sha256) => FileState::Other { sha256, published: file.content.sha256.to_owned() },
        Err(DataError::Format { what, expected, found, .. }) => {
            FileState::Damaged { reason: format!("{what}: expected {expected}, found {found}") }
        }
        Err(DataError::Io { source, .. }) => FileState::Unreadable { reason: source.to_string() },
        Err(error) => FileState::Damaged { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    #[test]
    fn each_file_has_the_state_that_it_is_in() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("fashion-mnist");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("train-labels-idx1-ubyte"), [1; 60_008]).unwrap();
        std::fs::write(folder.join("t10k-labels-idx1-ubyte"), [1; 99]).unwrap();
        let states = verify(source("fashion-mnist").unwrap(), Some(root.path())).unwrap();
        assert!(matches!(&states[0].state, FileState::Missing { url } if url.ends_with("/train-images-idx3-ubyte.gz")));
        assert!(matches!(&states[1].state, FileState::Other { sha256, published } if sha256 != published));
        assert!(matches!(&states[3].state, FileState::Damaged { reason }
            if reason == "size: expected 10008 bytes, found 99 bytes"));
        assert_eq!(verify(source("mnist-sample").unwrap(), Some(root.path())).unwrap(), []);
    }

    #[test]
    fn sums_are_those_published_if_every_one_is_of_a_file_of_that_data_set() {
        let sums = |name: &str| -> BTreeMap<String, String> {
            let files = source(name).unwrap().published().unwrap().contents();
            files.map(|file| (file.name.to_owned(), file.sha256.to_owned())).collect()
        };
        assert!(is_published("mnist", &sums("mnist")));
        assert!(!is_published("fashion-mnist", &sums("mnist")));
        let mut changed = sums("cifar-10");
        changed.insert("test_batch.bin".to_owned(), "0".repeat(64));
        assert!(!is_published("cifar-10", &changed));
        assert!(is_published("mnist-sample", &changed), "which comes with the program");
    }
}
