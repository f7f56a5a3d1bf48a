//! The keys of a config that several layers have.

use crate::config::{Key, Kind, Literal, Presence, Range, key};
use crate::initialization::INITIALIZATIONS;

pub(super) const PADDING: Key =
    key("padding", Kind::Size { least: 0 }, Presence::Default(Literal::Integer(0)), "Pixels added on each side.");

pub(super) const DILATION: Key = key(
    "dilation",
    Kind::Size { least: 1 },
    Presence::Default(Literal::Integer(1)),
    "Distance between the taps of a window.",
);

pub(super) const INITIALIZATION: Key = key(
    "initialization",
    Kind::Variant(&INITIALIZATIONS),
    Presence::Optional(Literal::Word("he-normal")),
    "How the first weights are drawn, in place of the network's `initialization`.",
);

pub(super) const BIAS: Key =
    key("bias", Kind::Flag, Presence::Default(Literal::Flag(true)), "Whether each output has a bias.");

pub(super) const EPSILON: Key = key(
    "epsilon",
    Kind::Number(Range::POSITIVE),
    Presence::Default(Literal::Number(1e-5)),
    "Added to the variance before the root.",
);
