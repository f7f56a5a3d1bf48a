//! Where data lies on this machine.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{DataError, MissingFile, MissingFiles, Result};
use crate::published::{Content, Packing, Published};
use crate::source::Source;

/// The data folder that is used when none is given: `$BACKPROOF_DATA_DIR`, else `$XDG_CACHE_HOME/backproof`, else
/// `~/.cache/backproof`. It need not exist.
///
/// # Errors
///
/// If neither variable is set and there is no home directory.
pub fn default_directory() -> Result<PathBuf> {
    directory_from(|name| std::env::var_os(name), std::env::home_dir())
}

fn directory_from(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Result<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("BACKPROOF_DATA_DIR") {
        return Ok(folder);
    }
    // The XDG specification says to ignore a path that is not absolute.
    let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = home.filter(|path| !path.as_os_str().is_empty());
    cache
        .or_else(|| home.map(|home| home.join(".cache")))
        .map(|cache| cache.join("backproof"))
        .ok_or(DataError::NoDirectory)
}

/// The data folder: the one given, or the default.
pub(crate) fn directory(given: Option<&Path>) -> Result<PathBuf> {
    given.map_or_else(default_directory, |path| Ok(path.to_path_buf()))
}

/// The folder where the files of `source` are, or would be put, under the folder `data_dir` or [`default_directory`];
/// none for a data set that is part of the program. It need not exist.
///
/// # Errors
///
/// If there is no folder to look in.
pub fn data_set_directory(source: &dyn Source, data_dir: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(published) = source.published() else {
        return Ok(None);
    };
    let files = local_files(published, &directory(data_dir)?);
    Ok(files.first().and_then(|file| file.path.parent()).map(Path::to_path_buf))
}

/// A file of a data set on this machine.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    pub(crate) content: &'static Content,
    /// Where the file is, or would be put.
    pub(crate) path: PathBuf,
    pub(crate) present: bool,
}

/// Where each file of `published` is under `directory`, in its order. All are looked for in one folder: the first of
/// its folders that has any of them, or else the one where a download goes.
pub(crate) fn local_files(published: &Published, directory: &Path) -> Vec<LocalFile> {
    let all = |folder: &&str| -> Vec<LocalFile> {
        published.contents().map(|content| local_file(content, &directory.join(folder), published.packing)).collect()
    };
    let mut candidates = published.folders.iter().map(all);
    let first = candidates.next().unwrap_or_default();
    if first.iter().any(|file| file.present) {
        return first;
    }
    candidates.find(|files| files.iter().any(|file| file.present)).unwrap_or(first)
}

fn local_file(content: &'static Content, folder: &Path, packing: Packing) -> LocalFile {
    let present = spellings(content.name)
        .into_iter()
        .flat_map(|name| [folder.join(&name), folder.join(format!("{name}.gz"))])
        .find(|path| is_there(path));
    if let Some(path) = present {
        return LocalFile { content, path, present: true };
    }
    let name = match packing {
        Packing::Gzip => format!("{}.gz", content.name),
        _ => content.name.to_owned(),
    };
    LocalFile { content, path: folder.join(name), present: false }
}

/// Whether a file is there. One that this user may not look at counts: reading it then says so, and nobody calls it
/// missing.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// The names that a file may have: the published one, and `train-images.idx3-ubyte`, which some unpackers make of
/// `train-images-idx3-ubyte`.
fn spellings(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some((start, end)) = name.rsplit_once("-idx") {
        names.push(format!("{start}.idx{end}"));
    }
    names
}

/// The error that lists what is not there, if anything is not, with what lies there and has a similar name.
pub(crate) fn missing(published: &Published, files: &[LocalFile], directory: &Path) -> Option<MissingFiles> {
    let known: Vec<&Path> = files.iter().filter(|file| file.present).map(|file| file.path.as_path()).collect();
    let folders = published.folders.iter().map(|folder| directory.join(folder));
    let others: Vec<PathBuf> =
        folders.flat_map(|folder| files_in(&folder)).filter(|path| !known.contains(&path.as_path())).collect();
    let other_version = other_version(published, directory);
    // The files of another version have similar names, and hold something else.
    let alike = |content: &Content| others.iter().find(|path| other_version.is_none() && is_alike(content.name, path));
    let files: Vec<MissingFile> = files
        .iter()
        .filter(|file| !file.present)
        .map(|file| MissingFile {
            path: file.path.clone(),
            url: published.url(file.content),
            alike: alike(file.content).cloned(),
        })
        .collect();
    (!files.is_empty()).then(|| MissingFiles { data_set: published.name.to_owned(), files, other_version })
}

