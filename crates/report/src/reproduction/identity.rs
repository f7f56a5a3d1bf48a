//! Which experiment a run is one of: every setting but those that a run of a config is free to change.

use backproof_spec::Experiment;

use crate::settings::{differences, flatten};

/// Keys in which a run may differ from its config: what is drawn, how it is computed, what is hoped for, where files
/// lay.
const FREE: [&str; 6] = ["seed", "engine", "kernels", "training.kernels", "expect.test_accuracy", "model.init_from"];

/// What makes a run another experiment than its config, in words.
pub(super) fn difference(run: &Experiment, config: &Experiment) -> Option<String> {
    let settings = [run, config].map(|experiment| flatten(&experiment.to_toml()));
    let differences: Vec<String> = differences(&settings)
        .into_iter()
        .filter(|(key, _)| !FREE.contains(&key.as_str()))
        .map(|(key, values)| format!("{key} is {} and not {}", values[0], values[1]))
        .collect();
    (!differences.is_empty()).then(|| differences.join(", "))
}
