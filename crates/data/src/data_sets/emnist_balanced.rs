//! The split `balanced` of EMNIST: 112,800 characters for training and 18,800 for testing, 47 classes of the same size.

use super::emnist::{self, images, labels};
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-balanced",
    emnist::MERGED,
    [Counts::Each(&[2_400; 47]), Counts::Each(&[400; 47])],
    [
        &[
            images("emnist-balanced-train-images-idx3-ubyte", 112_800),
            labels("emnist-balanced-train-labels-idx1-ubyte", 112_800),
        ],
        &[
            images("emnist-balanced-test-images-idx3-ubyte", 18_800),
            labels("emnist-balanced-test-labels-idx1-ubyte", 18_800),
        ],
    ],
    &Idx::TRANSPOSED,
);
