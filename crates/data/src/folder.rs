//! Where data lies on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use backproof_spec::Dataset;

use crate::error::{DataError, MissingFile, MissingFiles, Result};
use crate::sources::{Content, Source};

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

/// The folder where the files of `dataset` are, or would be put, under the folder `data_dir` or [`default_directory`]; none
/// for a data set that is part of the program. It need not exist.
///
/// # Errors
///
/// If there is no folder to look in.
pub fn dataset_directory(dataset: Dataset, data_dir: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(source) = Source::of(dataset) else {
        return Ok(None);
    };
    let places = places(source, &directory(data_dir)?);
    Ok(places.first().and_then(|place| place.path.parent()).map(Path::to_path_buf))
}

/// A file of a data set on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) content: &'static Content,
    /// Where the file is, or would be put.
    pub(crate) path: PathBuf,
    pub(crate) present: bool,
}

/// Where each file of `source` is under `directory`, in the order of the source. All are looked for in one folder: the
/// first of the source's folders that has any of them, or else the one where a download goes.
pub(crate) fn places(source: &'static Source, directory: &Path) -> Vec<Place> {
    let all = |folder: &&str| -> Vec<Place> {
        source.files.iter().map(|content| place(content, &directory.join(folder), source)).collect()
    };
    let mut candidates = source.folders.iter().map(all);
    let first = candidates.next().unwrap_or_default();
    if first.iter().any(|place| place.present) {
        return first;
    }
    candidates.find(|places| places.iter().any(|place| place.present)).unwrap_or(first)
}

fn place(content: &'static Content, folder: &Path, source: &Source) -> Place {
    let plain = folder.join(content.name);
    let packed = folder.join(format!("{}.gz", content.name));
    let is_published_packed = matches!(source.packing, crate::sources::Packing::Gzip);
    if plain.is_file() {
        Place { content, path: plain, present: true }
    } else if packed.is_file() {
        Place { content, path: packed, present: true }
    } else {
        Place { content, path: if is_published_packed { packed } else { plain }, present: false }
    }
}

/// The error that lists what is not there, if anything is not.
pub(crate) fn missing(source: &Source, places: &[Place]) -> Option<MissingFiles> {
    let files: Vec<MissingFile> = places
        .iter()
        .filter(|place| !place.present)
        .map(|place| MissingFile { path: place.path.clone(), url: source.url(place.content) })
        .collect();
    (!files.is_empty()).then_some(MissingFiles { dataset: source.dataset, files })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let source = Source::of(Dataset::Mnist).unwrap();
        for (folder, ending) in [("mnist", ".gz"), ("mnist", ""), ("MNIST/raw", ""), ("", ".gz")] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            for file in source.files {
                std::fs::write(folder.join(format!("{}{ending}", file.name)), "").unwrap();
            }
            let places = places(source, root.path());
            assert!(places.iter().all(|place| place.present && place.path.starts_with(&folder)));
            assert_eq!(missing(source, &places), None);
        }
    }

    #[test]
    fn what_is_missing_is_looked_for_where_the_rest_is() {
        let source = Source::of(Dataset::Cifar10).unwrap();
        let root = tempfile::tempdir().unwrap();
        let nothing = missing(source, &places(source, root.path())).unwrap();
        assert_eq!(nothing.files.len(), 6);
        let empty = dataset_directory(Dataset::Cifar10, Some(root.path())).unwrap();
        assert_eq!(empty, Some(root.path().join("cifar-10/cifar-10-batches-bin")));
        assert_eq!(nothing.files[0].path, root.path().join("cifar-10/cifar-10-batches-bin/data_batch_1.bin"));
        let folder = root.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&folder).unwrap();
        for file in &source.files[..5] {
            std::fs::write(folder.join(file.name), "").unwrap();
        }
        assert_eq!(dataset_directory(Dataset::Cifar10, Some(root.path())).unwrap(), Some(folder.clone()));
        assert_eq!(dataset_directory(Dataset::MnistSample, None).unwrap(), None);
        let one = missing(source, &places(source, root.path())).unwrap();
        assert_eq!(
            one.files,
            [MissingFile {
                path: folder.join("test_batch.bin"),
                url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".to_owned(),
            }]
        );
    }
}
