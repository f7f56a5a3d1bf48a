//! The split `bymerge` of EMNIST: all 814,255 characters in 47 classes. Small letters that look like capital ones are
//! merged with them.

use super::emnist::{self, images, labels};
use crate::formats::idx::Idx;
use crate::published::{Counts, Published};

pub(super) static SOURCE: Published = emnist::split(
    "emnist-bymerge",
    emnist::MERGED,
    [Counts::All(697_932), Counts::All(116_323)],
    [
        &[
            images("emnist-bymerge-train-images-idx3-ubyte", 697_932),
            labels("emnist-bymerge-train-labels-idx1-ubyte", 697_932),
        ],
        &[
            images("emnist-bymerge-test-images-idx3-ubyte", 116_323),
            labels("emnist-bymerge-test-labels-idx1-ubyte", 116_323),
        ],
    ],
    &Idx::TRANSPOSED,
);
