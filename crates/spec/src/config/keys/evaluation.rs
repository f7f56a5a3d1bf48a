//! How images are evaluated, and the keys of that.

use crate::config::format::Literal::{Integer, Word};
use crate::config::format::Presence::Default;
use crate::config::format::{Kind, Section, key};

pub(in crate::config) static EVALUATION: Section = Section {
    path: "evaluation",
    doc: "How validation, test and prediction look at an image.",
    kinds: None,
    keys: &[
        key(
            "views",
            Kind::Choice(&["one", "mirror", "six"]),
            Default(Word("one")),
            "Views whose logits are averaged. mirror: the image and its mirror; six: both, and both shifted by a pixel.",
        ),
        key(
            "explained_images",
            Kind::Integer { least: 0 },
            Default(Integer(6)),
            "Test images of which a run keeps where its network looks, for the report. 0: none.",
        ),
    ],
};
