//! What is in the data folder, file by file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::content::{read_up_to, sha256};
use crate::data_sets::owner;
use crate::error::{DataError, Result};
use crate::folder::directory;
use crate::gunzip::GZIP;
use crate::local::{LocalFile, local_files};
use crate::published::{Published, Sum};
use crate::source::Source;
use crate::sources;

/// The state of one file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    /// The name of the published file, without `.gz`.
    pub name: String,
    /// Where it is, or where it would be put; a file of another version, where that is there.
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
    /// It has the right size, and its content cannot be compared: no checksum of it is published.
    Unknown {
        /// The SHA-256 of its content, unpacked.
        sha256: String,
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
/// is true. It is false where no checksums are published.
pub fn is_published(name: &str, checksums: &BTreeMap<String, String>) -> bool {
    let source = sources().iter().find(|source| source.name() == name);
    source.and_then(|source| source.published()).is_none_or(|published| {
        checksums.values().all(|sum| published.contents().any(|file| file.sha256() == Some(sum.as_str())))
    })
}

/// Reads every file of `source` in the folder `data_dir`, or in [`default_directory`](crate::default_directory), and
/// compares its SHA-256 with the published one. Of another version, it compares the content that is made again of it. A
/// data set that is part of the program has no files.
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
        return FileState::Missing { url: file.url(published) };
    }
    match file.read().map(|bytes| sha256(&bytes)) {
        Ok(sum) => match file.content.sum {
            Sum::Content(known) if sum == known => FileState::Published,
            Sum::Content(known) => FileState::Other { sha256: sum, published: known.to_owned() },
            _ if owner(&sum).is_some_and(|owner| owner != published.name) => {
                FileState::Damaged { reason: format!("it is a file of {}", owner(&sum).unwrap_or_default()) }
            }
            Sum::Packed(known) if is_packed_with(file, known) => FileState::Published,
            Sum::Packed(_) | Sum::OfArchive => FileState::Unknown { sha256: sum },
        },
        Err(DataError::Format { what, expected, found, .. }) => {
            FileState::Damaged { reason: format!("{what}: expected {expected}, found {found}") }
        }
        Err(DataError::Arrays { problem, .. }) => FileState::Damaged { reason: problem.to_string() },
        Err(DataError::Io { source, .. }) => FileState::Unreadable { reason: source.to_string() },
        Err(error) => FileState::Damaged { reason: error.to_string() },
    }
}

/// Whether it is the gzipped file with this SHA-256.
fn is_packed_with(file: &LocalFile, known: &str) -> bool {
    // What does not get smaller by gzip gets a little larger.
    let packed = read_up_to(&file.path, file.content.size + file.content.size / 1_000 + 1_024);
    packed.is_ok_and(|packed| packed.starts_with(&GZIP) && sha256(&packed) == known)
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
            files.map(|file| (file.name.to_owned(), file.sha256().unwrap().to_owned())).collect()
        };
        assert!(is_published("mnist", &sums("mnist")));
        assert!(!is_published("fashion-mnist", &sums("mnist")));
        let mut changed = sums("cifar-10");
        changed.insert("test_batch.bin".to_owned(), "0".repeat(64));
        assert!(!is_published("cifar-10", &changed));
        assert!(is_published("mnist-sample", &changed), "which comes with the program");
    }
}
