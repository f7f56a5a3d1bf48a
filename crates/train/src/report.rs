//! The figures of one stretch of training: a line of `metrics.jsonl`.

use std::fmt;

use backproof_spec::Averages;
use serde::{Deserialize, Serialize};

/// What is reported every `training.report_every` iterations, one JSON object a line in `metrics.jsonl`.
///
/// Loss and training accuracy are means over the images seen since the report before, so every image of that stretch
/// counts once; the network changes meanwhile. A smoothed mean would count some images more than others. Validation
/// figures are of the network as it is at `iteration`.
///
/// With `training.averages = "moving"`, loss, total loss, training accuracy and validation accuracy are the moving
/// averages of the course instead ([`Averages::Moving`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    /// Iterations done.
    pub iteration: usize,
    /// Passes over the training images done.
    pub epoch: f64,
    /// Learning rate of the last iteration.
    pub learning_rate: f64,
    /// Mean of the loss that is trained, in nats where it is a cross-entropy.
    pub classification_loss: f64,
    /// λ/2 ‖w‖² over all trainable parameters, after the last iteration.
    pub weight_decay_loss: f64,
    /// The sum of the two. With moving averages it is the moving average of the sum.
    pub total_loss: f64,
    /// Share of the images that were classified right when they were trained on.
    pub training_accuracy: f64,
    /// Share of the validation images, where the network was validated at this iteration.
    pub validation_accuracy: Option<f64>,
    /// Mean loss over the validation images, likewise.
    pub validation_loss: Option<f64>,
    /// Training images per second since the report before.
    pub images_per_second: f64,
    /// Seconds of training so far, validation and checkpoints included.
    pub seconds: f64,
    /// Seconds that the rest will take at the mean rate so far.
    pub seconds_left: f64,
    /// Over what loss, accuracies and total loss are averaged, from the config; absent where that is as said above.
    #[serde(default, skip_serializing_if = "Averages::is_default")]
    pub averages: Averages,
}

impl TrainingReport {
    /// The iteration of a line that [`Display`](fmt::Display) wrote.
    pub(crate) fn iteration_of_line(line: &str) -> Option<usize> {
        let (iteration, rest) = line.strip_prefix("iteration ")?.trim_start().split_once(' ')?;
        rest.trim_start().starts_with("loss ").then_some(iteration.parse().ok()?)
    }
}

/// The columns of [`TrainingReport::csv`]: the keys of `metrics.jsonl` in their order. New columns come after these.
const COLUMNS: [&str; 13] = [
    "iteration",
    "epoch",
    "learning_rate",
    "classification_loss",
    "weight_decay_loss",
    "total_loss",
    "training_accuracy",
    "validation_accuracy",
    "validation_loss",
    "images_per_second",
    "seconds",
    "seconds_left",
    "averages",
];

impl TrainingReport {
    /// `reports` as CSV: a head, and a row for each; a cell is empty where there was no validation.
    #[must_use]
    pub fn csv(reports: &[Self]) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let maybe = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let rows = reports.iter().map(|report| {
            [
                report.iteration.to_string(),
                report.epoch.to_string(),
                report.learning_rate.to_string(),
                report.classification_loss.to_string(),
                report.weight_decay_loss.to_string(),
                report.total_loss.to_string(),
                report.training_accuracy.to_string(),
                maybe(report.validation_accuracy),
                maybe(report.validation_loss),
                report.images_per_second.to_string(),
                report.seconds.to_string(),
                report.seconds_left.to_string(),
                report.averages.name().to_owned(),
            ]
        });
        for row in std::iter::once(COLUMNS.map(str::to_owned)).chain(rows) {
            writer.write_record(row).expect("rows have one length, and memory does not fail");
        }
        writer.into_inner().expect("memory does not fail")
    }
}

/// Columns that a line of a report takes, as [`Display`](fmt::Display) writes it.
pub const REPORT_WIDTH: usize = 120;

