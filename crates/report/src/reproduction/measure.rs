//! What a source reports a number of, and the same of a run.

use serde::Deserialize;

use super::run::Run;

/// What a mean of equal figures may be off by.
const ROUNDING: f64 = 1e-9;

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    /// Accuracy on the test images, of the last weights.
    Test,
    /// Accuracy on the validation images at the last iteration.
    Validation,
    /// Accuracy on the images since the report before the last, when they were trained on.
    Training,
    /// The loss on these images with that of weight decay.
    TotalLoss,
}

impl Measure {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Training => "training",
            Self::TotalLoss => "total loss",
        }
    }

    /// The figure of a run: a share, or a loss in nats; `None` where its folder has none. `epoch` is where the run had
    /// made that many; without it, its end.
    pub(super) fn of(self, run: &Run, epoch: Option<f64>) -> Option<f64> {
        // An epoch that ends within a mini-batch ends with it.
        let until = epoch.unwrap_or(f64::INFINITY) + 1e-9;
        let mut reports = run.reports.iter().rev().filter(|report| report.epoch <= until);
        match self {
            Self::Test => epoch.is_none().then_some(run.test_accuracy),
            Self::Validation => reports.find_map(|report| report.validation_accuracy),
            Self::Training => reports.next().map(|report| report.training_accuracy),
            Self::TotalLoss => reports.next().map(|report| report.total_loss),
        }
    }

    /// The number in a source's words, in the unit of [`of`](Self::of): `about 46 %` is 0.46. `None` of words without
    /// one.
    ///
    /// # Errors
    ///
    /// Digits that are no number of this measure, with what is expected.
    pub(super) fn parse(self, words: &str) -> Result<Option<f64>, String> {
        if !words.contains(|letter: char| letter.is_ascii_digit()) {
            return Ok(None);
        }
        let number = words.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        match (self, number) {
            (Self::TotalLoss, Some(loss)) if loss >= 0.0 => Ok(Some(loss)),
            (Self::TotalLoss, _) => Err(format!("`{words}` has no loss in it, such as `0.1904`")),
            (_, Some(percent)) if words.trim_end().ends_with(" %") && (0.0..=100.0).contains(&percent) => {
                Ok(Some(percent / 100.0))
            }
            _ => Err(format!("`{words}` has no share in it, such as `97.6 %`")),
        }
    }

    /// Whether `ours` is at or above what is reported; of a loss, at or below.
    pub(super) fn is_reached(self, ours: f64, reported: f64) -> bool {
        match self {
            Self::TotalLoss => ours <= reported + ROUNDING,
            _ => ours >= reported - ROUNDING,
        }
    }

    /// Mean and deviation as a person reads them: `97.93 ± 0.12 %`.
    pub(super) fn show(self, mean: f64, deviation: Option<f64>) -> String {
        match (self, deviation) {
            (Self::TotalLoss, Some(deviation)) => format!("{mean:.4} ± {deviation:.4}"),
            (Self::TotalLoss, None) => format!("{mean:.4}"),
            (_, Some(deviation)) => format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation),
            (_, None) => format!("{:.2} %", 100.0 * mean),
        }
    }

    /// Ours less theirs, in percentage points or nats: `+0.41`, `−2.10`.
    pub(super) fn difference(self, ours: f64, reported: f64) -> String {
        let (difference, text) = match self {
            Self::TotalLoss => (ours - reported, format!("{:.4}", (ours - reported).abs())),
            _ => (ours - reported, format!("{:.2}", 100.0 * (ours - reported).abs())),
        };
        format!("{}{text}", if difference < 0.0 { '−' } else { '+' })
    }
}
