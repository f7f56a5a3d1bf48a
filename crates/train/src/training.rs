//! The training loop, from top to bottom.
//!
//! The final evaluation on the test images is of the last weights, as the published results are, and not of the best by
//! validation. `evaluate --checkpoint best` gives the other. A config whose early stopping restores the best epoch asks
//! for the weights of that.

use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use backproof_data::{Prepared, Selection, TrainingBatches};
use backproof_models::{Network, WeightsError, load_weights, save_weights};
use backproof_spec::{Averages, EarlyStopping, Experiment, Watch};

use crate::checkpoint::{Best, Checkpoint, Position};
use crate::evaluate::{evaluate_subset, evaluate_with_areas, keep_explained};
use crate::look;
use crate::probe::Probe;
use crate::report::Window;
use crate::run_folder::{BestValidation, Summary, TEST_RESULT};
use crate::tensorboard::EventFile;
use crate::{
    EndedEarly, Ending, Evaluation, Finished, Observer, RunFolder, Setup, Split, Step, TrainError, Trainer,
    restored_in_words,
};

mod figures;

/// One run: what does not change while it trains.
pub(crate) struct Run<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) setup: &'a Setup,
    pub(crate) data: &'a Prepared,
    pub(crate) folder: &'a RunFolder,
}

/// A run while it trains.
pub(crate) struct Training<'a> {
    run: &'a Run<'a>,
    trainer: Trainer,
    /// Iterations done, and what was found since the last report.
    position: Position,
    batches: TrainingBatches,
    events: Option<EventFile>,
    observer: &'a mut (dyn Observer + Send),
    stop: &'a AtomicBool,
    clock: Clock,
    /// Where the layers are looked at.
    probe: Option<Probe>,
}

/// When this process began, and where the run was then.
struct Clock {
    started: Instant,
    iteration: usize,
    seconds: f64,
}

/// Whether a run goes on.
enum Next {
    GoOn,
    Stop,
}

impl<'a> Training<'a> {
    pub(crate) fn new(
        run: &'a Run<'a>,
        trainer: Trainer,
        position: Position,
        events: Option<EventFile>,
        observer: &'a mut (dyn Observer + Send),
        stop: &'a AtomicBool,
    ) -> Self {
        let batches = run.data.training_batches(run.experiment.training.batch_size);
        let clock = Clock { started: Instant::now(), iteration: position.iteration, seconds: position.seconds };
        let probe = (run.experiment.training.layers_every > 0).then(|| Probe::new(run.data, trainer.kernels()));
        Self { run, trainer, position, batches, events, observer, stop, clock, probe }
    }

    /// Trains from where the run is, and evaluates the network on the test images.
    pub(crate) fn finish(mut self) -> Result<Ending, TrainError> {
        // A run that was stopped in a validation has done the iteration, and its report is left to make.
        if self.position.reported() < self.position.iteration
            && self.is_report_due()
            && let Next::Stop = self.report_and_save()?
        {
            return self.interrupted();
        }
        if self.position.iteration == 0 {
            self.keep()?;
        }
        while !self.is_over() {
            self.step()?;
            self.keep()?;
            if let Next::Stop = self.report_and_save()? {
                return self.interrupted();
            }
        }
        self.end()
    }

    /// One iteration.
    fn step(&mut self) -> Result<(), TrainError> {
        let began = Instant::now();
        let step = self.position.iteration;
        let images = self.batches.select(step);
        let training = &self.run.experiment.training;
        let mut seen = look::is_due(step + 1, training.layers_every, training.iterations).then(Vec::new);
        let Step { loss, correct } = self.trainer.step_seen(&images, step, seen.as_mut());
        if !loss.is_finite() {
            return Err(self.diverged(step + 1, format!("the loss is {loss}"), images.indices()));
        }
        self.position.iteration += 1;
        self.position.window.add(images.len(), correct, loss, began.elapsed().as_secs_f64());
        if self.run.experiment.training.averages == Averages::Moving {
            let decay = if self.trainer.decays() { self.trainer.weight_decay_loss() } else { 0.0 };
            let accuracy = correct as f64 / images.len() as f64;
            self.position.moving.get_or_insert_default().add(loss, loss + decay, accuracy);
        }
        if let Some(rule) = self.run.experiment.training.early_stopping {
            let epoch_end = self.is_epoch_end();
            let watched = self.position.watched.get_or_insert_default();
            watched.add(images.len(), loss);
            if rule.watch == Watch::TrainingLoss && epoch_end {
                let value = watched.training_loss();
                self.end_epoch(&rule, value)?;
            }
        }
        if let Some(tensors) = seen {
            self.look(tensors)?;
        }
        self.position.seconds = self.clock.seconds + self.clock.started.elapsed().as_secs_f64();
        self.observer.iteration(self.position.iteration);
        Ok(())
    }