impl TrainingReport {
    /// The same for a terminal of 80 columns, without the time that is left.
    #[must_use]
    pub fn short(&self) -> String {
        let validation = self
            .validation_accuracy
            .map_or_else(|| " ".repeat(12), |accuracy| format!("val {:>6.2} %", 100.0 * accuracy));
        format!(
            "{:>7}  loss {:.4} + {:.4} {} {:.4}  train {:>6.2} %  {validation}  {:>5.0}/s",
            self.iteration,
            self.classification_loss,
            self.weight_decay_loss,
            if self.averages.is_default() { "=" } else { "≈" },
            self.total_loss,
            100.0 * self.training_accuracy,
            self.images_per_second,
        )
    }
}

impl fmt::Display for TrainingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "iteration {:>6}  loss {:.4} + decay {:.4} {} {:.4}  training {:>6.2} %",
            self.iteration,
            self.classification_loss,
            self.weight_decay_loss,
            if self.averages.is_default() { "=" } else { "≈" }, // the sum has an average of its own
            self.total_loss,
            100.0 * self.training_accuracy,
        )?;
        match self.validation_accuracy {
            Some(accuracy) => write!(f, "  validation {:>6.2} %", 100.0 * accuracy)?,
            None => write!(f, "                     ")?,
        }
        write!(f, "  {:>6.0} img/s  {} left", self.images_per_second, duration(self.seconds_left))
    }
}

/// A time in seconds as a person reads it: `4 s`, `1 min 05 s` or `2 h 03 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// Sums over the images since the last report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) images: usize,
    pub(crate) correct: usize,
    pub(crate) loss_sum: f64,
    /// Of the steps alone, without validation and checkpoints; 0 in a checkpoint of a version that did not count them.
    #[serde(default)]
    pub(crate) seconds: f64,
}

impl Window {
    pub(crate) fn add(&mut self, images: usize, correct: usize, mean_loss: f64, seconds: f64) {
        self.images += images;
        self.correct += correct;
        self.loss_sum += mean_loss * images as f64;
        self.seconds += seconds;
    }

    pub(crate) fn loss(&self) -> f64 {
        self.loss_sum / self.images.max(1) as f64
    }

    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images.max(1) as f64
    }

    pub(crate) fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_weighs_a_small_batch_by_its_images() {
        let mut window = Window::default();
        window.add(16, 8, 1.0, 0.5);
        window.add(4, 4, 2.0, 0.125);
        assert_eq!(window.loss(), 24.0 / 20.0);
        assert_eq!(window.accuracy(), 12.0 / 20.0);
        assert_eq!(window.images_per_second(), 20.0 / 0.625);
    }

    #[test]
    fn a_report_has_a_line_for_wide_terminals_and_one_for_80_columns() {
        let report = TrainingReport {
            iteration: 123_456,
            epoch: 99.0,
            learning_rate: 0.1,
            classification_loss: 12.3456,
            weight_decay_loss: 1.2345,
            total_loss: 13.5801,
            training_accuracy: 1.0,
            validation_accuracy: Some(1.0),
            validation_loss: Some(1.5),
            images_per_second: 99_999.0,
            seconds: 1.0,
            seconds_left: 59.0,
            averages: Averages::Moving,
        };
        let (wide, short) = (report.to_string(), report.short());
        assert!(wide.chars().count() <= REPORT_WIDTH, "{wide}");
        assert!(short.chars().count() <= 80, "{short}");
        for number in ["123456", "12.3456", "1.2345", "13.5801", "100.00 %", "99999"] {
            assert!(wide.contains(number) && short.contains(number), "{number}: {short}");
        }
        let none = TrainingReport { validation_accuracy: None, ..report };
        assert_eq!(none.short().chars().count(), short.chars().count());
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(65.0), "1 min 05 s");
        assert_eq!(duration(7400.0), "2 h 03 min");
    }
}
