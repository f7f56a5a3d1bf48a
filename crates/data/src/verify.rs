//! What is in the data folder, file by file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backproof_spec::Dataset;

use crate::content::{read, sha256};
use crate::error::{DataError, Result};
use crate::folder::{Place, directory, places};
use crate::sources::Source;

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
    /// Its content is what was published.
    Published,
    /// It has the right size, and another content.
    Other {
        /// The SHA-256 of its content, unpacked.
        sha256: String,
        /// The published one.
        published: String,
    },
    /// It cannot be read, or has the wrong size.
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

/// Whether every sum of `checksums`, SHA-256 by the name of a file as [`LoadedData`](crate::LoadedData) has them, is that of the file of
/// `dataset` that was published. A data set that is part of the program has no files.
pub fn is_published(dataset: Dataset, checksums: &BTreeMap<String, String>) -> bool {
    let files = Source::of(dataset).map_or(&[][..], |source| source.files);
    checksums.values().all(|sum| files.is_empty() || files.iter().any(|file| file.sha256 == sum))
}

/// Reads every file of `dataset` in the folder `data_dir`, or in [`default_directory`](crate::default_directory), and
/// compares its SHA-256 with the published one. A data set that is part of the program has no files.
///
/// # Errors
///
/// If there is no folder to look in. What is wrong with a file is its state, not an error.
pub fn verify(dataset: Dataset, data_dir: Option<&Path>) -> Result<Vec<FileStatus>> {
    let Some(source) = Source::of(dataset) else {
        return Ok(Vec::new());
    };
    let status = |place: Place| FileStatus {
        name: place.content.name.to_owned(),
        state: state(source, &place),
        path: place.path,
    };
    Ok(places(source, &directory(data_dir)?).into_iter().map(status).collect())
}

pub(crate) fn state(source: &Source, place: &Place) -> FileState {
    if !place.present {
        return FileState::Missing { url: source.url(place.content) };
    }
    match read(&place.path, place.content.size).map(|bytes| sha256(&bytes)) {
        Ok(sum) if sum == place.content.sha256 => FileState::Published,
        Ok(sha256) => FileState::Other { sha256, published: place.content.sha256.to_owned() },
        Err(DataError::Format { what, expected, found, .. }) => {
            FileState::Damaged { reason: format!("{what}: expected {expected}, found {found}") }
        }
        Err(DataError::Io { action, source, .. }) => {
            FileState::Damaged { reason: format!("cannot {action} it: {source}") }
        }
        Err(error) => FileState::Damaged { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_the_state_that_it_is_in() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("fashion-mnist");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("train-labels-idx1-ubyte"), [1; 60_008]).unwrap();
        std::fs::write(folder.join("t10k-labels-idx1-ubyte"), [1; 99]).unwrap();
        let states = verify(Dataset::FashionMnist, Some(root.path())).unwrap();
        assert!(matches!(&states[0].state, FileState::Missing { url } if url.ends_with("/train-images-idx3-ubyte.gz")));
        assert!(matches!(&states[1].state, FileState::Other { sha256, published } if sha256 != published));
        assert!(matches!(&states[3].state, FileState::Damaged { reason }
            if reason == "size: expected 10008 bytes, found 99 bytes"));
        assert_eq!(verify(Dataset::MnistSample, Some(root.path())).unwrap(), []);
    }

    #[test]
    fn sums_are_those_published_if_every_one_is_of_a_file_of_that_data_set() {
        let sums = |dataset: Dataset| -> BTreeMap<String, String> {
            let files = Source::of(dataset).unwrap().files.iter();
            files.map(|file| (file.name.to_owned(), file.sha256.to_owned())).collect()
        };
        assert!(is_published(Dataset::Mnist, &sums(Dataset::Mnist)));
        assert!(!is_published(Dataset::FashionMnist, &sums(Dataset::Mnist)));
        let mut changed = sums(Dataset::Cifar10);
        changed.insert("test_batch.bin".to_owned(), "0".repeat(64));
        assert!(!is_published(Dataset::Cifar10, &changed));
        assert!(is_published(Dataset::MnistSample, &changed), "which comes with the program");
    }
}
