//! A run from its first iteration to its end.

use std::collections::BTreeMap;
use std::ops::ControlFlow::Continue;
use std::sync::atomic::AtomicBool;

use backproof_data::Subset;
use backproof_spec::{Experiment, counted};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::begun::Begun;
use crate::checkpoint::Position;
use crate::computation::without_kernels;
use crate::evaluate::evaluate_subset;
use crate::run_folder::{RUN_SCHEMA, RunRecord, RunStatus};
use crate::tensorboard::EventFile;
use crate::training::{Run, Training};
use crate::{Ending, Observer, RunFolder, Setup, Started, TrainError, Trainer};

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
    let Begun { experiment, mut warm_start, trainer, computation, data, class_weights, warnings, hint } =
        Begun::new(experiment, setup, observer, stop)?;
    if let Some(record) = &mut warm_start
        && !data.validation.is_empty()
    {
        let evaluation =
            evaluate_subset(&experiment, setup, &trainer.network(), &data.validation, |_, _| Continue(()))?;
        record.validation_accuracy = Some(evaluation.accuracy());
    }
    let folder = RunFolder::create(&setup.runs_dir, &experiment)?;
    folder.log(&computation.lines().join("\n"))?;
    let parameters = experiment.model.trainable_parameters()?;
    folder.log(&format!("network      {}: {}", experiment.model.name, counted(parameters, "trainable parameter")))?;
    let warnings: Vec<String> = without_kernels(&experiment, &computation)?.into_iter().chain(warnings).collect();
    warnings.iter().try_for_each(|warning| folder.log(&format!("warning: {warning}")))?;
    data.notes.iter().try_for_each(|note| folder.log(&format!("data: {note}")))?;
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
        class_names: data.data_set.class_names.clone(),
        class_weights: class_weights.unwrap_or_default(),
        seed: experiment.seed,
        computations: vec![computation],
        trainable_parameters: parameters,
        warm_start,
        status: RunStatus::Running,
        started: now(),
        ended: None,
        summary: None,
    };
    folder.write_normalizer(&data.normalizer)?;
    folder.write_image_statistics(&data, &experiment)?;
    folder.write_record(&record)?;
    let events = setup.tensorboard.then(|| EventFile::create(folder.path(), 0)).transpose()?;
    let run = Run { experiment: &experiment, setup, data: &data, folder: &folder };
    let notes = Notes { hint, warnings };
    run.finish(trainer, Position::default(), record, notes, events, observer, stop)
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).expect("UTC has an RFC 3339 form")
}

/// What a person is told when training begins.
pub(crate) struct Notes {
    pub(crate) hint: Option<&'static str>,
    pub(crate) warnings: Vec<String>,
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
            notes: &self.data.notes,
            device: &self.setup.device_name,
            computation: record.computations.last().expect("a run is computed somehow"),
            hint: notes.hint,
            warnings: &notes.warnings,
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
