//! Going on with a run that was stopped, by whatever.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use backproof_models::Network;
use backproof_spec::{Engine, Experiment};

use crate::begun::{first_kernels, new_network};
use crate::checkpoint::{Checkpoint, Position};
use crate::computation::{hint, trainer_config, without_kernels};
use crate::data::data;
use crate::run::Notes;
use crate::run_folder::{RUN_SCHEMA, RunRecord, RunStatus};
use crate::setup::class_names;
use crate::tensorboard::{self, EventFile};
use crate::training::Run;
use crate::{
    CheckpointName, Computation, Ending, Observer, RunFolder, Setup, TrainError, Trainer, TrainingLoss, imbalance,
    warm_start,
};

/// Goes on with the run in `folder` up to `iterations` if that is given, else to the config's end: from the checkpoint
/// that is asked for, else from the last one, else from the best one. A run that was stopped before it saved any begins
/// again in its folder, since it is a function of its config. Wherever it goes on from, it ends with the bits of the
/// run that was never stopped, unless another engine, or other instructions, compute it: then the observer is warned.
///
/// A damaged checkpoint is an error that names the other one. It is not passed over, because only the user can say
/// which weights the run should go on with.
///
/// # Errors
///
/// As [`train`](crate::train); and a checkpoint that is not there, damaged, of another version or of another config
/// than the folder's, other data than the run began with, or a run that is done.
pub fn resume(
    folder: RunFolder,
    iterations: Option<usize>,
    checkpoint: Option<CheckpointName>,
    setup: &Setup,
    observer: &mut (dyn Observer + Send),
    stop: &AtomicBool,
) -> Result<Ending, TrainError> {
    let folder = folder.locked()?;
    let mut experiment = folder.experiment()?;
    let mut record = folder.record()?;
    let from = from(&folder, checkpoint)?;
    let began = from.as_ref().map(Checkpoint::experiment).transpose()?.flatten();
    let began = began.map(|began| record.in_names_of_today(began));
    let (network, position) = match &from {
        Some(checkpoint) => {
            if let Some(began) = began.clone() {
                same_config(&experiment, began, checkpoint)?;
            }
            load(checkpoint, &experiment, &record, setup)?
        }
        None => begin_again(&experiment, &record, setup)?,
    };
    if let Some(iterations) = iterations {
        experiment.training.iterations = iterations;
    }
    let of = experiment.training.iterations;
    let done = record.status == RunStatus::Done;
    if done && let Some(ended_early) = position.ended_early(&experiment.training) {
        folder.sweep_up_locked();
        return Err(TrainError::EndedEarly(ended_early));
    }
    if position.iteration > of || (position.iteration == of && done) {
        folder.sweep_up_locked();
        return Err(TrainError::NothingLeft { at: position.iteration, of });
    }
    let hint = hint(&experiment, setup, &network);
    let fresh = from.is_none().then(|| network.clone());
    let copies = from.as_ref().map(|from| from.load_copies(&network)).transpose()?;
    let trainer = Trainer::load(trainer_config(&experiment, setup)?, network, |optimizer| match &from {
        Some(from) => from.load_optimizer(optimizer),
        None => Ok(optimizer),
    })?;
    let [average, slow] = copies.unwrap_or_default();
    let mut trainer = trainer.with_copies(average, slow);
    let computation = Computation::new(&experiment, setup, &trainer, position.iteration)?;
    let mut data = data(&experiment, setup, observer, stop)?;
    if let Some(network) = fresh.and_then(|network| first_kernels(&network, record.warm_start.as_ref(), &data)) {
        trainer = Trainer::new(trainer_config(&experiment, setup)?, network)?;
    }
    same_data(&record.data_checksums, &data.checksums)?;
    let (as_begun, classes) = (record.with_class_weights(&experiment.training), experiment.model.classes()?);
    let trainer = trainer.with_loss(TrainingLoss::new(&as_begun, classes, &data.training));
    let class_weights = imbalance::class_weights(&as_begun, classes, &data.training);
    imbalance::note(&experiment, class_weights.as_deref(), &mut data);

    folder.sweep_up_locked();
    // First, for it may fail, and then the run stays as it is.
    folder.rewind_lines(position.iteration, position.reported(), done)?;
    if iterations.is_some() || record.schema_version < RUN_SCHEMA {
        // Before `run.json` says that the config is in the names of today; those of today mean the same in both.
        folder.write_config(&experiment)?;
    }
    if from.is_some_and(|from| from.folder() != folder.last().folder()) {
        // What was there is damaged, ahead or not there at all, and there may be no iteration left to save one after.
        folder.last().save(&trainer.kept(), &experiment, &position, None)?;
    }
    let events = events(&folder, setup, &position)?;
    // A folder of an earlier version has none.
    folder.write_normalizer(&data.normalizer)?;
    folder.write_image_statistics(&data, &experiment)?;
    folder.log(&format!("resumed at iteration {}", position.iteration))?;
    let began = began.map_or(computation.engine, |began| began.engine);
    let mut warnings: Vec<String> = without_kernels(&experiment, &computation)?.into_iter().collect();
    if let Some(warning) = note(&mut record, began, &computation) {
        let lines = computation.lines().join("\n");
        folder.log(&format!("warning: {warning}\n{lines}"))?;
        warnings.push(warning);
    }
    // The record of an earlier version has none.
    record.class_weights = class_weights.unwrap_or_default();
    record.schema_version = RUN_SCHEMA;
    record.status = RunStatus::Running;
    record.ended = None;
    record.summary = None;
    folder.write_record(&record)?;
    let run = Run { experiment: &experiment, setup, data: &data, folder: &folder };
    let notes = Notes { hint, warnings };
    run.finish(trainer, position, record, notes, events, observer, stop)
}

