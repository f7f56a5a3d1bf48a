//! The training loop, from top to bottom.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use backproof_data::{Prepared, Selection, Subset, evaluation_selections, prepare};
use backproof_kernels::Purpose;
use backproof_models::{Mode, Network, WeightsError};
use backproof_spec::Experiment;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::TensorData;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::checkpoint::{Best, Position};
use crate::learner::{self, Learner, Step};
use crate::logits::Logits;
use crate::optimizer::new_optimizer;
use crate::report::Window;
use crate::run_folder::{RUN_SCHEMA, RunRecord, Status, Summary, TEST_RESULT};
use crate::tensorboard::EventFile;
use crate::{
    Ending, Evaluation, EvaluationResult, Finished, Observer, Report, RunFolder, Setup, Split, Started, TrainError,
    Weights, warm_start,
};

/// Images per batch when a network is evaluated; it changes the time, not the figures.
const EVALUATION_BATCH: usize = 250;

/// Trains `experiment` from its first iteration in a new run folder.
///
/// `stop` is looked at after every iteration and after every batch of an evaluation; when it is true, a checkpoint is saved and the
/// run ends. A validation that is broken off is made when the run goes on.
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
    let data = data(&experiment, setup)?;
    if let Some(record) = &mut warm_start
        && !data.validation.is_empty()
    {
        let evaluation = evaluate_subset(&experiment, setup, &network.valid(), &data.validation, |_, _| Continue(()))?;
        record.validation_accuracy = Some(evaluation.accuracy());
    }
    let folder = RunFolder::create(&setup.runs_dir, &experiment)?;
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
        trainable_parameters: experiment.model.trainable_parameters()?,
        warm_start,
        status: Status::Running,
        started: now(),
        ended: None,
        summary: None,
    };
    folder.write_normalizer(&data.normalizer)?;
    folder.write_record(&record)?;
    let events = setup.tensorboard.then(|| EventFile::create(folder.path(), 0)).transpose()?;
    let optimizer = new_optimizer(&experiment.optimizer);
    let run = Run { experiment: &experiment, setup, data: &data, folder: &folder };
    run.to_the_end(network, optimizer, Position::default(), record, events, observer, stop)
}

