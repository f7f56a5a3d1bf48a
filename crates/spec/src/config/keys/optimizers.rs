//! The update rules and the schedules, and the keys of each.

use crate::config::format::Literal::{Flag, Integer, Number, Word};
use crate::config::format::Presence::{Default, Required};
use crate::config::format::{Key, Kind, Range, Variant, Variants, key};

pub(in crate::config) static OPTIMIZERS: Variants = Variants {
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

pub(in crate::config) static SCHEDULES: Variants = Variants {
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
