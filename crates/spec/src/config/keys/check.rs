//! What is checked before a run begins, and the keys of that.

use crate::config::format::Literal::Flag;
use crate::config::format::Presence::Default;
use crate::config::format::{Kind, Section, key};

pub(in crate::config) static CHECK: Section = Section {
    path: "check",
    doc: "What is checked before the first iteration.",
    kinds: None,
    keys: &[key(
        "gradients",
        Kind::Flag,
        Default(Flag(false)),
        "Hold the network's gradients against finite differences, as `compare-gradients` does; seconds to a minute.",
    )],
};
