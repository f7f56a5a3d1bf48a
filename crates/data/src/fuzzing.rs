//! What the fuzzer calls: each parser on any bytes, with what it promises. The functions panic where a promise is
//! broken.
//!
//! The targets in `fuzz/` call them for hours; the tests here replay the corpus, and changes of it, in every build.

use std::path::Path;

use backproof_spec::{Color, Resize, Shape};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::content::gunzip;
use crate::fetch::unpack;
use crate::formats::{cifar, idx};
use crate::local::LocalFile;
use crate::picture::{Fit, Picture};
use crate::published::{Content, Sum};

/// IDX images and labels: what is read is as long as the file says and is, and every label is in range.
pub fn idx(bytes: &[u8]) {
    if let Ok(images) = idx::images("fuzz", bytes.to_vec()) {
        assert_eq!(images.pixels.len() + 16, bytes.len());
    }
    if let Ok(labels) = idx::labels("fuzz", bytes.to_vec(), 0, 10) {
        assert!(labels.iter().all(|&label| label < 10));
        assert_eq!(labels.len() + 8, bytes.len());
    }
}

/// CIFAR records of 2×2 pixels, so that short inputs hold several.
pub fn cifar(bytes: &[u8]) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let (format, shape) = (&cifar::CifarRecords::TEN, Shape::image(3, 2, 2));
    if cifar::records("fuzz", bytes, format, shape, 10, &mut pixels, &mut labels).is_ok() {
        assert_eq!(pixels.len() + labels.len(), bytes.len());
        assert!(labels.iter().all(|&label| label < 10));
    }
}

/// Gzipped content, whose first two bytes here say how long it should be: never more is unpacked.
pub fn gzip(bytes: &[u8]) {
    let Some((size, packed)) = bytes.split_first_chunk::<2>() else { return };
    let size = u64::from(u16::from_le_bytes(*size));
    if let Ok(content) = gunzip("fuzz", packed, size) {
        assert_eq!(content.len() as u64, size);
        assert!(content.capacity() as u64 <= size + 64);
    }
}

/// A tar archive, gzipped here: nothing of it comes to lie anywhere but in the wanted place.
pub fn archive(bytes: &[u8]) {
    // The SHA-256 of "backproof".
    static WANTED: Content = Content {
        name: "wanted.bin",
        size: 9,
        sum: Sum::Content("267610dc4e171a0fd673357a920388a5a27945a0237550174f9f881282b6ace1"),
    };
    let outer = tempfile::tempdir().expect("there is a place for temporary files");
    let folder = outer.path().join("inner");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let packed = outer.path().join("archive.tar.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory does not fail");
    std::fs::write(&packed, encoder.finish().expect("memory does not fail")).expect("the folder is ours");
    let wanted = LocalFile { path: folder.join(WANTED.name), ..LocalFile::missing(&WANTED) };
    let unpacked = unpack(&packed, "folder", &[wanted]);
    let names = |path: &Path| -> Vec<_> {
        std::fs::read_dir(path)
            .expect("the folder is ours")
            .map(|entry| entry.expect("it is ours").file_name())
            .collect()
    };
    assert_eq!(names(outer.path()).len(), 2, "an archive wrote outside of its folder");
    let inside: Vec<&str> = if unpacked.is_ok() { vec![WANTED.name] } else { vec![] };
    assert_eq!(names(&folder), inside);
}

/// A file of any image format: a picture of a size that its bytes can hold, or an error.
pub fn picture(bytes: &[u8]) {
    let behind = Color([10, 200, 30]);
    if let Ok(picture) = Picture::decode(Path::new("fuzz"), bytes, behind) {
        let (width, height) = picture.size();
        assert!(width * height > 0);
        for (shape, resize) in [(Shape::image(1, 28, 28), Resize::Pad), (Shape::image(3, 32, 32), Resize::Crop)] {
            let fit = Fit { resize, behind, around: behind };
            assert_eq!(picture.to_pixels(shape, fit).len(), shape.elements());
        }
        assert!((0.0..=1.0).contains(&picture.brightness()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_file_of_the_corpus_and_no_change_of_one_breaks_a_parser() {
        replay("idx", idx);
        replay("cifar", cifar);
        replay("gzip", gzip);
        replay("archive", archive);
        replay("picture", picture);
    }
}
