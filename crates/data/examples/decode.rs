//! Decodes every image below a folder on all cores and does nothing else with it, or makes the cache of a folder at
//! 64×64 pixels, to compare the two; `bench/reading.py` runs both by turns:
//!
//! ```sh
//! cargo run --release -p backproof-data --example decode -- FOLDER          # decodes
//! cargo run --release -p backproof-data --example decode -- FOLDER CACHE    # decodes into a cache in the folder CACHE
//! ```

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use backproof_data::{Picture, load_images};
use backproof_spec::{Color, ImageFolder, ImageSource, Resize, Size2};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: decode FOLDER [CACHE]");
    match arguments.next() {
        Some(data_dir) => cache(folder, Path::new(&data_dir)),
        None => decode(Path::new(&folder)),
    }
}

fn cache(folder: String, data_dir: &Path) {
    let folder = ImageFolder {
        path: folder,
        size: Size2::new(64, 64),
        channels: 3,
        resize: Resize::Crop,
        background: Color::WHITE,
        test_fraction: 0.2,
        skip_unreadable: false,
    };
    let began = Instant::now();
    let loaded = load_images(&ImageSource::Folder(folder), Some(data_dir), 0).unwrap_or_else(|error| panic!("{error}"));
    let files = loaded.training.len() + loaded.test.len();
    println!("{files} files into a cache: {:.2} s", began.elapsed().as_secs_f64());
}

fn decode(folder: &Path) {
    let mut files = Vec::new();
    list(folder, &mut files);
    let (next, pixels) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Ok(picture) = Picture::read(file, Color::WHITE) {
                        let (width, height) = picture.size();
                        pixels.fetch_add(width * height, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    println!("{} files, {} pixels: {seconds:.2} s", files.len(), pixels.into_inner());
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder that can be read").flatten() {
        if entry.path().is_dir() {
            list(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}