    /// What is due after an iteration: a report, and with it the best checkpoint; and the last checkpoint.
    fn report_and_save(&mut self) -> Result<Next, TrainError> {
        if self.is_report_due()
            && let Next::Stop = self.report()?
        {
            self.save(&self.run.folder.last())?;
            return Ok(Next::Stop);
        }
        let training = &self.run.experiment.training;
        let stopping = self.stop.load(Ordering::Relaxed) && !self.is_over();
        if self.is_due(training.checkpoint_every) || stopping {
            self.save(&self.run.folder.last())?;
        }
        Ok(if stopping { Next::Stop } else { Next::GoOn })
    }

    /// Validates where that is due, and writes the report. A validation that is stopped leaves it to make.
    fn report(&mut self) -> Result<Next, TrainError> {
        let mut validation = None;
        if self.is_validation_due() {
            validation = self.evaluate(Split::Validation, &self.trainer.evaluated_network())?;
            if validation.is_none() {
                return Ok(Next::Stop);
            }
        }
        self.watch(validation.as_ref())?;
        if let (Some(moving), Some(validation)) = (&mut self.position.moving, &validation) {
            moving.validate(validation.accuracy());
        }
        let report = self.figures(validation.as_ref());
        let not_finite = if !report.weight_decay_loss.is_finite() {
            Some("a weight is not finite")
        } else if report.validation_loss.is_some_and(|loss| !loss.is_finite()) {
            Some("the loss of a validation image is not finite")
        } else {
            None
        };
        if let Some(what) = not_finite {
            return Err(self.diverged(self.position.iteration, what.to_owned(), &self.last_batch()));
        }
        self.run.folder.append_report(&report)?;
        if let Some(events) = &mut self.events {
            events.report(&report)?;
        }
        self.observer.report(&report);
        self.position.window = Window::default();

        if let Some(validation_accuracy) = validation.as_ref().map(Evaluation::accuracy)
            && self.position.best.as_ref().is_none_or(|best| validation_accuracy > best.validation_accuracy)
        {
            self.position.best = Some(Best { iteration: self.position.iteration, validation_accuracy });
            self.save(&self.run.folder.best())?;
        }
        Ok(Next::GoOn)
    }

    /// Gives a validation at the end of an epoch to early stopping, where that watches it.
    fn watch(&mut self, validation: Option<&Evaluation>) -> Result<(), TrainError> {
        let (Some(rule), Some(validation)) = (self.run.experiment.training.early_stopping, validation) else {
            return Ok(());
        };
        let value = match rule.watch {
            Watch::TrainingLoss => return Ok(()),
            Watch::ValidationLoss => validation.loss(),
            Watch::ValidationAccuracy => validation.accuracy(),
        };
        if self.is_epoch_end() { self.end_epoch(&rule, value) } else { Ok(()) }
    }

    /// Gives the value of an epoch to early stopping, and keeps the weights of the best one where the run is to end
    /// with them.
    fn end_epoch(&mut self, rule: &EarlyStopping, value: f64) -> Result<(), TrainError> {
        let watched = self.position.watched.get_or_insert_default();
        if watched.end_epoch(rule, value, self.position.iteration) && rule.restore_best {
            let weights =
                save_weights(&self.trainer.evaluated_network()).map_err(|error| self.unsaved(error.into()))?;
            self.position.best_epoch = Some(Arc::new(weights));
        }
        Ok(())
    }

    /// The evaluation on the test images, and the result of the run.
    fn end(self) -> Result<Ending, TrainError> {
        let Run { experiment, data, folder, .. } = *self.run;
        let ended_early = self.ended_early();
        if let Some(ended_early) = &ended_early {
            self.observer.ended_early(ended_early);
        }
        let mut network = self.trainer.evaluated_network();
        let restored = self.position.restored();
        if let (Some(iteration), Some(weights)) = (restored, &self.position.best_epoch) {
            network = load_weights(network, weights, &[])?.0;
            self.observer.restored(iteration);
        }
        self.observer.evaluating(data.test.len());
        let Some(evaluation) = self.evaluate(Split::Test, &network)? else {
            // The last checkpoint is saved; what is left to do is this evaluation.
            return self.interrupted();
        };
        if !evaluation.loss().is_finite() {
            let what = "the loss of a test image is not finite".to_owned();
            return Err(self.diverged(self.position.iteration, what, &[]));
        }
        let iteration = restored.unwrap_or(self.position.iteration);
        let result = evaluation.result(Split::Test.name(), Some(iteration), &data.data_set.class_names);
        folder.write_evaluation(&evaluation, &result)?;
        keep_explained(folder, experiment, &network, &data.test, &evaluation, Some(iteration))?;
        if let Some(ended_early) = &ended_early {
            folder.log(&ended_early.to_string())?;
        }
        if let Some(iteration) = restored {
            folder.log(&restored_in_words(iteration))?;
        }
        folder.log(&format!(
            "{TEST_RESULT}{:.2} %, loss {:.4}, over {}{}",
            100.0 * result.accuracy,
            result.loss,
            backproof_spec::counted(result.images, "image"),
            result.views.in_words().map_or(String::new(), |views| format!(", {views}"))
        ))?;
        self.observer.evaluated(&result);
        let summary = Summary {
            test_accuracy: result.accuracy,
            test_loss: result.loss,
            best_validation: self
                .position
                .best
                .map(|best| BestValidation { accuracy: best.validation_accuracy, iteration: best.iteration }),
            training_seconds: self.position.seconds,
            ended_early,
            restored,
        };
        Ok(Ending::Finished(Box::new(Finished {
            folder: folder.path().to_owned(),
            result,
            summary,
            expected_accuracy: experiment.expect.as_ref().map(|expect| expect.test_accuracy),
        })))
    }

