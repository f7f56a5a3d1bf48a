//! Reading many image files on all cores.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use backproof_spec::{ImageFolder, ImageSource};

use crate::content::sha256;
use crate::picture::{Fit, Picture};
use crate::source::Watch;

/// Files that a thread takes at a time.
const CHUNK: usize = 8;

/// An image to read.
pub(super) struct Job<'a> {
    pub(super) path: PathBuf,
    /// Of a file that was read before: the SHA-256 of its bytes, why it could not be decoded, and its pixels.
    pub(super) known: Option<(String, Option<String>, &'a [u8])>,
}

/// An image that was read.
pub(super) struct Read {
    /// Of the bytes; empty where there were none.
    pub(super) sha256: String,
    pub(super) problem: Option<String>,
    pub(super) decoded: bool,
}

/// Reads every image, and gives the pixels of several at a time to `take`, in any order, with the number of the first;
/// zeros of those that cannot be read. `of_content` has the pixels of files that have the same bytes.
///
/// # Errors
///
/// What `take` could not do, or nothing where `watch` broke off.
pub(super) fn read_all<'a>(
    jobs: &[Job<'a>],
    folder: &ImageFolder,
    of_content: &(dyn Fn(&str) -> Option<&'a [u8]> + Sync),
    watch: Watch<'_>,
    take: &mut dyn FnMut(usize, Vec<Read>, Vec<u8>) -> std::io::Result<()>,
) -> Result<(), Option<std::io::Error>> {
    let threads = threads().min(jobs.len().div_ceil(CHUNK)).max(1);
    let next = AtomicUsize::new(0);
    let (send, receive) = sync_channel(2 * threads);
    thread::scope(|scope| {
        // What is received is dropped with this closure, so that no thread waits for ever to send when it has failed.
        let receive = receive;
        for _ in 0..threads {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let first = next.fetch_add(CHUNK, Ordering::Relaxed);
                    let Some(left) = jobs.get(first..).filter(|left| !left.is_empty()) else { break };
                    let mut pixels = Vec::new();
                    let chunk = left.iter().take(CHUNK);
                    let images: Vec<Read> = chunk.map(|job| read(job, folder, of_content, &mut pixels)).collect();
                    if send.send((first, images, pixels)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut done = 0;
        for (first, images, pixels) in &receive {
            done += images.len();
            take(first, images, pixels).map_err(Some)?;
            if let ControlFlow::Break(()) = watch(done, jobs.len()) {
                return Err(None);
            }
        }
        Ok(())
    })
}

/// Reads one image, and appends its pixels.
fn read<'a>(
    job: &Job<'a>,
    folder: &ImageFolder,
    of_content: &(dyn Fn(&str) -> Option<&'a [u8]> + Sync),
    pixels: &mut Vec<u8>,
) -> Read {
    let shape = folder.shape();
    if let Some((sha256, problem, old)) = &job.known {
        pixels.extend_from_slice(old);
        return Read { sha256: sha256.clone(), problem: problem.clone(), decoded: false };
    }
    let mut unreadable = |sha256: String, reason: String| {
        pixels.resize(pixels.len() + shape.elements(), 0);
        Read { sha256, problem: Some(reason), decoded: true }
    };
    let bytes = match Picture::bytes(&job.path) {
        Ok(bytes) => bytes,
        Err(error) => return unreadable(String::new(), error.without_path()),
    };
    let sha256 = sha256(&bytes);
    if let Some(old) = of_content(&sha256) {
        pixels.extend_from_slice(old);
        return Read { sha256, problem: None, decoded: false };
    }
    match Picture::decode(&job.path, &bytes, folder.background) {
        Ok(picture) => {
            let fit = Fit::of(&ImageSource::Folder(folder.clone()), shape);
            pixels.extend_from_slice(&picture.to_pixels(shape, fit));
            Read { sha256, problem: None, decoded: true }
        }
        Err(error) => unreadable(sha256, error.without_path()),
    }
}

/// As many threads as Rayon would use, so that the runs of a sweep share the cores here too.
fn threads() -> usize {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok()).filter(|&count| count > 0);
    asked.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
}
