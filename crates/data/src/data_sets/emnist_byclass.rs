//! The split `byclass` of EMNIST: all 814,255 characters in 62 classes, of different sizes.

use super::emnist::{self, images, labels};
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-byclass",
    emnist::CHARACTERS,
    [Counts::All(697_932), Counts::All(116_323)],
    [
        &[
            images("emnist-byclass-train-images-idx3-ubyte", 697_932),
            labels("emnist-byclass-train-labels-idx1-ubyte", 697_932),
        ],
        &[
            images("emnist-byclass-test-images-idx3-ubyte", 116_323),
            labels("emnist-byclass-test-labels-idx1-ubyte", 116_323),
        ],
    ],
    &Idx::TRANSPOSED,
);
