//! Evaluations: of a run on a part of its data set, and of a network on some images.

use std::ops::ControlFlow::{self, Continue};
use std::path::Path;

use backproof_compiled::InferencePlan;
use backproof_data::{Selection, Subset, evaluation_selections};
use backproof_models::{Compiled, Network, PassMode};
use backproof_spec::Experiment;
use burn::tensor::TensorData;

use crate::computation::instructions;
use crate::logits::Logits;
use crate::setup::data;
use crate::weights::Loaded;
use crate::{Evaluation, EvaluationResult, RunFolder, Setup, Split, TrainError, Weights};

/// Images per batch when a network is evaluated; it changes the time, not the figures.
const EVALUATION_BATCH: usize = 250;

/// What an evaluation found, and whether it is kept in files.
#[derive(Debug)]
pub struct Evaluated {
    /// What it found.
    pub result: EvaluationResult,
    /// The prefix that was removed from the name of every tensor in a weights file, such as `module.`.
    pub removed_prefix: Option<String>,
    /// Whether the result was written into the run folder; nothing is to write for weights of a file.
    pub kept_files: Result<(), TrainError>,
    /// Whether the logits were written, if somebody asked for them.
    pub kept_logits: Result<(), TrainError>,
}

/// Evaluates the run in `folder` with `weights` on every image of `split`. Writes the result into the folder, unless
/// the weights are a file of somebody else's; and the logits to the file `logits` where one is given.
///
/// # Errors
///
/// Data, config or weights that cannot be read. A file that cannot be written is told beside the result.
pub fn evaluate(
    folder: &RunFolder,
    split: Split,
    weights: &Weights,
    logits: Option<&Path>,
    setup: &Setup,
) -> Result<Evaluated, TrainError> {
    let experiment = folder.experiment()?;
    let network = Network::new(&experiment.model, experiment.seed, &setup.device)?;
    let Loaded { network, iteration, removed_prefix } = weights.load(folder, network)?;
    let data = data(&experiment, setup)?;
    let subset = match split {
        Split::Training => &data.training,
        Split::Validation => &data.validation,
        Split::Test => &data.test,
    };
    if subset.is_empty() {
        return Err(TrainError::NoImages { split: split.name() });
    }
    let mut kept = Logits::default();
    let evaluation = evaluate_subset(&experiment, setup, &network, subset, |images, rows| {
        if logits.is_some() {
            kept.add(&images.batch(&setup.device), rows);
        }
        Continue(())
    })?;
    if !evaluation.loss().is_finite() {
        return Err(TrainError::NotFinite);
    }
    let result = evaluation.result(split.name(), iteration, &data.data_set.class_names);
    let kept_files = match weights {
        Weights::File(_) => Ok(()),
        _ => folder.write_evaluation(&evaluation, &result),
    };
    let kept_logits = logits.map_or(Ok(()), |path| kept.write(path));
    Ok(Evaluated { result, removed_prefix, kept_files, kept_logits })
}

/// Every image of `subset` once, by a network without autodiff; `each` is given the images of every batch with their
/// logits, and may break off.
pub(crate) fn evaluate_subset(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    subset: &Subset,
    mut each: impl FnMut(&Selection<'_>, &burn::Tensor<2>) -> ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let mut evaluation = Evaluation::new(experiment.training.loss, experiment.model.classes()?);
    // Where the kernels take part in training, they evaluate what they all have a kernel for.
    let isa = instructions(experiment, setup)?.ok();
    let mut compiled = isa.and_then(|isa| Compiled::<InferencePlan>::new(network, isa).ok());
    for images in evaluation_selections(subset, EVALUATION_BATCH) {
        let logits = match &mut compiled {
            Some(compiled) => {
                let logits = compiled.logits(images.len(), &|place, to| images.write(place, to));
                let classes = logits.len() / images.len();
                burn::Tensor::from_data(TensorData::new(logits, [images.len(), classes]), &setup.device)
            }
            None => network.forward(images.batch(&setup.device).images, PassMode::Inference),
        };
        if each(&images, &logits).is_break() {
            break;
        }
        evaluation.add(logits, images.indices(), &images.labels());
    }
    Ok(evaluation)
}
