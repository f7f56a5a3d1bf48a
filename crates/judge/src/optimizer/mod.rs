//! Steps of optimizers: rules in double precision, and the ways to get each wrong.
//!
//! An exercise gives weights, the gradients of several steps and the options, and asks for the weights after each step.
//! The gradients do not depend on the weights, so that a mistake shows by itself.

mod cases;
mod judge;
mod rules;

use backproof_gradcheck::Value;

use crate::case::Case;

pub(crate) use cases::{COUNT, case};
pub(crate) use judge::judge;

/// The tensor that is asked for: the weights after each step, `[steps, …]`.
pub(crate) const WEIGHTS: &str = "weights";

/// What a rule keeps of one weight, and the options.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) m: f64,
    pub(crate) v: f64,
    /// The step, from 1 on.
    pub(crate) t: i32,
}

/// The options of a rule; those that it has not are 0.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) weight_decay: f64,
    pub(crate) beta_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) smoothing: f64,
    pub(crate) epsilon: f64,
}

/// The new weight: of the weight, its gradient, what is kept, and the options.
pub(crate) type Rule = fn(f64, f64, &mut State, &Settings) -> f64;

/// An optimizer.
pub(crate) struct Optimizer {
    pub(crate) name: &'static str,
    /// The rule as a student reads it.
    pub(crate) formula: &'static str,
    /// The options that it has, with their usual values.
    pub(crate) options: &'static [(&'static str, f64)],
    pub(crate) right: Rule,
    /// Wrong rules by the name of the mistake.
    pub(crate) faults: &'static [(&'static str, Rule)],
}

/// The optimizer of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static Optimizer> {
    rules::ALL.iter().find(|optimizer| optimizer.name == name)
}

impl Settings {
    fn of(options: &[(String, Value)]) -> Self {
        let get = |name: &str| {
            let found = options.iter().find(|(other, _)| other == name);
            found.map_or(0.0, |(_, value)| value.data()[0])
        };
        Self {
            learning_rate: get("learning_rate"),
            momentum: get("momentum"),
            weight_decay: get("weight_decay"),
            beta_1: get("beta_1"),
            beta_2: get("beta_2"),
            smoothing: get("smoothing"),
            epsilon: get("epsilon"),
        }
    }
}

/// The weights after each step, by this rule.
pub(crate) fn weights(case: &Case, rule: Rule) -> Value {
    let (first, gradients) = (&case.tensors[0].value, &case.tensors[1].value);
    let settings = Settings::of(&case.options);
    let count = first.len();
    let mut all = vec![0.0; gradients.len()];
    for element in 0..count {
        let (mut w, mut state) = (first.data()[element], State::default());
        for (step, g) in gradients.data().iter().skip(element).step_by(count).enumerate() {
            state.t += 1;
            w = rule(w, *g, &mut state, &settings);
            all[step * count + element] = w;
        }
    }
    Value::new(gradients.dims(), all)
}
