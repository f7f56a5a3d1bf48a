//! Exercises of the whole network of an experiment.

use backproof_data::data_sets;
use backproof_spec::{Architecture, Experiment, parameter_table};
use backproof_suite::{Exercise, network_exercise};
use burn::tensor::Device;

use crate::JudgeError;
use crate::context::context;
use crate::manifest::Request;

/// The network of an experiment in TOML.
pub(crate) fn architecture(config: &str) -> Result<Architecture, JudgeError> {
    let experiment = Experiment::from_toml("config.toml", config, &[], &data_sets());
    experiment.map(|experiment| experiment.model).map_err(|error| JudgeError::Config(error.to_string()))
}

/// The one case of a network. Names of tensors are those that every language takes: `conv1_weight`.
pub(crate) fn exercise(request: &Request, device: &Device) -> Option<Exercise> {
    let architecture = architecture(request.config.as_deref()?).ok()?;
    let mut exercise = network_exercise(&architecture, &context(request.seed, device)).ok()?;
    for tensor in &mut exercise.problem.tensors {
        tensor.name = tensor.name.replace('.', "_");
    }
    Some(exercise)
}

/// The layers, for the task.
pub(crate) fn table(request: &Request) -> Option<String> {
    let architecture = architecture(request.config.as_deref()?).ok()?;
    parameter_table(&architecture).ok().map(|table| table.to_string())
}
