//! Taking files out of a zip archive that several data sets share.
//!
//! As with a tar archive, no file goes to a path that the archive names. A file of it is gzipped and stays so.

use std::path::{Path, PathBuf};

use backproof_arrays::{Budget, zip};

use super::archive::write;
use super::place::{keep_old, sync_folder};
use crate::content::gunzip;
use crate::error::{DataError, Result};
use crate::local::LocalFile;

/// Puts the files `wanted` out of `folder` in the zip archive at `path` in their places, gzipped as they are. All of
/// them are read, and their sizes checked, before any is. The archive's checksum is the caller's to check.
pub(super) fn unpack(path: &Path, folder: &str, wanted: &[LocalFile]) -> Result<Vec<PathBuf>> {
    let problem = |entry: &str, problem: String| DataError::Archive {
        path: path.to_path_buf(),
        entry: entry.to_owned(),
        problem,
    };
    let whole = std::fs::read(path).map_err(DataError::io("read", path))?;
    let members = zip::members(&whole).map_err(|error| problem("(whole)", error.to_string()))?;
    let mut found = Vec::new();
    for local in wanted {
        let entry = format!("{folder}/{}.gz", local.content.name);
        let Some(member) = members.iter().find(|member| member.name == entry) else {
            return Err(problem(&entry, "is not in the archive".to_owned()));
        };
        // What does not get smaller by gzip gets a little larger.
        let most = local.content.size + local.content.size / 1_000 + 1_024;
        let packed = member.unpacked(&mut Budget::of(most)).map_err(|error| problem(&entry, error.to_string()))?;
        gunzip(&entry, &packed, local.content.size)?;
        found.push((local, write(local, &packed)?));
    }
    let mut paths = Vec::new();
    for (local, temporary) in found {
        let target = local.path.with_file_name(format!("{}.gz", local.content.name));
        keep_old(local)?;
        temporary.persist(&target).map_err(|error| DataError::io("write", &target)(error.error))?;
        sync_folder(&target);
        paths.push(target);
    }
    Ok(paths)
}
