//! When a run ends before its last iteration.

use backproof_spec::{EarlyStopping, Watch};
use serde::{Deserialize, Serialize};

/// What early stopping has seen. A checkpoint holds it, so that a run that goes on ends where it would have ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// Of the images of this epoch, when they were trained on.
    loss_sum: f64,
    images: usize,
    best: Option<f64>,
    best_iteration: usize,
    /// Epochs since then.
    waited: usize,
}

/// A run that ended early: `ended_early` in the summary of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedEarly {
    /// The last iteration.
    pub iteration: usize,
    /// What was watched: `training-loss`, `validation-loss` or `validation-accuracy`.
    pub watch: Watch,
    /// Its best value.
    pub best: f64,
    /// At the end of which iteration that was.
    pub best_iteration: usize,
    /// Epochs since then.
    pub waited: usize,
}

impl std::fmt::Display for EndedEarly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, best) = match self.watch {
            Watch::TrainingLoss => ("training loss", format!("{:.4}", self.best)),
            Watch::ValidationLoss => ("validation loss", format!("{:.4}", self.best)),
            Watch::ValidationAccuracy => ("validation accuracy", format!("{:.2} %", 100.0 * self.best)),
        };
        let epochs = backproof_spec::counted(self.waited, "epoch");
        let Self { iteration, best_iteration, .. } = self;
        write!(
            f,
            "ended early at iteration {iteration}: the {what} has not improved for {epochs}; its best was {best}, at \
             iteration {best_iteration}"
        )
    }
}

/// What is said of a run that ends with the weights of its best epoch, which ended with this iteration.
#[must_use]
pub fn restored_in_words(iteration: usize) -> String {
    format!("the weights of iteration {iteration}, the end of the best epoch, are restored")
}

impl Watched {
    /// A batch with this mean loss was trained on.
    pub(crate) fn add(&mut self, images: usize, loss: f64) {
        self.images += images;
        self.loss_sum += loss * images as f64;
    }

    /// The mean loss of the epoch so far.
    pub(crate) fn training_loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }

    /// An epoch ends, and what is watched has this value. Whether it is the best so far.
    pub(crate) fn end_epoch(&mut self, rule: &EarlyStopping, value: f64, iteration: usize) -> bool {
        (self.loss_sum, self.images) = (0.0, 0);
        let gain = |best: f64| match rule.watch {
            Watch::TrainingLoss | Watch::ValidationLoss => best - value,
            Watch::ValidationAccuracy => value - best,
        };
        let is_best = self.best.is_none_or(|best| gain(best) > rule.least_change);
        if is_best {
            (self.best, self.best_iteration, self.waited) = (Some(value), iteration, 0);
        } else {
            self.waited += 1;
        }
        is_best
    }

    /// At the end of which iteration the best value was.
    pub(crate) fn best_iteration(&self) -> usize {
        self.best_iteration
    }

    /// Why the run ends here, if it does.
    pub(crate) fn end(&self, rule: &EarlyStopping, iteration: usize) -> Option<EndedEarly> {
        let best = self.best.filter(|_| self.waited >= rule.patience)?;
        let (best_iteration, waited) = (self.best_iteration, self.waited);
        Some(EndedEarly { iteration, watch: rule.watch, best, best_iteration, waited })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(watch: Watch, least_change: f64, values: &[f64]) -> Option<usize> {
        let rule = EarlyStopping { watch, patience: 2, least_change, restore_best: false };
        let mut watched = Watched::default();
        (1..).zip(values).find_map(|(iteration, &value)| {
            watched.end_epoch(&rule, value, iteration);
            watched.end(&rule, iteration).map(|end| end.iteration)
        })
    }

    #[test]
    fn a_run_ends_after_so_many_epochs_without_an_improvement() {
        assert_eq!(ends(Watch::TrainingLoss, 0.0, &[1.0, 0.5, 0.6, 0.4, 0.4, 0.5, 0.1]), Some(6));
        assert_eq!(ends(Watch::ValidationLoss, 0.0, &[1.0, 0.5, 0.6, 0.4, 0.41]), None);
        // An improvement of no more than the least change is none, and the best stays what it was.
        assert_eq!(ends(Watch::ValidationLoss, 0.1, &[1.0, 0.95, 0.91, 0.5]), Some(3));
        assert_eq!(ends(Watch::ValidationLoss, 0.1, &[1.0, 0.95, 0.85, 0.8, 0.74, 0.7]), None);
        assert_eq!(ends(Watch::ValidationAccuracy, 0.0, &[0.5, 0.4, 0.6, 0.6, 0.5]), Some(5));
    }

    #[test]
    fn the_loss_of_an_epoch_counts_every_image_once() {
        let rule = EarlyStopping { watch: Watch::TrainingLoss, patience: 1, least_change: 0.0, restore_best: false };
        let mut watched = Watched::default();
        watched.add(16, 1.0);
        watched.add(4, 2.0);
        assert_eq!(watched.training_loss(), 1.2);
        watched.end_epoch(&rule, 1.2, 2);
        watched.add(1, 3.0);
        assert_eq!(watched.training_loss(), 3.0);
    }

    #[test]
    fn the_end_is_told_in_a_sentence() {
        let rule =
            EarlyStopping { watch: Watch::ValidationAccuracy, patience: 1, least_change: 0.0, restore_best: false };
        let mut watched = Watched::default();
        for (iteration, value) in [(10, 0.875), (20, 0.5)] {
            watched.end_epoch(&rule, value, iteration);
        }
        assert_eq!(
            watched.end(&rule, 20).unwrap().to_string(),
            "ended early at iteration 20: the validation accuracy has not improved for 1 epoch; its best was 87.50 %, at \
             iteration 10"
        );
    }
}
