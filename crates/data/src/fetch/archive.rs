//! Unpacking an archive of which only some files, known by name, size and SHA-256, are wanted.
//!
//! No entry is ever written to the path that it names: a wanted file goes to the path that *we* know for it. An
//! archive that holds a link, or a path that would leave the folder, is refused as a whole all the same: it is not the
//! published one.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use backproof_spec::counted;
use tar::{Archive, EntryType};
use tempfile::NamedTempFile;

use super::place::{keep_old, sync_folder, wrong_sum};
use crate::content::sha256;
use crate::error::{DataError, Result};
use crate::gunzip::Gunzip;
use crate::local::LocalFile;

/// An archive has at most so many entries.
const ENTRIES: usize = 100;
/// What an archive may unpack to beyond the files wanted: headers, folders, a page to read, the files not wanted.
const EXTRA: u64 = 1 << 20;

/// Puts the files `wanted` out of `folder` in the gzipped tar archive at `path` in their places. All of the archive is
/// read and checked before any is.
pub(crate) fn unpack(path: &Path, folder: &str, wanted: &[LocalFile]) -> Result<Vec<PathBuf>> {
    let problem = |entry: &str, problem: String| DataError::Archive {
        path: path.to_path_buf(),
        entry: entry.to_owned(),
        problem,
    };
    let damaged = |error: std::io::Error| problem("(whole)", format!("cannot be read: {error}"));
    let file = File::open(path).map_err(DataError::io("read", path))?;
    let most = most(wanted);
    let mut archive = Archive::new(Gunzip::new(path.display().to_string(), BufReader::new(file)).take(most));
    let mut found: Vec<(&LocalFile, NamedTempFile)> = Vec::new();
    for (count, entry) in archive.entries().map_err(damaged)?.enumerate() {
        let mut entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.into_owned();
        let shown = name.display().to_string();
        if count >= ENTRIES {
            return Err(problem(&shown, format!("more than {ENTRIES} entries")));
        }
        if !stays_inside(&name) {
            return Err(problem(&shown, "leaves the folder".to_owned()));
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory => continue,
            other => return Err(problem(&shown, format!("neither a file nor a folder: {other:?}"))),
        }
        let Some(local) = wanted.iter().find(|local| name == Path::new(folder).join(local.content.name)) else {
            continue;
        };
        if found.iter().any(|(other, _)| other.content.name == local.content.name) {
            return Err(problem(&shown, "comes twice".to_owned()));
        }
        let size = local.content.size;
        if entry.size() != size {
            return Err(problem(&shown, format!("{}, expected {size}", counted(entry.size(), "byte"))));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        let sum = sha256(&bytes);
        if let Some(published) = local.content.sha256().filter(|published| *published != sum) {
            return Err(wrong_sum(&shown, published, &sum));
        }
        found.push((local, write(local, &bytes)?));
    }
    if let Some(lacking) = wanted.iter().find(|local| !found.iter().any(|(f, _)| f.content.name == local.content.name))
    {
        return Err(problem(lacking.content.name, "is not in the archive".to_owned()));
    }
    let mut paths = Vec::new();
    for (local, temporary) in found {
        let target = local.path.with_file_name(local.content.name);
        keep_old(local)?;
        temporary.persist(&target).map_err(|error| DataError::io("write", &target)(error.error))?;
        sync_folder(&target);
        paths.push(target);
    }
    Ok(paths)
}

/// The most bytes that are unpacked of an archive with these files: ten files of the largest size, since the files that
/// are here already, and so are not wanted, are unpacked too (CIFAR-10 has six).
fn most(wanted: &[LocalFile]) -> u64 {
    let largest = wanted.iter().map(|local| local.content.size).max().unwrap_or(0);
    let padded = largest.div_ceil(512) * 512 + 512;
    padded * 10 + EXTRA
}

/// Whether a path has neither a root nor a step up.
fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Writes `bytes` to a temporary file beside their place, down to the disk.
pub(super) fn write(local: &LocalFile, bytes: &[u8]) -> Result<NamedTempFile> {
    let folder = local.path.parent().unwrap_or(Path::new("."));
    let failed = || DataError::io("write", &local.path);
    let mut file = tempfile::Builder::new().prefix(".unpacking-").tempfile_in(folder).map_err(failed())?;
    #[cfg(unix)]
    {
        // A temporary file is private; data is not.
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(failed())?;
    }
    file.write_all(bytes).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    Ok(file)
}
