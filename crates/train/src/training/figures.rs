//! The figures of a run while it trains.

use super::Training;
use crate::look::is_probed;
use crate::{Evaluation, LayersLook, TensorLook, TrainError, TrainingReport};

impl Training<'_> {
    /// The figures of the last iterations.
    pub(super) fn figures(&self, validation: Option<&Evaluation>) -> TrainingReport {
        let Self { run, position, clock, .. } = self;
        let training = &run.experiment.training;
        let weight_decay_loss = self.trainer.weight_decay_loss();
        let (classification_loss, total_loss, training_accuracy) = match &position.moving {
            Some(moving) => (moving.loss, moving.total_loss, moving.accuracy),
            None => {
                let loss = position.window.loss();
                (loss, loss + weight_decay_loss, position.window.accuracy())
            }
        };
        let moving_validation = position.moving.as_ref().map(|moving| moving.validation_accuracy);
        // At the rate of this process, once it has one.
        let (seconds, done) = match position.iteration - clock.iteration {
            0 => (position.seconds, position.iteration),
            done => (clock.started.elapsed().as_secs_f64(), done),
        };
        let left = (training.iterations - position.iteration) as f64;
        TrainingReport {
            iteration: position.iteration,
            epoch: self.epoch(),
            learning_rate: self.learning_rate(position.iteration - 1),
            classification_loss,
            weight_decay_loss,
            total_loss,
            training_accuracy,
            validation_accuracy: validation.map(|validation| moving_validation.unwrap_or(validation.accuracy())),
            validation_loss: validation.map(Evaluation::loss),
            images_per_second: position.window.images_per_second(),
            seconds: position.seconds,
            seconds_left: seconds / done as f64 * left,
            averages: training.averages,
        }
    }

    /// Writes down what is seen of the layers after an iteration whose step had these figures. It changes nothing.
    pub(super) fn look(&mut self, tensors: Vec<TensorLook>) -> Result<(), TrainError> {
        let Some(probe) = &self.probe else { return Ok(()) };
        if !tensors.iter().all(TensorLook::is_finite) {
            return Ok(()); // The run is about to diverge, which is said by what finds it.
        }
        let training = &self.run.experiment.training;
        let is_probed = is_probed(self.position.iteration, training.layers_every, training.iterations);
        let relus = if is_probed { probe.relus(&self.trainer.network()) } else { Vec::new() };
        let look = LayersLook {
            iteration: self.position.iteration,
            epoch: self.epoch(),
            tensors,
            probe_images: if relus.is_empty() { 0 } else { probe.len() },
            relus,
        };
        self.run.folder.append_look(&look)?;
        self.events.as_mut().map_or(Ok(()), |events| events.look(&look))
    }

    /// Passes over the training images done.
    fn epoch(&self) -> f64 {
        self.batches.images_before(self.position.iteration) as f64 / self.run.data.training.len() as f64
    }
}