/// Adds what computes the run from here on to the record, and says whether that changes the bits. `began` is the engine
/// of a record that has no computations yet, as those before version 2; their instructions are not known.
fn note(record: &mut RunRecord, began: Engine, now: &Computation) -> Option<String> {
    if record.computations.is_empty() {
        let backend = record.backend.clone();
        record.computations.push(Computation { from: 0, backend, engine: began, ..now.clone() });
    }
    record.computations.retain(|computation| computation.from < now.from);
    let Some(before) = record.computations.last() else {
        record.computations.push(now.clone());
        return None;
    };
    let warning = before.change(now, now.from)?;
    record.computations.push(now.clone());
    Some(warning)
}

/// The event file of a run that goes on from `position`, if it has events or is to have them from now on. Then the
/// figures so far are in it too.
fn events(folder: &RunFolder, setup: &Setup, position: &Position) -> Result<Option<EventFile>, TrainError> {
    let reported = position.reported();
    if tensorboard::is_on(folder.path()) {
        tensorboard::rewind(folder.path(), reported)?;
        let mut events = EventFile::create(folder.path(), reported)?;
        // What was seen in an iteration whose report was not made is cut as well.
        let looks = folder.looks()?.into_iter().filter(|look| look.iteration > reported);
        looks.into_iter().try_for_each(|look| events.look(&look))?;
        return Ok(Some(events));
    }
    if !setup.tensorboard {
        return Ok(None);
    }
    let mut events = EventFile::create(folder.path(), 0)?;
    let (reports, looks) = (folder.reports()?, folder.looks()?);
    // By rising steps, as a run writes them, so that they can be cut again.
    let mut looks = looks.iter().peekable();
    for report in &reports {
        while let Some(look) = looks.next_if(|look| look.iteration <= report.iteration) {
            events.look(look)?;
        }
        events.report(report)?;
    }
    looks.try_for_each(|look| events.look(look))?;
    Ok(Some(events))
}

/// The checkpoint to go on from; `None` in a folder that never had one.
fn from(folder: &RunFolder, asked: Option<CheckpointName>) -> Result<Option<Checkpoint>, TrainError> {
    if let Some(asked) = asked {
        let checkpoint = folder.checkpoint(asked);
        let missing = || TrainError::NoCheckpoint { folder: checkpoint.folder().to_owned() };
        return if checkpoint.exists() { Ok(Some(checkpoint)) } else { Err(missing()) };
    }
    match [folder.last(), folder.best()].into_iter().find(Checkpoint::is_there) {
        Some(checkpoint) => Ok(Some(checkpoint)),
        None => Ok(None),
    }
}

fn load(
    checkpoint: &Checkpoint,
    experiment: &Experiment,
    record: &RunRecord,
    setup: &Setup,
) -> Result<(Network, Position), TrainError> {
    let mut network = new_network(experiment, setup)?;
    if let Some(warm_start) = &record.warm_start {
        network = network.freeze(warm_start.frozen.iter().cloned());
    }
    checkpoint.load_network(network)
}

/// The first iteration once more.
fn begin_again(experiment: &Experiment, record: &RunRecord, setup: &Setup) -> Result<(Network, Position), TrainError> {
    let mut network = new_network(experiment, setup)?;
    if let (Some(asked), Some(began)) = (&experiment.warm_start, &record.warm_start) {
        let (begun, found) = warm_start::begin(asked, network, &class_names(&experiment.data, setup))?;
        same(&found.source, &began.weights_sha256, &found.weights_sha256)?;
        network = begun;
    }
    Ok((network, Position::default()))
}

/// Refuses a config that was changed in what the numbers depend on: the run would be neither the old one nor the new
/// one.
fn same_config(experiment: &Experiment, mut saved: Experiment, checkpoint: &Checkpoint) -> Result<(), TrainError> {
    // Going on further, by another engine, or saving or looking more often, is what one may well want.
    saved.engine = experiment.engine;
    saved.kernels = experiment.kernels;
    saved.training.iterations = experiment.training.iterations;
    saved.training.checkpoint_every = experiment.training.checkpoint_every;
    saved.training.keep.clone_from(&experiment.training.keep);
    saved.training.layers_every = experiment.training.layers_every;
    saved.explained_images = experiment.explained_images;
    saved.expect.clone_from(&experiment.expect);
    if saved == *experiment {
        return Ok(());
    }
    let (now, then) = (experiment.to_toml(), saved.to_toml());
    let change = now.lines().zip(then.lines()).find(|(now, then)| now != then);
    let change = change.map_or_else(String::new, |(now, then)| format!(": now `{now}`, then `{then}`"));
    Err(TrainError::OtherConfig { checkpoint: checkpoint.folder().to_owned(), change })
}

fn same_data(began: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Result<(), TrainError> {
    for (name, expected) in began {
        same(name, expected, found.get(name).map_or("none", String::as_str))?;
    }
    Ok(())
}

fn same(name: &str, expected: &str, found: &str) -> Result<(), TrainError> {
    if expected == found {
        return Ok(());
    }
    Err(TrainError::OtherFile { name: name.to_owned(), expected: expected.to_owned(), found: found.to_owned() })
}

#[cfg(test)]
mod tests;
