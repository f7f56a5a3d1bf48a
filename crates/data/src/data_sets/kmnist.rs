//! Kuzushiji-MNIST: 70,000 cursive hiragana of 1×28×28. T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto
//! and D. Ha, "Deep Learning for Classical Japanese Literature", 2018, arXiv:1812.01718. CC BY-SA 4.0.
//!
//! The checksums are those of TensorFlow Datasets, of the gzipped files. Of their content none is published.

use backproof_spec::Shape;

use crate::formats::idx::Idx;
use crate::formats::npz::Npz;
use crate::published::{Content, Counts, Packing, Published, Sum, Version};

pub(super) static SOURCE: Published = Published {
    name: "kmnist",
    shape: Shape::image(1, 28, 28),
    class_names: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    class_counts: [Counts::Each(&[6_000; 10]), Counts::Each(&[1_000; 10])],
    // Not the data folder itself: there, files of these names are MNIST's.
    folders: &["kmnist", "KMNIST/raw"],
    mirrors: &["https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    files: [
        &[
            Content {
                name: "train-images-idx3-ubyte",
                size: 16 + 60_000 * 784,
                sum: Sum::Packed("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            },
            Content {
                name: "train-labels-idx1-ubyte",
                size: 8 + 60_000,
                sum: Sum::Packed("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            },
        ],
        &[
            Content {
                name: "t10k-images-idx3-ubyte",
                size: 16 + 10_000 * 784,
                sum: Sum::Packed("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            },
            Content {
                name: "t10k-labels-idx1-ubyte",
                size: 8 + 10_000,
                sum: Sum::Packed("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
            },
        ],
    ],
    format: &Idx::PLAIN,
    packing: Packing::Gzip,
    versions: &[Version {
        name: "NumPy version",
        folders: &["kmnist", "KMNIST", ""],
        files: &["kmnist-train-imgs.npz", "kmnist-train-labels.npz", "kmnist-test-imgs.npz", "kmnist-test-labels.npz"],
        url: "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        archives: &[],
        remake: &Npz { arrays: &["arr_0"; 4] },
    }],
    other_versions: &[],
};
