//! Downloading a data set: resumed, checked, and written whole or not at all.
//!
//! A file grows under the name `….part` beside its place. When its content has the published SHA-256 it is flushed to
//! the disk and renamed; until then nothing has its final name. Where no SHA-256 of a file is published, that of the
//! archive or of the packed file is checked. A `.part` that a cut connection or a killed process
//! leaves is continued with an HTTP range, and thrown away if its checksum is wrong. One lock for the data folder keeps
//! two processes from writing the same `.part`.

mod archive;
mod http;
mod options;
mod place;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
mod zipped;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::content::sha256_of_file;
use crate::error::{DataError, FetchFailure, Result};
use crate::local::{LocalFile, local_files, published_files};
use crate::published::{Packing, Published};
use crate::source::Source;
use crate::verify::{FileState, state};
use http::{Attempt, Client, Outcome};
pub use options::{FetchOptions, FetchReport, Progress};
use place::{put_file, wrong_sum};

#[cfg(any(fuzzing, test))]
pub(crate) use archive::unpack;

/// Downloads what is missing of `source`, or is there without the published content; such a file is kept beside its
/// place as `NAME.replaced`. If another version is there with all of the published content, nothing is missing. Nothing
/// of a data set that is part of the program is missing.
///
/// # Errors
///
/// If no mirror gives a file with the published content (the error says what each gave instead), or the disk does not
/// take it.
pub fn fetch(
    source: &dyn Source,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FetchReport> {
    match source.published() {
        Some(published) => fetch_published(published, options, progress),
        None => Ok(FetchReport { fetched: Vec::new(), present: Vec::new() }),
    }
}

fn fetch_published(
    published: &Published,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<FetchReport> {
    std::fs::create_dir_all(&options.directory).map_err(DataError::io("create", &options.directory))?;
    let _lock = lock(&options.directory, progress)?;
    // Only now: another process may have fetched it while this one waited.
    let (mut present, mut wanted) = divided(published, local_files(published, &options.directory));
    if !wanted.is_empty() {
        // A part of another version is of no use to a download.
        (present, wanted) = divided(published, published_files(published, &options.directory));
    }
    for local in &present {
        progress(Progress::Present { file: local.content.name });
    }
    if let Some(folder) = wanted.first().and_then(|local| local.path.parent()) {
        std::fs::create_dir_all(folder).map_err(DataError::io("create", folder))?;
    }
    let mut fetched = Vec::new();
    match published.packing {
        Packing::Gzip | Packing::Plain => {
            for local in &wanted {
                let packed = matches!(published.packing, Packing::Gzip);
                let name = format!("{}{}", local.content.name, if packed { ".gz" } else { "" });
                // What does not get smaller by gzip gets a little larger.
                let most = local.content.size + local.content.size / 1_000 + 1_024;
                let put = |part: &Path| put_file(part, local);
                fetched.push(download(published, options, &name, most, &local.path, put, progress)?);
            }
        }
        Packing::TarGz { name, size, sha256, folder } | Packing::Zip { name, size, sha256, folder } => {
            if let Some(first) = wanted.first() {
                let archive = first.path.with_file_name(name);
                let is_shared = matches!(published.packing, Packing::Zip { .. });
                let unpack = |archive: &Path| {
                    let sum = sha256_of_file(archive)?;
                    if sum != sha256 {
                        return Err(wrong_sum(name, sha256, &sum));
                    }
                    if is_shared {
                        zipped::unpack(archive, folder, &wanted)
                    } else {
                        archive::unpack(archive, folder, &wanted)
                    }
                };
                fetched = if archive.is_file() {
                    // Somebody downloaded it by other means, and it stays theirs.
                    progress(Progress::Checking { file: name });
                    unpack(&archive)?
                } else {
                    let put = |part: &Path| {
                        let files = unpack(part)?;
                        if is_shared {
                            // Other data sets are in it too.
                            std::fs::rename(part, &archive).map_err(DataError::io("write", &archive))?;
                        } else {
                            std::fs::remove_file(part).map_err(DataError::io("remove", part))?;
                        }
                        Ok(files)
                    };
                    download(published, options, name, size, &archive, put, progress)?
                };
            }
        }
    }
    Ok(FetchReport { fetched, present: present.into_iter().map(|local| local.path).collect() })
}

/// The files that are there, and those that are wanted.
fn divided(published: &Published, files: Vec<LocalFile>) -> (Vec<LocalFile>, Vec<LocalFile>) {
    let is_here = |file: &LocalFile| matches!(state(published, file), FileState::Published | FileState::Unknown { .. });
    files.into_iter().partition(is_here)
}

/// Holds the lock of the data folder until the file is dropped, or the process ends however it ends.
fn lock(directory: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<File> {
    let path = directory.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(DataError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress::Waiting { lock: &path });
            file.lock().map_err(DataError::io("lock", &path))?;
        }
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
            tracing::warn!("this file system has no locks: do not download twice at a time");
        }
        Err(TryLockError::Error(error)) => return Err(DataError::io("lock", &path)(error)),
    }
    Ok(file)
}

/// Downloads `name` of at most `most` bytes beside `target` and hands it to `put`, which checks it and puts it in its
/// place. Goes over the mirrors until one gives it.
fn download<T>(
    published: &Published,
    options: &FetchOptions,
    name: &str,
    most: u64,
    target: &Path,
    put: impl Fn(&Path) -> Result<T>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<T> {
    /// A mirror that sends wrong content this often is not asked again.
    const WRONG: u32 = 2;
    /// However often a connection breaks, this is the end.
    const ROUNDS: u32 = 100;

    let client = Client::new(options);
    let part = target.with_file_name(format!("{name}.part"));
    let mirrors = published.mirrors.iter().map(|&mirror| mirror.to_owned());
    let bases = options.mirrors.clone().unwrap_or_else(|| mirrors.collect());
    let mut mirrors: Vec<(String, u32)> = bases.iter().map(|base| (format!("{base}{name}"), 0)).collect();
    let mut tried: Vec<(String, String)> = Vec::new();
    let (mut fruitless, mut pause) = (0, options.backoff);
    for round in 0..ROUNDS {
        if mirrors.is_empty() || fruitless >= options.attempts {
            break;
        }
        if round > 0 {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(30));
        }
        let mut advanced = false;
        let mut index = 0;
        while let Some((url, wrong)) = mirrors.get_mut(index) {
            let attempt = Attempt { file: name, url, part: &part, most, packing: published.packing };
            let (reason, keep) = match client.attempt(&attempt, progress)? {
                Outcome::Complete => {
                    progress(Progress::Checking { file: name });
                    match put(&part) {
                        Ok(done) => {
                            progress(Progress::Finished { file: name });
                            return Ok(done);
                        }
                        Err(error @ DataError::Io { .. }) => return Err(error),
                        Err(error) => {
                            std::fs::remove_file(&part).map_err(DataError::io("remove", &part))?;
                            *wrong += 1;
                            (error.to_string(), *wrong < WRONG)
                        }
                    }
                }
                Outcome::Interrupted { reason, advanced: further } => {
                    advanced |= further;
                    (reason, true)
                }
                Outcome::Refused { reason } => (reason, false),
            };
            progress(Progress::Failed { file: name, url, reason: &reason });
            let failure = (url.clone(), reason);
            if !tried.contains(&failure) {
                tried.push(failure);
            }
            if keep {
                index += 1;
            } else {
                mirrors.remove(index);
            }
        }
        if advanced {
            pause = options.backoff;
        } else {
            fruitless += 1;
        }
    }
    Err(FetchFailure { file: name.to_owned(), path: target.to_path_buf(), tried }.into())
}
