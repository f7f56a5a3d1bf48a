//! `[optimizer]` with its groups into an [`Optimizer`].

use super::record::{Chosen, Record};
use crate::{Adam, Clipping, Lookahead, Optimizer, OptimizerKind, ParameterGroup, Schedule, Update, UpdateRule};

pub(super) fn optimizer(record: &Record) -> Optimizer {
    let lookahead = |table: &Record| Lookahead { every: table.count("every"), share: table.number("share") };
    Optimizer {
        rule: update_rule(record),
        groups: record.tables("groups").iter().map(group).collect(),
        clipping: record.optional_chosen("clipping").map(clipping),
        lookahead: record.optional_table("lookahead").map(lookahead),
    }
}

fn group(record: &Record) -> ParameterGroup {
    ParameterGroup {
        parameters: record.texts("parameters").to_vec(),
        rule: update_rule(record),
        frozen_from: record.optional_count("frozen_from"),
        frozen_until: record.optional_count("frozen_until"),
    }
}

fn clipping(chosen: &Chosen) -> Clipping {
    let most = chosen.record.number("most");
    match chosen.variant {
        "value" => Clipping::Value { most },
        _ => Clipping::Norm { most },
    }
}

/// The rule of `[optimizer]`, or of a group that has taken over from it what it does not say.
fn update_rule(record: &Record) -> UpdateRule {
    UpdateRule {
        kind: optimizer_kind(record),
        learning_rate: record.number("learning_rate"),
        weight_decay: record.number("weight_decay"),
        warmup: record.optional_count("warmup").unwrap_or(0),
        schedule: record.optional_chosen("schedule").map_or(Schedule::Constant, schedule),
    }
}

fn schedule(chosen: &Chosen) -> Schedule {
    let Chosen { variant, record } = chosen;
    match *variant {
        "step" => Schedule::Step { every: record.count("every"), factor: record.number("factor") },
        "cosine" => Schedule::Cosine { final_fraction: record.number("final_fraction") },
        "linear" => Schedule::Linear { final_fraction: record.number("final_fraction") },
        "one-cycle" => Schedule::OneCycle {
            rise: record.number("rise"),
            initial_fraction: record.number("initial_fraction"),
            final_fraction: record.number("final_fraction"),
        },
        _ => Schedule::Constant,
    }
}

fn optimizer_kind(record: &Record) -> OptimizerKind {
    let adam = || Adam {
        beta_1: record.number("beta_1"),
        beta_2: record.number("beta_2"),
        epsilon: record.number("epsilon"),
        amsgrad: record.flag("amsgrad"),
    };
    match record.text("kind") {
        "momentum" => OptimizerKind::Momentum {
            momentum: record.number("momentum"),
            update: record.choice("update", &Update::ALL, |update| update.name()),
        },
        "sgd" => OptimizerKind::Sgd {
            momentum: record.number("momentum"),
            dampening: record.number("dampening"),
            nesterov: record.flag("nesterov"),
        },
        "adagrad" => OptimizerKind::AdaGrad {
            learning_rate_decay: record.number("learning_rate_decay"),
            epsilon: record.number("epsilon"),
        },
        "rmsprop" => OptimizerKind::RmsProp {
            smoothing: record.number("smoothing"),
            momentum: record.number("momentum"),
            epsilon: record.number("epsilon"),
            centered: record.flag("centered"),
        },
        "adam" => OptimizerKind::Adam(adam()),
        "adamw" => OptimizerKind::AdamW(adam()),
        "muon" => OptimizerKind::Muon {
            momentum: record.number("momentum"),
            nesterov: record.flag("nesterov"),
            newton_schulz_steps: record.count("newton_schulz_steps"),
            rescale: record.flag("rescale"),
        },
        other => panic!("the description of a config has an optimizer too many: `{other}`"),
    }
}
