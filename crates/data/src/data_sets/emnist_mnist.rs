//! The split `mnist` of EMNIST: 60,000 digits for training and 10,000 for testing, as many as MNIST has.

use super::emnist::{self, images, labels};
use super::mnist::DIGITS;
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-mnist",
    DIGITS,
    [Counts::Each(&[6_000; 10]), Counts::Each(&[1_000; 10])],
    [
        &[
            images("emnist-mnist-train-images-idx3-ubyte", 60_000),
            labels("emnist-mnist-train-labels-idx1-ubyte", 60_000),
        ],
        &[images("emnist-mnist-test-images-idx3-ubyte", 10_000), labels("emnist-mnist-test-labels-idx1-ubyte", 10_000)],
    ],
    &Idx::TRANSPOSED,
);
