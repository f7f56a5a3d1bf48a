//! The keys of what mixes the images of a batch.

use crate::config::format::Literal::Number;
use crate::config::format::Presence::Default;
use crate::config::format::{Key, Kind, Range, key};

pub(super) const MIXUP: Key = key(
    "mixup",
    Kind::Number(Range::NOT_NEGATIVE),
    Default(Number(0.0)),
    "α: mix each image, and its label, with another one of the batch; its share is drawn from Beta(α, α). 0: do not.",
);

pub(super) const CUTMIX: Key = key(
    "cutmix",
    Kind::Number(Range::NOT_NEGATIVE),
    Default(Number(0.0)),
    "α: put a rectangle of another image into each, and mix the labels; its share is from Beta(α, α). 0: do not.",
);
