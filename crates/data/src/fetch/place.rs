//! Putting a downloaded file in its place.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::content::{read, sha256, sha256_of_file};
use crate::error::{DataError, Result};
use crate::gunzip::GZIP;
use crate::local::LocalFile;
use crate::published::Sum;

/// The error for content that is not the published content.
pub(super) fn wrong_sum(name: &str, expected: &str, found: &str) -> DataError {
    DataError::format(name, "SHA-256", expected, found)
}

/// Checks the content of `part` and puts it in its place: under its name if the server unpacked it on the way, which
/// some do, and else with `.gz`.
pub(super) fn put_file(part: &Path, local: &LocalFile) -> Result<PathBuf> {
    let content = read(part, local.content.size)?;
    let (expected, sum) = match local.content.sum {
        Sum::Content(expected) => (expected, sha256(&content)),
        Sum::Packed(expected) => (expected, sha256_of_file(part)?),
        Sum::OfArchive => ("none, since it comes in an archive", sha256(&content)),
    };
    if sum != expected {
        return Err(wrong_sum(local.content.name, expected, &sum));
    }
    let mut start = [0; 2];
    let mut file = File::open(part).map_err(DataError::io("read", part))?;
    let packed = file.read_exact(&mut start).is_ok() && start == GZIP;
    let ending = if packed { ".gz" } else { "" };
    let target = part.with_file_name(format!("{}{ending}", local.content.name));
    keep_old(local)?;
    std::fs::rename(part, &target).map_err(DataError::io("write", &target))?;
    sync_folder(&target);
    Ok(target)
}

/// Moves a file that is there, but is not the published one, aside.
pub(super) fn keep_old(local: &LocalFile) -> Result<()> {
    if !local.present {
        return Ok(());
    }
    let mut name = local.path.file_name().unwrap_or_default().to_owned();
    name.push(".replaced");
    let aside = local.path.with_file_name(name);
    tracing::warn!("`{}` is not the published file; kept as `{}`", local.path.display(), aside.display());
    std::fs::rename(&local.path, &aside).map_err(DataError::io("rename", &local.path))
}

/// Flushes the folder of `file`, so that a renamed file stays renamed when the power fails. Not every system can; then
/// the worst is a download more.
pub(super) fn sync_folder(file: &Path) {
    if let Some(folder) = file.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}
