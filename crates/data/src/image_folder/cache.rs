//! The pixels of a folder's images in one file, so that they are decoded once.
//!
//! ```text
//! pixels of image 0 │ pixels of image 1 │ … │ contents, as JSON │ their length, 8 bytes │ MAGIC
//! ```
//!
//! The contents say of each image its path, the size and the time of its file, and the SHA-256 of its bytes. An image is
//! taken from the cache if its file has the same size and time, or else the same bytes. Images of which neither is so are
//! decoded, and the cache is written anew: to a file beside it, which takes its name when it is whole. So several
//! processes can do this at once, and a process that has mapped the old file keeps it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backproof_spec::{ImageFolder, Shape};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::listed::Listing;
use super::reading::{Job, Read as ReadImage, read_all};
use crate::content::sha256;
use crate::error::{DataError, Result};
use crate::folder::directory;
use crate::images::Pixels;
use crate::source::Watch;

const MAGIC: &[u8; 16] = b"backproof images";
/// Changes where the same file gives other pixels.
const VERSION: u32 = 2;
/// Within this time of the last change of a file, another change may leave its time as it is.
const CLOCK: Duration = Duration::from_secs(2);
/// How files are called that are being written. Those that a kill left are removed after a day.
const UNFINISHED: &str = ".unfinished-";
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The images of a folder, decoded.
pub(super) struct Cache {
    pub(super) pixels: Arc<Pixels>,
    /// Of each image of the listing, in its order.
    pub(super) rows: Vec<Row>,
    pub(super) path: PathBuf,
    /// How many were decoded now.
    pub(super) decoded: usize,
}

/// What the contents of a cache say of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    path: PathText,
    size: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    /// Of the bytes; empty of a file that could not be read.
    pub(super) sha256: String,
    /// Why there are no pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// A path of any bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum PathText {
    Text(String),
    Bytes(Vec<u8>),
}

impl PathText {
    fn of(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Contents {
    settings: String,
    /// When the reading began, in nanoseconds since 1970.
    began: u64,
    rows: Vec<Row>,
}

/// A cache as it lies on the disk.
struct Opened {
    map: Mmap,
    contents: Contents,
}

impl Cache {
    /// The images of `listing`, decoded as `folder` says; from the cache under the folder `data_dir` or the default one
    /// as far as it has them.
    pub(super) fn of(
        listing: &Listing,
        folder: &ImageFolder,
        data_dir: Option<&Path>,
        watch: Watch<'_>,
    ) -> Result<Self> {
        let settings = settings(folder);
        let path = place(folder, &settings, data_dir)?;
        let began = now();
        let files: Vec<(PathText, u64, u64)> = listing
            .files
            .iter()
            .map(|file| {
                let (size, modified) = state(&listing.root.join(&file.path));
                (PathText::of(&file.path), size, modified)
            })
            .collect();
        let old = Opened::at(&path, &settings, folder.shape());
        let known = old.as_ref().map_or_else(|| vec![None; files.len()], |old| old.known(&files));
        let is_whole = known.iter().enumerate().all(|(at, known)| *known == Some(at));
        match old {
            Some(Opened { map, contents }) if is_whole && contents.rows.len() == files.len() => {
                Ok(Self { pixels: Arc::new(Pixels::Mapped(map)), rows: contents.rows, path, decoded: 0 })
            }
            old => Self::build(listing, folder, &files, old, known, (path, settings, began), watch),
        }
    }

    /// Writes the cache anew.
    fn build(
        listing: &Listing,
        folder: &ImageFolder,
        files: &[(PathText, u64, u64)],
        old: Option<Opened>,
        known: Vec<Option<usize>>,
        (path, settings, began): (PathBuf, String, u64),
        watch: Watch<'_>,
    ) -> Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(DataError::io("create", directory))?;
        remove_unfinished(directory);
        let mut unfinished = tempfile::Builder::new();
        unfinished.prefix(UNFINISHED);
        // Not for this user alone, as temporary files are otherwise: several may share a data folder.
        #[cfg(unix)]
        unfinished.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut unfinished = unfinished.tempfile_in(directory).map_err(DataError::io("create a file in", directory))?;
        let size = folder.shape().elements();
        let by_content: HashMap<&str, usize> = old.iter().flat_map(Opened::readable).collect();
        let old_pixels = |at: usize| old.as_ref().map(|old| &old.map[at * size..][..size]);
        let jobs = listing.files.iter().zip(&known).map(|(file, known)| Job {
            path: listing.root.join(&file.path),
            known: known.and_then(|at| {
                let row = &old.as_ref()?.contents.rows[at];
                Some((row.sha256.clone(), row.problem.clone(), old_pixels(at)?))
            }),
        });
        let jobs: Vec<Job<'_>> = jobs.collect();
        let of_content = |sha256: &str| by_content.get(sha256).and_then(|&at| old_pixels(at));
        let mut rows: Vec<Option<Row>> = vec![None; files.len()];
        let mut decoded = 0;
        let written = |error, file: &NamedTempFile| DataError::io("write", file.path())(error);
        let read = read_all(&jobs, folder, &of_content, watch, &mut |first, images: Vec<ReadImage>, pixels| {
            for (at, image) in (first..).zip(images) {
                let (path, size, modified) = files[at].clone();
                decoded += usize::from(image.decoded);
                rows[at] = Some(Row { path, size, modified, sha256: image.sha256, problem: image.problem });
            }
            unfinished.seek(SeekFrom::Start((first * size) as u64))?;
            unfinished.write_all(&pixels)
        });
        read.map_err(|failed| failed.map_or(DataError::Stopped, |error| written(error, &unfinished)))?;
        let contents = Contents { settings, began, rows: rows.into_iter().flatten().collect() };
        let finished = unfinished.seek(SeekFrom::End(0)).and_then(|_| finish(unfinished.as_file_mut(), &contents));
        finished.map_err(|error| written(error, &unfinished))?;
        // The old map is closed first: not every system replaces a file that is mapped.
        drop((jobs, by_content));
        drop(old);
        let file = unfinished.persist(&path).map_err(|error| DataError::io("write", &path)(error.error))?;
        let map = map(&file).map_err(DataError::io("map", &path))?;
        Ok(Self { pixels: Arc::new(Pixels::Mapped(map)), rows: contents.rows, path, decoded })
    }
}

/// Writes what follows the pixels.
fn finish(file: &mut File, contents: &Contents) -> std::io::Result<()> {
    let text = serde_json::to_vec(contents)?;
    file.write_all(&text)?;
    file.write_all(&(text.len() as u64).to_le_bytes())?;
    file.write_all(MAGIC)?;
    file.sync_all()
}

impl Opened {
    /// The cache at `path`; `None` if there is none, or not a whole one of these settings.
    fn at(path: &Path, settings: &str, shape: Shape) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let end = length.checked_sub(24)?;
        file.seek(SeekFrom::Start(end)).ok()?;
        let mut last = [0; 24];
        file.read_exact(&mut last).ok()?;
        let (of_contents, magic) = last.split_first_chunk::<8>()?;
        let start = end.checked_sub(u64::from_le_bytes(*of_contents)).filter(|_| magic == MAGIC)?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut text = Vec::new();
        Read::by_ref(&mut file).take(end - start).read_to_end(&mut text).ok()?;
        let contents: Contents = serde_json::from_slice(&text).ok()?;
        let pixels = (contents.rows.len() as u64).checked_mul(shape.elements() as u64)?;
        (contents.settings == settings && pixels == start).then_some(())?;
        Some(Self { map: map(&file).ok()?, contents })
    }