/// A version of the data set that is not read and lies in one of its folders: where, and what it is called.
fn other_version(published: &Published, directory: &Path) -> Option<(PathBuf, &'static str)> {
    let marks =
        published.other_versions.iter().flat_map(|version| version.marks.iter().map(|mark| (version.name, mark)));
    let places = marks.flat_map(|(name, mark)| published.folders.iter().map(move |folder| (name, folder, mark)));
    places.map(|(name, folder, mark)| (directory.join(folder).join(mark), name)).find(|(path, _)| path.exists())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Whether a file's name says the same as a published one but for case, separators and endings.
fn is_alike(published: &str, path: &Path) -> bool {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let stem = |name: &str| letters(name.split('.').next().unwrap_or(name));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    letters(&name).starts_with(&letters(published)) || stem(&name) == stem(published)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn with(variables: &[(&str, &str)], home: Option<&str>) -> Result<PathBuf> {
        let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        directory_from(value, home.map(PathBuf::from))
    }

    #[test]
    fn the_data_folder_is_the_given_one_then_the_cache_then_under_home() {
        let all = [("BACKPROOF_DATA_DIR", "data"), ("XDG_CACHE_HOME", "/cache")];
        assert_eq!(with(&all, Some("/home/a")).unwrap(), Path::new("data"));
        assert_eq!(with(&all[1..], Some("/home/a")).unwrap(), Path::new("/cache/backproof"));
        assert_eq!(with(&[], Some("/home/a")).unwrap(), Path::new("/home/a/.cache/backproof"));
        let odd = [("BACKPROOF_DATA_DIR", ""), ("XDG_CACHE_HOME", "relative")];
        assert_eq!(with(&odd, Some("/home/a")).unwrap(), Path::new("/home/a/.cache/backproof"));
        assert!(matches!(with(&[], None), Err(DataError::NoDirectory)));
        assert!(matches!(with(&odd, Some("")), Err(DataError::NoDirectory)));
    }

    #[test]
    fn files_are_found_in_every_layout_packed_or_not() {
        let published = source("mnist").unwrap().published().unwrap();
        for (folder, ending) in [("mnist", ".gz"), ("mnist", ""), ("MNIST/raw", ""), ("", ".gz")] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            for file in published.contents() {
                std::fs::write(folder.join(format!("{}{ending}", file.name)), "").unwrap();
            }
            let files = local_files(published, root.path());
            assert!(files.iter().all(|file| file.present && file.path.starts_with(&folder)));
            assert_eq!(missing(published, &files, root.path()), None);
        }
    }

    #[test]
    fn what_is_missing_is_looked_for_where_the_rest_is() {
        let cifar = source("cifar-10").unwrap();
        let published = cifar.published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let nothing = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        assert_eq!(nothing.files.len(), 6);
        let empty = data_set_directory(cifar, Some(root.path())).unwrap();
        assert_eq!(empty, Some(root.path().join("cifar-10/cifar-10-batches-bin")));
        assert_eq!(nothing.files[0].path, root.path().join("cifar-10/cifar-10-batches-bin/data_batch_1.bin"));
        let folder = root.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&folder).unwrap();
        for file in published.contents().take(5) {
            std::fs::write(folder.join(file.name), "").unwrap();
        }
        assert_eq!(data_set_directory(cifar, Some(root.path())).unwrap(), Some(folder.clone()));
        assert_eq!(data_set_directory(source("mnist-sample").unwrap(), None).unwrap(), None);
        let one = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        assert_eq!(
            one.files,
            [MissingFile {
                path: folder.join("test_batch.bin"),
                url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".to_owned(),
                alike: None,
            }]
        );
    }

    #[test]
    fn files_as_unpackers_name_them_are_found() {
        let published = source("mnist").unwrap().published().unwrap();
        let root = tempfile::tempdir().unwrap();
        for (file, ending) in published.contents().zip(["", ".gz", "", ".gz"]) {
            std::fs::write(root.path().join(format!("{}{ending}", file.name.replace("-idx", ".idx"))), "").unwrap();
        }
        let files = local_files(published, root.path());
        assert!(files.iter().all(|file| file.present), "{files:?}");
    }

    #[test]
    fn a_version_in_another_format_is_named_and_its_files_are_not_called_similar() {
        let published = source("cifar-10").unwrap().published().unwrap();
        let look = |root: &Path| missing(published, &local_files(published, root), root).unwrap();
        // As torchvision has it; and its folder, or an archive, as the data folder itself.
        for (folder, name, shown, version) in [
            ("cifar-10-batches-py", "data_batch_1", "cifar-10-batches-py", "Python version"),
            ("cifar-10/cifar-10-batches-py", "data_batch_1", "cifar-10/cifar-10-batches-py", "Python version"),
            ("", "batches.meta", "batches.meta", "Python version"),
            ("cifar-10", "cifar-10-python.tar.gz", "cifar-10/cifar-10-python.tar.gz", "Python version"),
            ("", "cifar-10-matlab.tar.gz", "cifar-10-matlab.tar.gz", "MATLAB version"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            for name in [name, "data_batch_2"] {
                std::fs::write(folder.join(name), "").unwrap();
            }
            let missing = look(root.path());
            assert_eq!(missing.other_version, Some((root.path().join(shown), version)));
            assert!(missing.files.iter().all(|file| file.alike.is_none()), "{missing:?}");
            let end = format!(
                "is the {version} of cifar-10, which Backproof does not read; it reads the binary version, \
                 cifar-10-binary.tar.gz"
            );
            assert!(missing.to_string().ends_with(&end), "{missing}");
        }
        let root = tempfile::tempdir().unwrap();
        assert_eq!(look(root.path()).other_version, None);
    }

    #[test]
    fn what_lies_there_under_a_similar_name_is_shown() {
        let published = source("mnist").unwrap().published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mnist");
        std::fs::create_dir(&folder).unwrap();
        for name in ["Train_Images_IDX3_ubyte", "train-labels-idx1-ubyte.zip", "t10k-images-idx3-ubyte", "notes.txt"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let missing = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        let alike: Vec<_> = missing.files.iter().map(|file| file.alike.clone()).collect();
        let there = |name: &str| Some(folder.join(name));
        assert_eq!(alike, [there("Train_Images_IDX3_ubyte"), there("train-labels-idx1-ubyte.zip"), None]);
    }
}
