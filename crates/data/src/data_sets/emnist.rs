//! EMNIST: handwritten digits and letters of NIST Special Database 19, of 1×28×28, in six splits. G. Cohen, S. Afshar,
//! J. Tapson and A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017, arXiv:1702.05373. No
//! licence is named.
//!
//! The images lie transposed in the files, and are turned. All splits come in one archive. Its checksum is the one of
//! TensorFlow Datasets; those of the files in it are not published. Nor is how many images of each class `byclass` and
//! `bymerge` have.

use backproof_spec::Shape;

use crate::formats::Format;
use crate::published::{Content, Counts, Packing, Published, Sum};

/// The ten digits, the capital letters and the small letters.
#[rustfmt::skip]
pub(super) const CHARACTERS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];

/// The same without the small letters that look like capital ones.
#[rustfmt::skip]
pub(super) const MERGED: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
    "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t",
];

/// The letters, each capital or small.
#[rustfmt::skip]
pub(super) const LETTERS: &[&str] = &[
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];

/// A split with these files, in this format.
pub(super) const fn split(
    name: &'static str,
    class_names: &'static [&'static str],
    class_counts: [Counts; 2],
    files: [&'static [Content]; 2],
    format: &'static dyn Format,
) -> Published {
    Published {
        name,
        shape: Shape::image(1, 28, 28),
        class_names,
        class_counts,
        folders: &["emnist", "emnist/gzip", "EMNIST/raw", "EMNIST/raw/gzip", "gzip", ""],
        mirrors: &[
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ],
        files,
        format,
        packing: Packing::Zip {
            name: "gzip.zip",
            size: 561_753_746,
            sha256: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            folder: "gzip",
        },
        versions: &[],
        other_versions: &[],
    }
}

/// A file of so many images.
pub(super) const fn images(name: &'static str, count: u64) -> Content {
    Content { name, size: 16 + count * 784, sum: Sum::OfArchive }
}

/// A file of so many labels.
pub(super) const fn labels(name: &'static str, count: u64) -> Content {
    Content { name, size: 8 + count, sum: Sum::OfArchive }
}