    fn interrupted(&self) -> Result<Ending, TrainError> {
        let (folder, iteration) = (self.run.folder, self.position.iteration);
        folder.log(&format!("interrupted at iteration {iteration}"))?;
        Ok(Ending::Interrupted { folder: folder.path().to_owned(), iteration })
    }

    /// Whether no iteration is left.
    fn is_over(&self) -> bool {
        self.position.iteration >= self.run.experiment.training.iterations || self.ended_early().is_some()
    }

    /// Why the run ends here, if early stopping ends it.
    fn ended_early(&self) -> Option<EndedEarly> {
        self.position.ended_early(&self.run.experiment.training)
    }

    fn is_epoch_end(&self) -> bool {
        self.position.iteration.is_multiple_of(self.batches.steps_per_epoch())
    }

    /// Whether something that is done every so many iterations is due; at the end everything is.
    fn is_due(&self, every: usize) -> bool {
        self.is_over() || self.position.iteration.is_multiple_of(every)
    }

    fn is_validation_due(&self) -> bool {
        let training = &self.run.experiment.training;
        let watched = training.early_stopping.is_some_and(|rule| rule.watch != Watch::TrainingLoss);
        let due = self.is_due(training.validate_every) || (watched && self.is_epoch_end());
        due && !self.run.data.validation.is_empty()
    }

    fn is_report_due(&self) -> bool {
        self.is_due(self.run.experiment.training.report_every) || self.is_validation_due()
    }

    /// The learning rate of step `step`, from 0.
    fn learning_rate(&self, step: usize) -> f64 {
        let experiment = self.run.experiment;
        experiment.optimizer.rule.learning_rate_at(step, experiment.training.iterations)
    }

    /// The data set indices of the images of the last iteration.
    fn last_batch(&self) -> Vec<usize> {
        self.batches.indices(self.position.iteration - 1)
    }

    /// On the validation or the test images; `None` where the run is stopped, which is looked at after every batch.
    fn evaluate(&self, split: Split, network: &Network) -> Result<Option<Evaluation>, TrainError> {
        let Run { experiment, setup, data, .. } = *self.run;
        let mut stopped = false;
        let look = |_: &Selection<'_>, _: &burn::Tensor<2>| {
            stopped = self.stop.load(Ordering::Relaxed);
            if stopped { Break(()) } else { Continue(()) }
        };
        let evaluation = match split {
            Split::Test => evaluate_with_areas(experiment, setup, network, &data.test, look)?,
            _ => evaluate_subset(experiment, setup, network, &data.validation, look)?,
        };
        Ok((!stopped).then_some(evaluation))
    }

    /// Keeps the weights of this iteration where the config asks for that. A run that goes on from an earlier checkpoint
    /// writes the same file again.
    fn keep(&self) -> Result<(), TrainError> {
        let iteration = self.position.iteration;
        if self.run.experiment.training.keep.binary_search(&iteration).is_err() {
            return Ok(());
        }
        let weights = save_weights(&self.trainer.evaluated_network()).map_err(|error| self.unsaved(error.into()))?;
        self.run.folder.keep_weights(iteration, &weights)
    }

    /// Saves a checkpoint, or says that training diverged if a weight is not finite.
    fn save(&self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.run.folder.flush_lines()?;
        // Whoever reads the last checkpoint of a run that is over takes the weights that the run ended with.
        let is_end = self.is_over() && checkpoint.folder() == self.run.folder.last().folder();
        let restored = self.position.restored().filter(|_| is_end);
        checkpoint
            .save(&self.trainer.kept(), self.run.experiment, &self.position, restored)
            .map_err(|error| self.unsaved(error))
    }

    /// The error of weights that cannot be saved: training diverged if one is not finite.
    fn unsaved(&self, error: TrainError) -> TrainError {
        match error {
            TrainError::Weights(error @ WeightsError::Element { .. }) => {
                self.diverged(self.position.iteration, error.to_string(), &self.last_batch())
            }
            error => error,
        }
    }

    fn diverged(&self, iteration: usize, what: String, batch: &[usize]) -> TrainError {
        let last = self.run.folder.last();
        let last_good = last.position().ok().map(|position| (last.folder().to_owned(), position.iteration));
        TrainError::Diverged { iteration, what, batch: batch.to_vec(), last_good }
    }
}
