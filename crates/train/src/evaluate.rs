//! Evaluations: of a run on a part of its data set, and of a network on some images.

use std::ops::ControlFlow::{self, Break, Continue};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use backproof_compiled::InferencePlan;
use backproof_data::{Prepared, Selection, Subset, evaluation_selections};
use backproof_models::{Changes, Compiled, Network, PassMode};
use backproof_spec::Experiment;
use burn::tensor::TensorData;

use crate::areas::Counts;
use crate::computation::instructions;
use crate::data::data;
use crate::evaluation::host_rows;
use crate::explained::ExplainedImages;
use crate::logits::Logits;
use crate::loss::score;
use crate::setup::class_names;
use crate::views::mean_logits;
use crate::weights::{Loaded, load_file};
use crate::{Evaluation, EvaluationResult, MOST_KEPT, Observer, RunFolder, Setup, Split, TrainError, Weights};

/// Images per batch when a network is evaluated, and logits per batch, of many classes; they change the time, not the
/// figures.
const EVALUATION_BATCH: usize = 250;
const EVALUATION_LOGITS: usize = 2_000_000;

/// What an evaluation found, and whether it is kept in files.
#[derive(Debug)]
pub struct Evaluated {
    /// What it found.
    pub result: EvaluationResult,
    /// What was done to a weights file before its tensors were taken.
    pub changes: Changes,
    /// Names of data whose files are not those that the run was trained on.
    pub other_data: Vec<String>,
    /// Whether the result was written into the run folder; nothing is to write for weights of a file.
    pub kept_files: Result<(), TrainError>,
    /// Whether the logits were written, if somebody asked for them.
    pub kept_logits: Result<(), TrainError>,
}

