//! The keys of a folder of images. Without `folder` they have no effect, and are an error.

use crate::config::format::Literal::{Flag, Integer, Number, Word};
use crate::config::format::Presence::Optional;
use crate::config::format::{Key, Kind, Range, key};

/// All of them but `folder` itself.
pub(in crate::config) const KEYS: [&str; 7] =
    ["size", "channels", "resize", "background", "validation_fraction", "test_fraction", "skip_unreadable"];

/// The share of the images that become test images where nothing says it.
pub(in crate::config) const USUAL_TEST_FRACTION: f64 = 0.2;
/// The share of the other images that are held out for validation where nothing says it.
pub(in crate::config) const USUAL_VALIDATION_FRACTION: f64 = 0.1;

pub(super) const FOLDER: Key = key(
    "folder",
    Kind::Path,
    Optional(Word("leaves")),
    "In place of `dataset`: a folder with a folder for each class, or a CSV file of paths and labels.",
);

pub(super) const SIZE: Key = key(
    "size",
    Kind::Size { least: 1 },
    Optional(Integer(64)),
    "With `folder`: what images are resized to, 64 or [48, 64] (height, width), up to 512; as the network takes when absent.",
);

pub(super) const CHANNELS: Key = key(
    "channels",
    Kind::OneOf(&[1, 3]),
    Optional(Integer(3)),
    "With `folder`: 1 makes all images grey, 3 makes them colour; as the network takes when absent.",
);

pub(super) const RESIZE: Key = key(
    "resize",
    Kind::Choice(&["crop", "pad", "squash"]),
    Optional(Word("crop")),
    "With `folder`. crop: the middle (when absent); pad: all, with `background` at two sides; squash: all, stretched.",
);

pub(super) const BACKGROUND: Key = key(
    "background",
    Kind::Color,
    Optional(Word("white")),
    "With `folder`: the colour behind transparent pixels and around padded images; white when absent.",
);

pub(super) const VALIDATION_FRACTION: Key = key(
    "validation_fraction",
    Kind::Number(Range::BELOW_ONE),
    Optional(Number(USUAL_VALIDATION_FRACTION)),
    "With `folder`: the share held out of training, if neither `validation_images` nor a folder says it; 0.1 when absent.",
);

pub(super) const TEST_FRACTION: Key = key(
    "test_fraction",
    Kind::Number(Range::BELOW_ONE),
    Optional(Number(USUAL_TEST_FRACTION)),
    "With `folder`: the share of test images, if the folder has none of its own; 0.2 when absent.",
);

pub(super) const SKIP_UNREADABLE: Key = key(
    "skip_unreadable",
    Kind::Flag,
    Optional(Flag(true)),
    "With `folder`: leave out files that cannot be read, and list them; when absent, they are an error.",
);
