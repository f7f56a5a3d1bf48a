//! How long it takes to decode every image below a folder, on all cores, and to do nothing else with it:
//!
//! ```sh
//! cargo run --release -p backproof-data --example decode -- FOLDER
//! ```

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use backproof_data::Picture;
use backproof_spec::Color;

fn main() {
    let folder = std::env::args().nth(1).expect("usage: decode FOLDER");
    let mut files = Vec::new();
    list(Path::new(&folder), &mut files);
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
