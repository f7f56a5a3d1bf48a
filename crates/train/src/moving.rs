//! The moving averages that the course reports.

use serde::{Deserialize, Serialize};

/// So many iterations have their plain mean.
const PLAIN: usize = 20;
/// The weight of the newest value after them.
const NEWEST: f64 = 0.005;

/// The moving averages of a run, `training.averages = "moving"`. A checkpoint holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moving {
    iterations: usize,
    pub(crate) loss: f64,
    pub(crate) total_loss: f64,
    pub(crate) accuracy: f64,
    /// v ← (v + new) / 2, from 0; biased to 0 at first, as in the source.
    pub(crate) validation_accuracy: f64,
}

impl Moving {
    /// An iteration: the mean loss of its batch, with the weight decay, and the share of it that was classified right.
    pub(crate) fn add(&mut self, loss: f64, total_loss: f64, accuracy: f64) {
        self.iterations += 1;
        let newest = if self.iterations <= PLAIN { 1.0 / self.iterations as f64 } else { NEWEST };
        for (average, value) in
            [(&mut self.loss, loss), (&mut self.total_loss, total_loss), (&mut self.accuracy, accuracy)]
        {
            *average += newest * (value - *average);
        }
    }

    /// A validation.
    pub(crate) fn validate(&mut self, accuracy: f64) {
        self.validation_accuracy = (self.validation_accuracy + accuracy) / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_iterations_have_their_mean_and_later_ones_a_weight_of_a_two_hundredth() {
        let mut moving = Moving::default();
        for value in 1..=20 {
            moving.add(f64::from(value), f64::from(value) + 1.0, f64::from(value) / 20.0);
            let mean = f64::from(value + 1) / 2.0;
            assert!((moving.loss - mean).abs() < 1e-12, "{} after {value}", moving.loss);
        }
        // The mean of 1 to 20 is 10.5.
        moving.add(30.5, 31.5, 0.0);
        assert!((moving.loss - (0.995 * 10.5 + 0.005 * 30.5)).abs() < 1e-12);
        assert!((moving.total_loss - (0.995 * 11.5 + 0.005 * 31.5)).abs() < 1e-12);
        assert!((moving.accuracy - 0.995 * 0.525).abs() < 1e-12);
        moving.add(0.0, 0.0, 0.0);
        assert!((moving.loss - 0.995 * 10.6).abs() < 1e-12);
    }

    #[test]
    fn a_validation_counts_half_and_all_before_it_the_other_half() {
        let mut moving = Moving::default();
        for (accuracy, expected) in [(0.5, 0.25), (0.75, 0.5), (0.5, 0.5)] {
            moving.validate(accuracy);
            assert_eq!(moving.validation_accuracy, expected);
        }
    }
}
