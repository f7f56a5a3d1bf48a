//! Where data lies on this machine.

use std::ffi::OsString;
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
    let plain = folder.join(content.name);
    let packed = folder.join(format!("{}.gz", content.name));
    let is_published_packed = matches!(packing, Packing::Gzip);
    if plain.is_file() {
        LocalFile { content, path: plain, present: true }
    } else if packed.is_file() {
        LocalFile { content, path: packed, present: true }
    } else {
        LocalFile { content, path: if is_published_packed { packed } else { plain }, present: false }
    }
}

/// The error that lists what is not there, if anything is not.
pub(crate) fn missing(published: &Published, files: &[LocalFile]) -> Option<MissingFiles> {
    let files: Vec<MissingFile> = files
        .iter()
        .filter(|file| !file.present)
        .map(|file| MissingFile { path: file.path.clone(), url: published.url(file.content) })
        .collect();
    (!files.is_empty()).then(|| MissingFiles { data_set: published.name.to_owned(), files })
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
            assert_eq!(missing(published, &files), None);
        }
    }

    #[test]
    fn what_is_missing_is_looked_for_where_the_rest_is() {
        let cifar = source("cifar-10").unwrap();
        let published = cifar.published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let nothing = missing(published, &local_files(published, root.path())).unwrap();
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
        let one = missing(published, &local_files(published, root.path())).unwrap();
        assert_eq!(
            one.files,
            [MissingFile {
                path: folder.join("test_batch.bin"),
                url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".to_owned(),
            }]
        );
    }
}
