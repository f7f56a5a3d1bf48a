//! What a rule is, and the steps that it makes.

use backproof_gradcheck::Value;

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

/// What an exercise gives.
pub(crate) struct Steps {
    pub(crate) optimizer: &'static Optimizer,
    /// The weights before the first step.
    pub(crate) first: Value,
    /// The gradient of each step.
    pub(crate) gradients: Value,
    pub(crate) options: Vec<(String, Value)>,
}

impl Steps {
    /// The weights after each step, by this rule.
    pub(crate) fn weights(&self, rule: Rule) -> Value {
        let settings = Settings::of(&self.options);
        let count = self.first.len();
        let mut all = vec![0.0; self.gradients.len()];
        for element in 0..count {
            let (mut w, mut state) = (self.first.data()[element], State::default());
            for (step, g) in self.gradients.data().iter().skip(element).step_by(count).enumerate() {
                state.t += 1;
                w = rule(w, *g, &mut state, &settings);
                all[step * count + element] = w;
            }
        }
        Value::new(self.gradients.dims(), all)
    }
}
