//! The update rules and the schedules, and the keys of each.

use crate::config::format::Literal::{Flag, Integer, Number, Toml, Word};
use crate::config::format::Presence::{Default, Optional, Required};
use crate::config::format::{Key, Kind, Range, Section, Variant, Variants, key};

pub(in crate::config) static OPTIMIZER: Section = Section {
    path: "optimizer",
    doc: "How weights are updated, and the learning rate of each iteration.",
    kinds: Some(&OPTIMIZERS),
    keys: &[
        key(
            "kind",
            Kind::Choice(KINDS),
            Default(Word("momentum")),
            "The update rule: momentum, sgd, adagrad, rmsprop, adam, adamw, muon.",
        ),
        key(
            "learning_rate",
            Kind::Number(Range::POSITIVE),
            Required(Number(0.05)),
            "α, the highest learning rate of the run.",
        ),
        key(
            "warmup",
            Kind::Integer { least: 0 },
            Default(Integer(0)),
            "Iterations over which the learning rate rises linearly to α.",
        ),
        key(
            "schedule",
            Kind::Variant(&SCHEDULES),
            Default(Word("constant")),
            "The learning rate after the warm-up: constant, step, cosine, linear, one-cycle.",
        ),
        key(
            "clipping",
            Kind::Variant(&CLIPPINGS),
            Optional(Toml("{ type = \"norm\", most = 1.0 }")),
            "Make large gradients smaller before the update.",
        ),
        key("lookahead", Kind::Section(&LOOKAHEAD), Optional(Toml("{}")), LOOKAHEAD.doc),
        key("groups", Kind::Sections(&GROUP), Optional(Toml("[]")), GROUP.doc),
    ],
};

const KINDS: &[&str] = &["momentum", "sgd", "adagrad", "rmsprop", "adam", "adamw", "muon"];

/// What a group does not say is as in [optimizer]: `inherit` puts it in before the check.
pub(in crate::config) static GROUP: Section = Section {
    path: "optimizer.groups",
    doc: "Parameters with a rule of their own; the last group that names a parameter holds for it.",
    kinds: Some(&OPTIMIZERS),
    keys: &[
        key(
            "parameters",
            Kind::Patterns,
            Required(Word("conv*.weight")),
            "Names of parameters, one or an array; * stands for any characters.",
        ),
        key(
            "kind",
            Kind::Choice(KINDS),
            Optional(Word("sgd")),
            "The update rule, with its own defaults; when absent, that of [optimizer] with its numbers.",
        ),
        key(
            "learning_rate",
            Kind::Number(Range::POSITIVE),
            Optional(Number(0.05)),
            "α; as in [optimizer] when absent, like the next two.",
        ),
        key("warmup", Kind::Integer { least: 0 }, Optional(Integer(0)), "Iterations of the linear rise to α."),
        key("schedule", Kind::Variant(&SCHEDULES), Optional(Word("linear")), "The learning rate after the warm-up."),
        key(
            "frozen_from",
            Kind::Integer { least: 0 },
            Optional(Integer(600)),
            "The iteration from which on they are not updated, 0 for never; their schedule ends there.",
        ),
        key(
            "frozen_until",
            Kind::Integer { least: 1 },
            Optional(Integer(100)),
            "The iteration until which they are not updated.",
        ),
    ],
};

static LOOKAHEAD: Section = Section {
    path: "optimizer.lookahead",
    doc: "A slow copy of the weights goes a part of the way after them, and they go on from it.",
    kinds: None,
    keys: &[
        key("every", Kind::Integer { least: 1 }, Default(Integer(5)), "Iterations between two moves of the copy."),
        key(
            "share",
            Kind::Number(Range::ABOVE_ZERO_TO_ONE),
            Default(Number(0.5)),
            "The share of the way that the copy goes.",
        ),
    ],
};

static CLIPPINGS: Variants = Variants {
    noun: "clipping",
    variants: &[
        Variant {
            name: "norm",
            doc: "Scale all gradients together to this Euclidean norm where theirs is larger.",
            keys: &[most("The largest norm.")],
        },
        Variant {
            name: "value",
            doc: "Bring each number of the gradients between −most and most.",
            keys: &[most("The largest absolute value.")],
        },
    ],
};

const fn most(doc: &'static str) -> Key {
    key("most", Kind::Number(Range::POSITIVE), Required(Number(1.0)), doc)
}

