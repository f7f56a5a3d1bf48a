//! A run from its first iteration to its end, and evaluations.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Continue};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_compiled::InferencePlan;
use backproof_data::{Prepared, Selection, Subset, evaluation_selections, prepare};
use backproof_models::{Compiled, Network, PassMode};
use backproof_spec::Experiment;
use burn::module::Module;
use burn::tensor::TensorData;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::checkpoint::Position;
use crate::computation::{hint, instructions, trainer_config};
use crate::logits::Logits;
use crate::optimizer::new_optimizer;
use crate::run_folder::{RUN_SCHEMA, RunRecord, RunStatus};
use crate::tensorboard::EventFile;
use crate::training::Training;
use crate::weights::Loaded;
use crate::{
    Computation, Ending, Evaluation, EvaluationResult, Observer, RunFolder, Setup, Split, Started, TrainError, Trainer,
    Weights, warm_start,
};

/// Images per batch when a network is evaluated; it changes the time, not the figures.
const EVALUATION_BATCH: usize = 250;

/// Trains `experiment` from its first iteration in a new run folder.
///
/// `stop` is looked at after every iteration and after every batch of an evaluation; when it is true, a checkpoint is
/// saved and the run ends. A validation that is broken off is made when the run goes on.
///
/// # Errors
///
/// Data that cannot be loaded, files that cannot be written, and [`TrainError::Diverged`].
pub fn train(
    experiment: &Experiment,
    setup: &Setup,
    observer: &mut (dyn Observer + Send),
    stop: &AtomicBool,
) -> Result<Ending, TrainError> {
    let mut experiment = experiment.clone();
    let mut network = new_network(&experiment, setup)?;
    let mut warm_start = None;
    if let Some(asked) = &mut experiment.warm_start {
        let (begun, record) = warm_start::begin(asked, network)?;
        network = begun;
        // `latest` will be another run tomorrow.
        asked.init_from.clone_from(&record.source);
        warm_start = Some(record);
    }
    let hint = hint(&experiment, setup, &network);
    let begun = warm_start.is_some().then(|| network.valid());
    // An engine that cannot run the network is an error before any data is read, and before there is a folder.
    let trainer = Trainer::new(trainer_config(&experiment, setup)?, network, new_optimizer(&experiment.optimizer))?;
    let computation = Computation::new(&experiment, setup, &trainer, 0)?;
    let data = data(&experiment, setup)?;
    if let (Some(record), Some(begun)) = (&mut warm_start, begun)
        && !data.validation.is_empty()
    {
        let evaluation = evaluate_subset(&experiment, setup, &begun, &data.validation, |_, _| Continue(()))?;
        record.validation_accuracy = Some(evaluation.accuracy());
    }
    let folder = RunFolder::create(&setup.runs_dir, &experiment)?;
    folder.log(&computation.lines().join("\n"))?;
    if let Some(record) = &warm_start {
        folder.log(&record.to_string())?;
    }
    let record = RunRecord {
        schema_version: RUN_SCHEMA,
        experiment: experiment.name.clone(),
        command_line: setup.command_line.clone(),
        versions: BTreeMap::from([
            ("backproof".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("burn".to_owned(), crate::BURN_VERSION.to_owned()),
        ]),
        git_revision: setup.git_revision.clone(),
        backend: setup.backend.clone(),
        device: setup.device_name.clone(),
        data_checksums: data.checksums.clone(),
        seed: experiment.seed,
        computations: vec![computation],
        trainable_parameters: experiment.model.trainable_parameters()?,
        warm_start,
        status: RunStatus::Running,
        started: now(),
        ended: None,
        summary: None,
    };
    folder.write_normalizer(&data.normalizer)?;
    folder.write_record(&record)?;
    let events = setup.tensorboard.then(|| EventFile::create(folder.path(), 0)).transpose()?;
    let run = Run { experiment: &experiment, setup, data: &data, folder: &folder };
    let notes = Notes { hint, warning: None };
    run.finish(trainer, Position::default(), record, notes, events, observer, stop)
}

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

/// The data of the experiment, which goes with it.
pub(crate) fn data(experiment: &Experiment, setup: &Setup) -> Result<Prepared, TrainError> {
    let data = prepare(&experiment.data, setup.data_dir.as_deref(), experiment.seed)?;
    experiment.check_data_set(&data.data_set)?;
    Ok(data)
}

pub(crate) fn new_network(experiment: &Experiment, setup: &Setup) -> Result<Network, TrainError> {
    Ok(Network::new(&experiment.model, experiment.seed, &setup.device.clone().autodiff())?)
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

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).expect("UTC has an RFC 3339 form")
}

/// What a person is told when training begins.
pub(crate) struct Notes {
    pub(crate) hint: Option<&'static str>,
    pub(crate) warning: Option<String>,
}

/// One run: what does not change while it trains.
pub(crate) struct Run<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) setup: &'a Setup,
    pub(crate) data: &'a Prepared,
    pub(crate) folder: &'a RunFolder,
}

impl Run<'_> {
    /// Trains from `position`, evaluates, and leaves the record with the status that fits.
    #[allow(clippy::too_many_arguments)] // the state of a run
    pub(crate) fn finish(
        &self,
        trainer: Trainer,
        position: Position,
        mut record: RunRecord,
        notes: Notes,
        events: Option<EventFile>,
        observer: &mut (dyn Observer + Send),
        stop: &AtomicBool,
    ) -> Result<Ending, TrainError> {
        observer.started(&Started {
            experiment: self.experiment,
            folder: self.folder.path(),
            iteration: position.iteration,
            warm_start: record.warm_start.as_ref(),
            images: [&self.data.training, &self.data.validation, &self.data.test].map(Subset::len),
            device: &self.setup.device_name,
            computation: record.computations.last().expect("a run is computed somehow"),
            hint: notes.hint,
            warning: notes.warning.as_deref(),
        });
        // On a thread of the pool: every step then begins where its work is, without waking anybody.
        let ending = rayon::scope(|_| Training::new(self, trainer, position, events, observer, stop).finish());
        record.status = match &ending {
            Ok(Ending::Finished(finished)) => {
                record.summary = Some(finished.summary.clone());
                RunStatus::Done
            }
            Ok(Ending::Interrupted { .. }) => RunStatus::Interrupted,
            Err(TrainError::Diverged { .. }) => RunStatus::Diverged,
            Err(_) => RunStatus::Failed,
        };
        record.ended = Some(now());
        if let Err(error) = &ending {
            // The first error is the one to tell; a full disk may refuse these lines too.
            let _ = self.folder.log(&format!("stopped: {error}"));
            let _ = self.folder.write_record(&record);
        } else {
            self.folder.write_record(&record)?;
        }
        ending
    }
}

#[cfg(test)]
mod tests;