/// Evaluates the run in `folder` with `weights` on every image of `split`. Writes the result into the folder, unless the
/// weights are a file of somebody else's; and the logits to the file `logits` where one is given.
///
/// # Errors
///
/// Data, config or weights that cannot be read, files that cannot be written.
pub fn evaluate(
    folder: &RunFolder,
    split: Split,
    weights: &Weights,
    logits: Option<&Path>,
    setup: &Setup,
) -> Result<EvaluationResult, TrainError> {
    let experiment = folder.experiment()?;
    let network = Network::new(&experiment.model, experiment.seed, &setup.device)?;
    let (network, iteration) = weights.load(folder, network)?;
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
    if !matches!(weights, Weights::File(_)) {
        folder.write_evaluation(&evaluation, &result)?;
    }
    if let Some(path) = logits {
        kept.write(path)?;
    }
    Ok(result)
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

/// Every image of `subset` once, by a network without autodiff; `each` is given the images of every batch with their logits, and
/// may break off.
fn evaluate_subset(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    subset: &Subset,
    mut each: impl FnMut(&Selection<'_>, &burn::Tensor<2>) -> ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let mut evaluation = Evaluation::new(experiment.training.loss, experiment.model.classes()?);
    let mut compiled = learner::compile(experiment, setup, network, Purpose::Inference)?;
    for images in evaluation_selections(subset, EVALUATION_BATCH) {
        let logits = match &mut compiled {
            Some(compiled) => {
                let logits = compiled.logits(images.len(), &|place, to| images.write(place, to));
                let classes = logits.len() / images.len();
                burn::Tensor::from_data(TensorData::new(logits, [images.len(), classes]), &setup.device)
            }
            None => network.forward(images.batch(&setup.device).images, Mode::Inference),
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
    pub(crate) fn to_the_end(
        &self,
        network: Network,
        optimizer: ModuleOptimizer,
        position: Position,
        mut record: RunRecord,
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
        });
        // On a thread of the pool: every step then begins where its work is, without waking anybody.
        let ending = rayon::scope(|_| self.train(network, optimizer, position, events, observer, stop));
        record.status = match &ending {
            Ok(Ending::Finished(finished)) => {
                record.summary = Some(finished.summary.clone());
                Status::Done
            }
            Ok(Ending::Interrupted { .. }) => Status::Interrupted,
            Err(TrainError::Diverged { .. }) => Status::Diverged,
            Err(_) => Status::Failed,
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

    fn train(
        &self,
        network: Network,
        optimizer: ModuleOptimizer,
        mut position: Position,
        mut events: Option<EventFile>,
        observer: &mut (dyn Observer + Send),
        stop: &AtomicBool,
    ) -> Result<Ending, TrainError> {
        let training = &self.experiment.training;
        let mut learner = Learner::new(self.experiment, self.setup, network, optimizer)?;
        let batches = self.data.training_batches(training.batch_size);

        let resumed_at = position.iteration;
        let seconds_before = position.seconds;
        let started = Instant::now();
        let due = |iteration: usize, every: usize| iteration == training.iterations || iteration.is_multiple_of(every);
        let validating = |iteration: usize| due(iteration, training.validate_every) && !self.data.validation.is_empty();
        let reporting = |iteration: usize| due(iteration, training.report_every) || validating(iteration);

        // Of a run that was stopped in a validation, the last iteration is done and its report is left to make.
        let mut report_left = position.reported() < position.iteration && reporting(position.iteration);
        while report_left || position.iteration < training.iterations {
            let step = position.iteration - usize::from(report_left);
            let images = batches.select(step);
            let learning_rate = self.experiment.optimizer.learning_rate_at(step, training.iterations);
            if !std::mem::take(&mut report_left) {
                let step_started = Instant::now();
                let (next, Step { loss, correct }) = learner.step(&images, step, learning_rate);
                learner = next;
                if !loss.is_finite() {
                    return Err(self.diverged(step + 1, format!("the loss is {loss}"), images.indices()));
                }
                position.iteration += 1;
                position.window.add(images.len(), correct, loss, step_started.elapsed().as_secs_f64());
                position.seconds = seconds_before + started.elapsed().as_secs_f64();
                observer.iteration(position.iteration);
            }

            if reporting(position.iteration) {
                let epochs = batches.images_before(position.iteration) as f64 / self.data.training.len() as f64;
                let network = learner.network();
                let validation = if validating(position.iteration) {
                    let Some(validation) = self.evaluate(&network, &self.data.validation, stop)? else {
                        self.save(&self.folder.last(), &learner, &position, images.indices())?;
                        return self.interrupted(position.iteration);
                    };
                    Some(validation)
                } else {
                    None
                };
                let report =
                    self.report(&network, &position, learning_rate, validation.as_ref(), &started, resumed_at, epochs);
                if !report.weight_decay_loss.is_finite() {
                    return Err(self.diverged(
                        position.iteration,
                        "a weight is not finite".to_owned(),
                        images.indices(),
                    ));
                }
                if report.validation_loss.is_some_and(|loss| !loss.is_finite()) {
                    let what = "the loss of a validation image is not finite".to_owned();
                    return Err(self.diverged(position.iteration, what, images.indices()));
                }
                self.folder.append_report(&report)?;
                if let Some(events) = &mut events {
                    events.report(&report)?;
                }
                observer.report(&report);
                position.window = Window::default();

                if let Some(accuracy) = report.validation_accuracy
                    && position.best.as_ref().is_none_or(|best| accuracy > best.validation_accuracy)
                {
                    position.best = Some(Best { iteration: position.iteration, validation_accuracy: accuracy });
                    self.save(&self.folder.best(), &learner, &position, images.indices())?;
                }
            }

            let stopping = stop.load(Ordering::Relaxed) && position.iteration < training.iterations;
            if due(position.iteration, training.checkpoint_every) || stopping {
                self.save(&self.folder.last(), &learner, &position, images.indices())?;
            }
            if stopping {
                return self.interrupted(position.iteration);
            }
        }

        observer.evaluating(self.data.test.len());
        let Some(evaluation) = self.evaluate(&learner.network(), &self.data.test, stop)? else {
            // The last checkpoint is saved; what is left to do is this evaluation.
            return self.interrupted(position.iteration);
        };
        if !evaluation.loss().is_finite() {
            let what = "the loss of a test image is not finite".to_owned();
            return Err(self.diverged(position.iteration, what, &[]));
        }
        let result = evaluation.result(Split::Test.name(), Some(position.iteration), &self.data.data_set.class_names);
        self.folder.write_evaluation(&evaluation, &result)?;
        self.folder.log(&format!(
            "{TEST_RESULT}{:.2} %, loss {:.4}, over {} images",
            100.0 * result.accuracy,
            result.loss,
            result.images
        ))?;
        observer.evaluated(&result);
        let summary = Summary {
            test_accuracy: result.accuracy,
            test_loss: result.loss,
            best_validation: position.best.map(|best| (best.validation_accuracy, best.iteration)),
            training_seconds: position.seconds,
        };
        Ok(Ending::Finished(Finished {
            folder: self.folder.path().to_owned(),
            result,
            summary,
            expected_accuracy: self.experiment.expect.as_ref().map(|expect| expect.test_accuracy),
        }))
    }

    fn interrupted(&self, iteration: usize) -> Result<Ending, TrainError> {
        self.folder.log(&format!("interrupted at iteration {iteration}"))?;
        Ok(Ending::Interrupted { folder: self.folder.path().to_owned(), iteration })
    }

    /// `None` where the run is stopped meanwhile, which is looked at after every batch.
    fn evaluate(
        &self,
        network: &Network,
        subset: &Subset,
        stop: &AtomicBool,
    ) -> Result<Option<Evaluation>, TrainError> {
        let mut stopped = false;
        let evaluation = evaluate_subset(self.experiment, self.setup, network, subset, |_, _| {
            stopped = stop.load(Ordering::Relaxed);
            if stopped { Break(()) } else { Continue(()) }
        })?;
        Ok((!stopped).then_some(evaluation))
    }

    #[allow(clippy::too_many_arguments)] // each is a figure of the report
    fn report(
        &self,
        network: &Network,
        position: &Position,
        learning_rate: f64,
        validation: Option<&Evaluation>,
        started: &Instant,
        resumed_at: usize,
        epochs: f64,
    ) -> Report {
        let training = &self.experiment.training;
        let classification_loss = position.window.loss();
        let weight_decay_loss = self.experiment.optimizer.weight_decay * network.half_squared_norm();
        // At the rate of this process, once it has one.
        let (seconds, done) = match position.iteration - resumed_at {
            0 => (position.seconds, position.iteration),
            done => (started.elapsed().as_secs_f64(), done),
        };
        let left = (training.iterations - position.iteration) as f64;
        Report {
            iteration: position.iteration,
            epoch: epochs,
            learning_rate,
            classification_loss,
            weight_decay_loss,
            total_loss: classification_loss + weight_decay_loss,
            training_accuracy: position.window.accuracy(),
            validation_accuracy: validation.map(Evaluation::accuracy),
            validation_loss: validation.map(Evaluation::loss),
            images_per_second: position.window.images_per_second(),
            seconds: position.seconds,
            seconds_left: seconds / done as f64 * left,
        }
    }

    /// Saves a checkpoint, or says that training diverged if a weight is not finite.
    fn save(
        &self,
        checkpoint: &crate::checkpoint::Checkpoint,
        learner: &Learner<'_>,
        position: &Position,
        batch: &[usize],
    ) -> Result<(), TrainError> {
        self.folder.flush_lines()?;
        checkpoint.save(&learner.network(), &learner.optimizer(), self.experiment, position).map_err(
            |error| match error {
                TrainError::Weights(WeightsError::NotFinite { name }) => {
                    let what = format!("{name} has an element that is not a finite number");
                    self.diverged(position.iteration, what, batch)
                }
                error => error,
            },
        )
    }

    fn diverged(&self, iteration: usize, what: String, batch: &[usize]) -> TrainError {
        let last = self.folder.last();
        let last_good = last.position().ok().map(|position| (last.folder().to_owned(), position.iteration));
        TrainError::Diverged { iteration, what, batch: batch.to_vec(), last_good }
    }
}

#[cfg(test)]
mod tests;