static OPTIMIZERS: Variants = Variants {
    noun: "optimizer",
    variants: &[
        Variant {
            name: "momentum",
            doc: "m ← μ m + (1 − μ) g, then w ← w − α (m + λ w), g the gradient.",
            keys: &[
                momentum("μ, in [0, 1).", 0.95),
                key(
                    "update",
                    Kind::Choice(&["after-momentum", "before-momentum"]),
                    Default(Word("after-momentum")),
                    "Which m moves w. after-momentum: the new one; before-momentum: that of the step before.",
                ),
                weight_decay("λ, decoupled: it does not enter m.", 0.001),
            ],
        },
        Variant {
            name: "sgd",
            doc: "b ← μ b + (1 − d) g, at first b ← g, then w ← w − α b.",
            keys: &[
                momentum("μ, in [0, 1); 0 for plain gradient descent.", 0.0),
                key("dampening", Kind::Number(Range::FRACTION), Default(Number(0.0)), "d, in [0, 1]."),
                key("nesterov", Kind::Flag, Default(Flag(false)), "w ← w − α (g + μ b) instead; without dampening."),
                PENALTY,
            ],
        },
        Variant {
            name: "adagrad",
            doc: "s ← s + g², then w ← w − α / (1 + (t − 1) η) · g / (√s + ε).",
            keys: &[
                key(
                    "learning_rate_decay",
                    Kind::Number(Range::NOT_NEGATIVE),
                    Default(Number(0.0)),
                    "η; the sum s alone lowers α / √s already.",
                ),
                epsilon(1e-10),
                PENALTY,
            ],
        },
        Variant {
            name: "rmsprop",
            doc: "s ← ρ s + (1 − ρ) g², b ← μ b + g / (√s + ε), then w ← w − α b.",
            keys: &[
                key("smoothing", Kind::Number(Range::BELOW_ONE), Default(Number(0.99)), "ρ, in [0, 1)."),
                momentum("μ, in [0, 1).", 0.0),
                epsilon(1e-8),
                key("centered", Kind::Flag, Default(Flag(false)), "Under the root, take s − (mean gradient)²."),
                PENALTY,
            ],
        },
        Variant {
            name: "adam",
            doc: "m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², then w ← w − α m̂ / (√v̂ + ε).",
            keys: &[BETA_1, BETA_2, epsilon(1e-8), AMSGRAD, PENALTY],
        },
        Variant {
            name: "adamw",
            doc: "adam with decoupled weight decay.",
            keys: &[BETA_1, BETA_2, epsilon(1e-8), AMSGRAD, weight_decay("λ, decoupled: w ← w − α λ w.", 0.01)],
        },
        Variant {
            name: "muon",
            doc: "b ← μ b + g, u = g + μ b made orthogonal as a matrix, then w ← w − α u; not for biases.",
            keys: &[
                momentum("μ, in [0, 1).", 0.95),
                key("nesterov", Kind::Flag, Default(Flag(true)), "u = g + μ b; otherwise u = b."),
                key(
                    "newton_schulz_steps",
                    Kind::Integer { least: 1 },
                    Default(Integer(5)),
                    "Steps of Newton and Schulz that make u orthogonal.",
                ),
                key(
                    "rescale",
                    Kind::Flag,
                    Default(Flag(false)),
                    "Scale w to the norm √O before the update, with O outputs.",
                ),
                weight_decay("λ, decoupled: w ← w − α λ w.", 0.0),
            ],
        },
    ],
};

const BETA_1: Key = key("beta_1", Kind::Number(Range::BELOW_ONE), Default(Number(0.9)), "β₁, in [0, 1).");
const BETA_2: Key = key("beta_2", Kind::Number(Range::BELOW_ONE), Default(Number(0.999)), "β₂, in [0, 1).");
const AMSGRAD: Key = key("amsgrad", Kind::Flag, Default(Flag(false)), "Divide by the root of the largest v̂ so far.");
const PENALTY: Key = weight_decay("λ: λ w is added to the gradient.", 0.0);

const fn momentum(doc: &'static str, default: f64) -> Key {
    key("momentum", Kind::Number(Range::BELOW_ONE), Default(Number(default)), doc)
}

const fn weight_decay(doc: &'static str, default: f64) -> Key {
    key("weight_decay", Kind::Number(Range::NOT_NEGATIVE), Default(Number(default)), doc)
}

const fn epsilon(default: f64) -> Key {
    key("epsilon", Kind::Number(Range::POSITIVE), Default(Number(default)), "ε, added to the root.")
}

const FINAL_FRACTION: Key = key(
    "final_fraction",
    Kind::Number(Range::FRACTION),
    Default(Number(0.0)),
    "The last learning rate, as a fraction of α.",
);

static SCHEDULES: Variants = Variants {
    noun: "schedule",
    variants: &[
        Variant { name: "constant", doc: "α throughout.", keys: &[] },
        Variant {
            name: "step",
            doc: "The learning rate is multiplied by a factor at equal intervals.",
            keys: &[
                key("every", Kind::Integer { least: 1 }, Required(Integer(1000)), "Iterations between two steps."),
                key(
                    "factor",
                    Kind::Number(Range::ABOVE_ZERO_TO_ONE),
                    Required(Number(0.1)),
                    "What the learning rate is multiplied by.",
                ),
            ],
        },
        Variant { name: "cosine", doc: "Half a cosine, from α down to a fraction of α.", keys: &[FINAL_FRACTION] },
        Variant { name: "linear", doc: "A line, from α down to a fraction of α.", keys: &[FINAL_FRACTION] },
        Variant {
            name: "one-cycle",
            doc: "Half a cosine up to α, and half a cosine down from there.",
            keys: &[
                key(
                    "rise",
                    Kind::Number(Range::FRACTION),
                    Default(Number(0.3)),
                    "The share of the iterations in which the learning rate rises.",
                ),
                key(
                    "initial_fraction",
                    Kind::Number(Range::FRACTION),
                    Default(Number(0.04)),
                    "The first learning rate, as a fraction of α.",
                ),
                FINAL_FRACTION,
            ],
        },
    ],
};
