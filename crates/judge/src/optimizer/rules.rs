//! The rules. Those of `backproof-train` are the same, and a test holds these against them.

use super::rule::{Optimizer, Rule, Settings, State};

/// The optimizer of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static Optimizer> {
    ALL.iter().find(|optimizer| optimizer.name == name)
}

static ALL: [Optimizer; 7] = [
    Optimizer {
        name: "sgd",
        formula: "w ← w − α (g + λ w)",
        options: &[("learning_rate", 0.1), ("weight_decay", 0.05)],
        right: |w, g, _, s| w - s.learning_rate * (g + s.weight_decay * w),
        faults: &[
            ASCENT,
            ("the weight decay is lost", |w, g, _, s| w - s.learning_rate * g),
            ("the weight decay has the wrong sign", |w, g, _, s| w - s.learning_rate * (g - s.weight_decay * w)),
            ("the weight decay is not multiplied by the learning rate", |w, g, _, s| {
                w - s.learning_rate * g - s.weight_decay * w
            }),
            ("the learning rate is lost", |w, g, _, s| w - (g + s.weight_decay * w)),
            ("half of the weight decay: the 2 of the derivative of w² is divided out twice", |w, g, _, s| {
                w - s.learning_rate * (g + 0.5 * s.weight_decay * w)
            }),
        ],
    },
    Optimizer {
        name: "momentum",
        formula: "m ← μ m + (1 − μ) g,  then  w ← w − α (m + λ w),  with m = 0 before the first step",
        options: &[("learning_rate", 0.1), ("momentum", 0.9), ("weight_decay", 0.05)],
        right: |w, g, k, s| {
            k.m = s.momentum * k.m + (1.0 - s.momentum) * g;
            w - s.learning_rate * (k.m + s.weight_decay * w)
        },
        faults: &[
            ("the weights moved before the momentum", |w, g, k, s| {
                let new = w - s.learning_rate * (k.m + s.weight_decay * w);
                k.m = s.momentum * k.m + (1.0 - s.momentum) * g;
                new
            }),
            ("the factor 1 − μ is lost", |w, g, k, s| {
                k.m = s.momentum * k.m + g;
                w - s.learning_rate * (k.m + s.weight_decay * w)
            }),
            ("μ and 1 − μ are exchanged", |w, g, k, s| {
                k.m = (1.0 - s.momentum) * k.m + s.momentum * g;
                w - s.learning_rate * (k.m + s.weight_decay * w)
            }),
            ("the momentum is not kept from step to step", |w, g, _, s| {
                w - s.learning_rate * ((1.0 - s.momentum) * g + s.weight_decay * w)
            }),
            ("the first step takes m = g", |w, g, k, s| {
                k.m = if k.t == 1 { g } else { s.momentum * k.m + (1.0 - s.momentum) * g };
                w - s.learning_rate * (k.m + s.weight_decay * w)
            }),
            ("the weight decay enters the momentum", |w, g, k, s| {
                k.m = s.momentum * k.m + (1.0 - s.momentum) * (g + s.weight_decay * w);
                w - s.learning_rate * k.m
            }),
            ("the weight decay is lost", |w, g, k, s| {
                k.m = s.momentum * k.m + (1.0 - s.momentum) * g;
                w - s.learning_rate * k.m
            }),
            ("the weights go up the gradient: plus in the place of minus", |w, g, k, s| {
                k.m = s.momentum * k.m + (1.0 - s.momentum) * g;
                w + s.learning_rate * (k.m + s.weight_decay * w)
            }),
        ],
    },
    Optimizer {
        name: "nesterov",
        formula: "b ← μ b + g (b = 0 before the first step),  then  w ← w − α (g + μ b)",
        options: &[("learning_rate", 0.1), ("momentum", 0.9)],
        right: |w, g, k, s| {
            k.m = s.momentum * k.m + g;
            w - s.learning_rate * (g + s.momentum * k.m)
        },
        faults: &[
            // One and the same: μ b + g, with the b of the step before, is the new b.
            ("the weights moved before the momentum, which is plain momentum: w moves by b", |w, g, k, s| {
                k.m = s.momentum * k.m + g;
                w - s.learning_rate * k.m
            }),
            ("μ is lost in the step", |w, g, k, s| {
                k.m = s.momentum * k.m + g;
                w - s.learning_rate * (g + k.m)
            }),
            ("a factor 1 − μ too many", |w, g, k, s| {
                k.m = s.momentum * k.m + (1.0 - s.momentum) * g;
                w - s.learning_rate * (g + s.momentum * k.m)
            }),
            ASCENT_WITHOUT_DECAY,
        ],
    },
    Optimizer {
        name: "adagrad",
        formula: "s ← s + g²,  then  w ← w − α g / (√s + ε)",
        options: &[("learning_rate", 0.1), ("epsilon", 1e-3)],
        right: |w, g, k, s| {
            k.v += g * g;
            w - s.learning_rate * g / (k.v.sqrt() + s.epsilon)
        },
        faults: &[
            ("the squares are not added up: s = g²", |w, g, _, s| w - s.learning_rate * g / (g.abs() + s.epsilon)),
            ("the root is lost", |w, g, k, s| {
                k.v += g * g;
                w - s.learning_rate * g / (k.v + s.epsilon)
            }),
            ("ε is inside of the root", |w, g, k, s| {
                k.v += g * g;
                w - s.learning_rate * g / (k.v + s.epsilon).sqrt()
            }),
            ("the weights moved before s", |w, g, k, s| {
                let new = w - s.learning_rate * g / (k.v.sqrt() + s.epsilon);
                k.v += g * g;
                new
            }),
            ("the gradients are added up without squares", |w, g, k, s| {
                k.v += g.abs();
                w - s.learning_rate * g / (k.v.sqrt() + s.epsilon)
            }),
        ],
    },
    Optimizer {
        name: "rmsprop",
        formula: "s ← ρ s + (1 − ρ) g² (s = 0 before the first step),  then  w ← w − α g / (√s + ε)",
        options: &[("learning_rate", 0.01), ("smoothing", 0.9), ("epsilon", 1e-3)],
        right: |w, g, k, s| {
            k.v = s.smoothing * k.v + (1.0 - s.smoothing) * g * g;
            w - s.learning_rate * g / (k.v.sqrt() + s.epsilon)
        },
        faults: &[
            ("the squares are added up, as in AdaGrad", |w, g, k, s| {
                k.v += g * g;
                w - s.learning_rate * g / (k.v.sqrt() + s.epsilon)
            }),
            ("ρ and 1 − ρ are exchanged", |w, g, k, s| {
                k.v = (1.0 - s.smoothing) * k.v + s.smoothing * g * g;
                w - s.learning_rate * g / (k.v.sqrt() + s.epsilon)
            }),
            ("ε is inside of the root", |w, g, k, s| {
                k.v = s.smoothing * k.v + (1.0 - s.smoothing) * g * g;
                w - s.learning_rate * g / (k.v + s.epsilon).sqrt()
            }),
            ("the root is lost", |w, g, k, s| {
                k.v = s.smoothing * k.v + (1.0 - s.smoothing) * g * g;
                w - s.learning_rate * g / (k.v + s.epsilon)
            }),
            ("s is corrected as in Adam", |w, g, k, s| {
                k.v = s.smoothing * k.v + (1.0 - s.smoothing) * g * g;
                w - s.learning_rate * g / ((k.v / (1.0 - s.smoothing.powi(k.t))).sqrt() + s.epsilon)
            }),
        ],
    },
    Optimizer {
        name: "adam",
        formula: ADAM,
        options: &[("learning_rate", 0.01), ("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-3)],
        right: |w, g, k, s| adam(w, g, k, s, k_t),
        faults: &ADAM_FAULTS,
    },
    Optimizer {
        name: "adamw",
        formula: "as Adam, and the decay by itself:  w ← w − α λ w − α m̂ / (√v̂ + ε),  with both w of before the step",
        options: &[
            ("learning_rate", 0.01),
            ("weight_decay", 0.5),
            ("beta_1", 0.9),
            ("beta_2", 0.999),
            ("epsilon", 1e-3),
        ],
        right: |w, g, k, s| adam(w, g, k, s, k_t) - s.learning_rate * s.weight_decay * w,
        faults: &[
            ("the weight decay enters the gradient, as in Adam", |w, g, k, s| {
                adam(w, g + s.weight_decay * w, k, s, k_t)
            }),
            ("the weight decay is lost", |w, g, k, s| adam(w, g, k, s, k_t)),
            ("the weight decay is not multiplied by the learning rate", |w, g, k, s| {
                adam(w, g, k, s, k_t) - s.weight_decay * w
            }),
            ("the means are not corrected", |w, g, k, s| {
                adam(w, g, k, s, |_| 1_000_000) - s.learning_rate * s.weight_decay * w
            }),
            ("the weight decay has the wrong sign", |w, g, k, s| {
                adam(w, g, k, s, k_t) + s.learning_rate * s.weight_decay * w
            }),
        ],
    },
];

const ADAM: &str = "m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ) at step \
                    t = 1, 2, …,  then  w ← w − α m̂ / (√v̂ + ε)";

const ASCENT: (&str, Rule) = ("the weights go up the gradient: plus in the place of minus", |w, g, _, s| {
    w + s.learning_rate * (g + s.weight_decay * w)
});

const ASCENT_WITHOUT_DECAY: (&str, Rule) =
    ("the weights go up the gradient: plus in the place of minus", |w, g, k, s| {
        k.m = s.momentum * k.m + g;
        w + s.learning_rate * (g + s.momentum * k.m)
    });

const ADAM_FAULTS: [(&str, Rule); 8] = [
    ("the means are not corrected", |w, g, k, s| adam(w, g, k, s, |_| 1_000_000)),
    ("the steps are counted from 2", |w, g, k, s| adam(w, g, k, s, |t| t + 1)),
    ("the correction of the first step at every step", |w, g, k, s| adam(w, g, k, s, |_| 1)),
    ("ε is inside of the root", |w, g, k, s| {
        let [m, v] = means(g, k, s);
        w - s.learning_rate * m / (v + s.epsilon).sqrt()
    }),
    ("the root is lost", |w, g, k, s| {
        let [m, v] = means(g, k, s);
        w - s.learning_rate * m / (v + s.epsilon)
    }),
    ("the gradient in the place of its mean, as in RMSProp", |w, g, k, s| {
        let [_, v] = means(g, k, s);
        w - s.learning_rate * g / (v.sqrt() + s.epsilon)
    }),
    ("β₁ and β₂ are exchanged", |w, g, k, s| {
        let exchanged = Settings { beta_1: s.beta_2, beta_2: s.beta_1, ..*s };
        adam(w, g, k, &exchanged, k_t)
    }),
    ("only the second mean is corrected", |w, g, k, s| {
        let [_, v] = means(g, k, s);
        w - s.learning_rate * k.m / (v.sqrt() + s.epsilon)
    }),
];

/// The step by which the means are corrected: the one that it is.
fn k_t(t: i32) -> i32 {
    t
}

/// The corrected means.
fn means(g: f64, k: &mut State, s: &Settings) -> [f64; 2] {
    k.m = s.beta_1 * k.m + (1.0 - s.beta_1) * g;
    k.v = s.beta_2 * k.v + (1.0 - s.beta_2) * g * g;
    [k.m / (1.0 - s.beta_1.powi(k.t)), k.v / (1.0 - s.beta_2.powi(k.t))]
}

/// A step of Adam, with the means corrected as at the step `counted(t)`.
fn adam(w: f64, g: f64, k: &mut State, s: &Settings, counted: fn(i32) -> i32) -> f64 {
    means(g, k, s);
    let t = counted(k.t);
    let (m, v) = (k.m / (1.0 - s.beta_1.powi(t)), k.v / (1.0 - s.beta_2.powi(t)));
    w - s.learning_rate * m / (v.sqrt() + s.epsilon)
}
