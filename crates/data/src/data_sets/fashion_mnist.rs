//! Fashion-MNIST: 70,000 pieces of clothing of 1×28×28. H. Xiao, K. Rasul and R. Vollgraf, 2017, arXiv:1708.07747. MIT.
//!
//! The second mirror has no HTTPS; the checksums make up for it.

use backproof_spec::Shape;

use crate::formats::idx::Idx;
use crate::published::{Content, Counts, Packing, Published, Sum};

pub(super) static SOURCE: Published = Published {
    name: "fashion-mnist",
    shape: Shape::image(1, 28, 28),
    class_names: &["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"],
    class_counts: [Counts::Each(&[6_000; 10]), Counts::Each(&[1_000; 10])],
    folders: &["fashion-mnist", "FashionMNIST/raw", ""],
    mirrors: &[
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ],
    files: [
        &[
            Content {
                name: "train-images-idx3-ubyte",
                size: 16 + 60_000 * 784,
                sum: Sum::Content("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            },
            Content {
                name: "train-labels-idx1-ubyte",
                size: 8 + 60_000,
                sum: Sum::Content("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            },
        ],
        &[
            Content {
                name: "t10k-images-idx3-ubyte",
                size: 16 + 10_000 * 784,
                sum: Sum::Content("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            },
            Content {
                name: "t10k-labels-idx1-ubyte",
                size: 8 + 10_000,
                sum: Sum::Content("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
            },
        ],
    ],
    format: &Idx::PLAIN,
    packing: Packing::Gzip,
    versions: &[],
    other_versions: &[],
};
