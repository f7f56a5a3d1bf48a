//! Where data lies on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{DataError, Result};
use crate::local::local_files;
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

/// The folder that has every file of `source`, under the folder `data_dir` or [`default_directory`]; their content is
/// not looked at. None where a file is missing, and for a data set that is part of the program.
///
/// # Errors
///
/// If there is no folder to look in.
pub fn complete_in(source: &dyn Source, data_dir: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(published) = source.published() else { return Ok(None) };
    let files = local_files(published, &directory(data_dir)?);
    let is_whole = files.iter().all(|file| file.present);
    let folder = files.first().and_then(|file| file.path.parent()).map(Path::to_path_buf);
    Ok(folder.filter(|_| is_whole))
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
}