    /// Which row each of `files` has here, where the file has not changed since.
    fn known(&self, files: &[(PathText, u64, u64)]) -> Vec<Option<usize>> {
        let rows = self.contents.rows.iter().enumerate();
        let by_path: HashMap<&PathText, usize> = rows.map(|(at, row)| (&row.path, at)).collect();
        let began = self.contents.began;
        let of_file = |(path, size, modified): &(PathText, u64, u64)| {
            let at = *by_path.get(path)?;
            let row = &self.contents.rows[at];
            // What could not be read may be readable now, whatever its time; unless it is not there.
            let is_sure = !row.sha256.is_empty() || (*size, *modified) == (0, 0);
            let is_old = modified.saturating_add(CLOCK.as_nanos() as u64) < began;
            (is_sure && is_old && (row.size, row.modified) == (*size, *modified)).then_some(at)
        };
        files.iter().map(of_file).collect()
    }

    /// The images that have pixels, by their content.
    fn readable(&self) -> impl Iterator<Item = (&str, usize)> {
        let rows = self.contents.rows.iter().enumerate().filter(|(_, row)| row.problem.is_none());
        rows.map(|(at, row)| (row.sha256.as_str(), at))
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the bytes of a map may not change while they are borrowed. Nobody writes into a cache: a new one is another
    // file, which takes the name of the old one.
    unsafe { Mmap::map(file) }
}

/// Everything but the files that the pixels depend on.
fn settings(folder: &ImageFolder) -> String {
    let ImageFolder { resize, background, .. } = folder;
    format!("version {VERSION}, {}, {}, {background}", folder.shape(), resize.name())
}

/// Where the cache of a folder with these settings is.
fn place(folder: &ImageFolder, settings: &str, data_dir: Option<&Path>) -> Result<PathBuf> {
    let whole = fs::canonicalize(&folder.path).unwrap_or_else(|_| PathBuf::from(&folder.path));
    let key = [whole.as_os_str().as_encoded_bytes(), b"\0", settings.as_bytes()].concat();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let name: String = folder.name().chars().take(40).map(plain).collect();
    Ok(directory(data_dir)?.join("images").join(format!("{name}-{}.pixels", &sha256(&key)[..16])))
}

/// Size and time of a file; zeros of one that is not there.
fn state(path: &Path) -> (u64, u64) {
    let Ok(metadata) = fs::metadata(path) else { return (0, 0) };
    (metadata.len(), metadata.modified().map_or(u64::MAX, nanoseconds))
}

fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Removes what processes that were killed left. What another process writes now is younger.
fn remove_unfinished(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_unfinished && age.is_some_and(|age| age > A_DAY) {
            // Somebody else may have done it.
            let _ = fs::remove_file(entry.path());
        }
    }
}
