//! The files that `--json` and `--write` ask for.

use std::path::{Path, PathBuf};

use anyhow::Context;
use backproof_train::{write_file, write_json};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::{BenchError, Request};

/// Whether the files could be written, before an hour is spent on what goes into them.
///
/// # Errors
///
/// A folder that is not there and cannot be made.
pub(crate) fn check(request: &Request) -> anyhow::Result<()> {
    let beside = request.json.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    for folder in [beside, request.write.as_deref()].into_iter().flatten() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(())
}

/// Writes what was asked for; gives the new folder, where one was asked for.
///
/// # Errors
///
/// Files that cannot be written.
pub(crate) fn write(request: &Request, results: &impl Serialize, markdown: &str) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = &request.json {
        write_file(path, serde_json::to_string_pretty(results)?.as_bytes())?;
    }
    let Some(folder) = &request.write else { return Ok(None) };
    let folder = new_folder(folder)?;
    write_json(&folder.join("results.json"), results)?;
    write_file(&folder.join("results.md"), markdown.as_bytes())?;
    Ok(Some(folder))
}

/// A folder that is named after the time, `2026-01-31T0930Z`; one that is there already is not written into.
fn new_folder(parent: &Path) -> anyhow::Result<PathBuf> {
    let now = OffsetDateTime::now_utc();
    let minute = now.format(format_description!("[year]-[month]-[day]T[hour][minute]Z"))?;
    let second = now.format(format_description!("[year]-[month]-[day]T[hour][minute][second]Z"))?;
    for name in [minute, second] {
        let folder = parent.join(name);
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make the folder {}", folder.display())),
        }
    }
    Err(BenchError::failed(format!("{} already has a folder for this second", parent.display())).into())
}