/// Evaluates the run in `folder` with `weights` on every image of `split`. Writes the result into the folder, unless
/// the weights are a file of somebody else's; and the logits to the file `logits` where one is given. `observer` is
/// told how far the reading of a folder of images is.
///
/// # Errors
///
/// Data, config or weights that cannot be read, and [`TrainError::Stopped`] where `stop` became true. A file that
/// cannot be written is told beside the result.
pub fn evaluate(
    folder: &RunFolder,
    split: Split,
    weights: &Weights,
    logits: Option<&Path>,
    setup: &Setup,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Evaluated, TrainError> {
    let experiment = folder.experiment()?;
    let network = Network::new(&experiment.model, experiment.seed, &setup.device)?;
    let loaded = weights.load(folder, network, &class_names(&experiment.data, setup))?;
    let network = loaded.network.clone();
    let (evaluation, mut evaluated, data) = evaluate_loaded(&experiment, loaded, split, logits, setup, observer, stop)?;
    if let Ok(record) = folder.record() {
        let is_other = |(name, sum): &(&String, &String)| data.checksums.get(*name) != Some(*sum);
        evaluated.other_data = record.data_checksums.iter().filter(is_other).map(|(name, _)| name.clone()).collect();
    }
    if !matches!(weights, Weights::File(_)) {
        let iteration = evaluated.result.iteration;
        evaluated.kept_files = folder.write_evaluation(&evaluation, &evaluated.result).and_then(|()| match split {
            Split::Test => keep_explained(folder, &experiment, &network, &data.test, &evaluation, iteration),
            Split::Training | Split::Validation => Ok(()),
        });
    }
    Ok(evaluated)
}

/// Evaluates the network of `experiment` with the weights of the file `weights` on every image of `split`, without a
/// run. The data is prepared as for a run: the normaliser is fitted on the training images of the experiment. Writes
/// the logits to the file `logits` where one is given, and nothing else.
///
/// # Errors
///
/// Data or weights that cannot be read, and [`TrainError::Stopped`] where `stop` became true. A file that cannot be
/// written is told beside the result.
pub fn evaluate_weights(
    experiment: &Experiment,
    split: Split,
    weights: &Path,
    logits: Option<&Path>,
    setup: &Setup,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Evaluated, TrainError> {
    let network = Network::new(&experiment.model, experiment.seed, &setup.device)?;
    let loaded = load_file(weights, network, &class_names(&experiment.data, setup))?;
    let (_, evaluated, _) = evaluate_loaded(experiment, loaded, split, logits, setup, observer, stop)?;
    Ok(evaluated)
}

/// The evaluation of a network with its weights, and the data. Nothing is written but the logits.
fn evaluate_loaded(
    experiment: &Experiment,
    loaded: Loaded,
    split: Split,
    logits: Option<&Path>,
    setup: &Setup,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<(Evaluation, Evaluated, Prepared), TrainError> {
    let Loaded { network, iteration, changes } = loaded;
    let data = data(experiment, setup, observer, stop)?;
    let subset = match split {
        Split::Training => &data.training,
        Split::Validation => &data.validation,
        Split::Test => &data.test,
    };
    if subset.is_empty() {
        return Err(TrainError::NoImages { split: split.name() });
    }
    let mut kept = Logits::default();
    let evaluation = evaluate_with_areas(experiment, setup, &network, subset, |images, rows| {
        if logits.is_some() && kept.images() < subset.len() {
            kept.add(&images.batch(&setup.device), rows);
        }
        if stop.load(Ordering::Relaxed) { Break(()) } else { Continue(()) }
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(TrainError::Stopped);
    }
    if !evaluation.loss().is_finite() {
        return Err(TrainError::NotFinite);
    }
    let result = evaluation.result(split.name(), iteration, &data.data_set.class_names);
    let kept_logits = logits.map_or(Ok(()), |path| kept.write(path));
    let evaluated = Evaluated { result, changes, other_data: Vec::new(), kept_files: Ok(()), kept_logits };
    Ok((evaluation, evaluated, data))
}

/// Keeps where `network` looks in a few of the test images that were evaluated, where the experiment asks for it.
pub(crate) fn keep_explained(
    folder: &RunFolder,
    experiment: &Experiment,
    network: &Network,
    test: &Subset,
    evaluation: &Evaluation,
    iteration: Option<usize>,
) -> Result<(), TrainError> {
    if experiment.explained_images == 0 {
        return Ok(());
    }
    let most = experiment.explained_images;
    folder.write_explained(&ExplainedImages::new(network, test, &evaluation.predictions, most, iteration)?)
}

/// The evaluation of `subset` with all its figures. Of more than [`MOST_KEPT`] classes, the areas of the classes take a
/// second pass over the images; `each` is given those of both passes, and may break off.
pub(crate) fn evaluate_with_areas(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    subset: &Subset,
    mut each: impl FnMut(&Selection<'_>, &burn::Tensor<2>) -> ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let evaluation = evaluate_subset(experiment, setup, network, subset, &mut each)?;
    let classes = experiment.model.classes()?;
    if classes <= MOST_KEPT || evaluation.images() < subset.len() {
        return Ok(evaluation);
    }
    let own = evaluation.predictions.iter().map(|it| (it.label, it.of_label())).collect();
    let mut counts = Counts::new(classes, own);
    for_each_batch(experiment, setup, network, subset, |images, logits| {
        each(images, &logits)?;
        for (row, label) in host_rows(logits).iter().zip(images.labels()) {
            counts.add(&score(experiment.training.loss, row, label).probabilities, label);
        }
        Continue(())
    })?;
    Ok(evaluation.with_areas(counts.areas()))
}

/// Every image of `subset` once, in the views of the experiment, by a network without autodiff; `each` is given the
/// images of every batch with their logits, and may break off.
pub(crate) fn evaluate_subset(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    subset: &Subset,
    mut each: impl FnMut(&Selection<'_>, &burn::Tensor<2>) -> ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let mut evaluation = Evaluation::new(experiment.training.loss, experiment.model.classes()?).by(experiment.views);
    for_each_batch(experiment, setup, network, subset, |images, logits| {
        each(images, &logits)?;
        evaluation.add(logits, images.indices(), &images.labels());
        Continue(())
    })?;
    Ok(evaluation)
}

/// The logits of every batch of `subset`, until `each` breaks off.
fn for_each_batch(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    subset: &Subset,
    mut each: impl FnMut(&Selection<'_>, burn::Tensor<2>) -> ControlFlow<()>,
) -> Result<(), TrainError> {
    // Where the kernels take part in training, they evaluate what they all have a kernel for.
    let isa = instructions(experiment, setup)?.ok();
    let mut compiled = isa.and_then(|isa| Compiled::<InferencePlan>::new(network, isa).ok());
    let batch = (EVALUATION_LOGITS / experiment.model.classes()?).clamp(1, EVALUATION_BATCH);
    for images in evaluation_selections(subset, batch) {
        let logits = mean_logits(experiment.views, &images, |images| match &mut compiled {
            Some(compiled) => {
                let logits = compiled.logits(images.len(), &|place, to| images.write(place, to));
                let classes = logits.len() / images.len();
                burn::Tensor::from_data(TensorData::new(logits, [images.len(), classes]), &setup.device)
            }
            None => network.forward(images.batch(&setup.device).images, PassMode::Inference),
        });
        if each(&images, logits).is_break() {
            break;
        }
    }
    Ok(())
}
