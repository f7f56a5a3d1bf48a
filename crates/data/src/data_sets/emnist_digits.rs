//! The split `digits` of EMNIST: 240,000 digits for training and 40,000 for testing.

use super::emnist::{self, images, labels};
use super::mnist::DIGITS;
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-digits",
    DIGITS,
    [Counts::Each(&[24_000; 10]), Counts::Each(&[4_000; 10])],
    [
        &[
            images("emnist-digits-train-images-idx3-ubyte", 240_000),
            labels("emnist-digits-train-labels-idx1-ubyte", 240_000),
        ],
        &[
            images("emnist-digits-test-images-idx3-ubyte", 40_000),
            labels("emnist-digits-test-labels-idx1-ubyte", 40_000),
        ],
    ],
    &Idx::TRANSPOSED,
);
