//! Exercises of the whole network of an experiment.

use backproof_data::data_sets;
use backproof_spec::{Architecture, Experiment, TracedLayer, parameter_table};
use backproof_suite::{Exercise, network_exercise};
use burn::tensor::Device;

use crate::JudgeError;
use crate::context::context;
use crate::manifest::Request;

/// More parameters than a network has that one would write by hand, and numbers between its layers for an image.
const MOST_PARAMETERS: usize = 2_000_000;
const MOST_NUMBERS: usize = 10_000_000;

/// The network of an experiment in TOML, which may come from a stranger: a large one is refused before anything of its
/// size is made.
pub(crate) fn architecture(config: &str) -> Result<Architecture, JudgeError> {
    let failed = |error: &dyn std::fmt::Display| JudgeError::Config(error.to_string());
    let experiment = Experiment::from_toml("config.toml", config, &[], &data_sets());
    let model = experiment.map_err(|error| failed(&error))?.model;
    let layers = model.trace().map_err(|error| failed(&error))?;
    let sum = |of: &dyn Fn(&TracedLayer) -> usize| {
        let all = layers.iter().flat_map(TracedLayer::all);
        all.fold(model.input.elements(), |sum, layer| sum.saturating_add(of(layer)))
    };
    let parameters = sum(&|layer| layer.weights.saturating_add(layer.biases));
    let numbers = sum(&|layer| layer.output.elements());
    if parameters > MOST_PARAMETERS || numbers > MOST_NUMBERS {
        return Err(JudgeError::Config(format!(
            "its network has {parameters} parameters and {numbers} numbers between its layers; an exercise has at most \
             {MOST_PARAMETERS} and {MOST_NUMBERS}"
        )));
    }
    Ok(model)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(channels: usize) -> String {
        format!(
            "[data]\ndataset = \"mnist-sample\"\n[model]\ninput = [1, 28, 28]\n\
             [[model.layers]]\ntype = \"conv2d\"\nout_channels = {channels}\nkernel = 5\n\
             [[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\ntype = \"linear\"\nout_features = 10\n\
             [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n"
        )
    }

    #[test]
    fn a_large_network_of_a_stranger_is_refused() {
        assert!(architecture(&config(4)).is_ok());
        let refused = |config: &str| architecture(config).unwrap_err().to_string();
        assert!(refused(&config(100_000)).contains("an exercise has at most 2000000 and 10000000"));
        assert!(refused(&config(1 << 40)).contains("is not valid"));
        assert!(refused("").contains("is not valid"));
    }
}
