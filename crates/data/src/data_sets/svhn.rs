//! SVHN, the cropped digits: 99,289 colour photographs of house numbers of 3×32×32, without the extra set. Y. Netzer,
//! T. Wang, A. Coates, A. Bissacco, B. Wu and A. Y. Ng, "Reading Digits in Natural Images with Unsupervised Feature
//! Learning", 2011. For non-commercial use.
//!
//! The checksums are those of TensorFlow Datasets and torchvision. The server has no HTTPS; they make up for it.

use backproof_spec::Shape;

use super::mnist::DIGITS;
use crate::formats::svhn::Svhn;
use crate::published::{Content, Counts, Packing, Published, Sum};

pub(super) static SOURCE: Published = Published {
    name: "svhn",
    shape: Shape::image(3, 32, 32),
    class_names: DIGITS,
    class_counts: [
        Counts::Each(&[4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659]),
        Counts::Each(&[1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595]),
    ],
    folders: &["svhn", "SVHN", ""],
    mirrors: &["http://ufldl.stanford.edu/housenumbers/"],
    files: [
        &[Content {
            name: "train_32x32.mat",
            size: 182_040_794,
            sum: Sum::Content("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
        }],
        &[Content {
            name: "test_32x32.mat",
            size: 64_275_384,
            sum: Sum::Content("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
        }],
    ],
    format: &Svhn,
    packing: Packing::Plain,
    versions: &[],
    other_versions: &[],
};
