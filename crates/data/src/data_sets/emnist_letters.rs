//! The split `letters` of EMNIST: 124,800 letters for training and 20,800 for testing, capital or small, in 26 classes.
//! Labels begin at 1.

use super::emnist::{self, images, labels};
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-letters",
    emnist::LETTERS,
    [Counts::Each(&[4_800; 26]), Counts::Each(&[800; 26])],
    [
        &[
            images("emnist-letters-train-images-idx3-ubyte", 124_800),
            labels("emnist-letters-train-labels-idx1-ubyte", 124_800),
        ],
        &[
            images("emnist-letters-test-images-idx3-ubyte", 20_800),
            labels("emnist-letters-test-labels-idx1-ubyte", 20_800),
        ],
    ],
    &Idx::LETTERS,
);
