//! What a source reports a number of, and the same of a run.

use backproof_train::TrainingReport;
use serde::Deserialize;

/// What a mean of equal figures may be off by.
const ROUNDING: f64 = 1e-9;

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    /// Accuracy on the test images, of the weights that the run ended with.
    Test,
    /// Accuracy on the validation images at the last iteration.
    Validation,
    /// Accuracy on the images since the report before the last, when they were trained on.
    Training,
    /// The loss on these images with that of weight decay.
    TotalLoss,
    /// The epoch with the least loss on the validation images: from there on a network over-fits.
    LeastLossEpoch,
}

/// The number in a source's words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// A share, or a loss in nats.
    pub(super) value: f64,
    /// Whether the source only says that it was more: "above 70 %".
    pub(super) or_more: bool,
}

impl Measure {
    /// Every measure.
    pub(super) const ALL: [Self; 5] =
        [Self::Test, Self::Validation, Self::Training, Self::TotalLoss, Self::LeastLossEpoch];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Training => "training",
            Self::TotalLoss => "total loss",
            Self::LeastLossEpoch => "epoch of the least validation loss",
        }
    }

    /// What its figure is called among those of a run: `test`, `validation@10`.
    pub(super) fn key(self, epoch: Option<f64>) -> String {
        let name = match self {
            Self::TotalLoss => "total_loss",
            Self::LeastLossEpoch => "least_loss_epoch",
            other => other.name(),
        };
        epoch.map_or_else(|| name.to_owned(), |epoch| format!("{name}@{epoch}"))
    }

    /// The figure of a run: a share, a loss in nats, or an epoch; `None` where there is none. `epoch` is where the run
    /// had made that many; without it, its end.
    pub(super) fn of(self, reports: &[TrainingReport], test_accuracy: f64, epoch: Option<f64>) -> Option<f64> {
        // An epoch that ends within a mini-batch ends with it.
        let until = epoch.unwrap_or(f64::INFINITY) + 1e-9;
        let mut reports = reports.iter().rev().filter(|report| report.epoch <= until);
        match self {
            Self::Test => epoch.is_none().then_some(test_accuracy),
            Self::Validation => reports.find_map(|report| report.validation_accuracy),
            Self::Training => reports.next().map(|report| report.training_accuracy),
            Self::TotalLoss => reports.next().map(|report| report.total_loss),
            Self::LeastLossEpoch => {
                let losses = reports.filter_map(|report| Some((report.validation_loss?, report.epoch)));
                // Of equal losses the first.
                losses
                    .min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)))
                    .map(|(_, epoch)| epoch)
            }
        }
    }

    /// The number in a source's words, in the unit of [`of`](Self::of): `about 46 %` is 0.46. `None` of words without
    /// one, and of an epoch, which is not compared.
    ///
    /// # Errors
    ///
    /// Digits that are no number of this measure, with what is expected.
    pub(super) fn parse(self, words: &str) -> Result<Option<Number>, String> {
        if self == Self::LeastLossEpoch || !words.contains(|letter: char| letter.is_ascii_digit()) {
            return Ok(None);
        }
        let number = words.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        let value = match (self, number) {
            (Self::TotalLoss, Some(loss)) if loss >= 0.0 => loss,
            (Self::TotalLoss, _) => return Err(format!("`{words}` has no loss in it, such as `0.1904`")),
            (_, Some(percent)) if words.trim_end().ends_with(" %") && (0.0..=100.0).contains(&percent) => {
                percent / 100.0
            }
            _ => return Err(format!("`{words}` has no share in it, such as `97.6 %`")),
        };
        Ok(Some(Number { value, or_more: words.starts_with("above ") }))
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
            (Self::LeastLossEpoch, Some(deviation)) => format!("epoch {mean:.1} ± {deviation:.1}"),
            (Self::LeastLossEpoch, None) => format!("epoch {mean:.1}"),
            (_, Some(deviation)) => format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation),
            (_, None) => format!("{:.2} %", 100.0 * mean),
        }
    }

    /// Ours less theirs, in percentage points or nats: `+0.41`, `−2.10`.
    pub(super) fn difference(self, ours: f64, reported: f64) -> String {
        match self {
            Self::TotalLoss => signed(ours - reported, 4),
            _ => signed(100.0 * (ours - reported), 2),
        }
    }
}

impl Number {
    /// Where the number lies: within two deviations of ours, or `Greater` or `Less` than that.
    pub(super) fn against(self, mean: f64, deviation: f64) -> std::cmp::Ordering {
        let reach = 2.0 * deviation + ROUNDING;
        match self.value - mean {
            away if away > reach => std::cmp::Ordering::Greater,
            away if away < -reach && !self.or_more => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Equal,
        }
    }
}

/// A number with its sign and so many decimals: `+0.41`, `−2.10`; `0.00` of what is rounded to none.
pub(super) fn signed(number: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", number.abs());
    match digits.trim_matches(['0', '.']) {
        "" => digits,
        _ if number < 0.0 => format!("−{digits}"),
        _ => format!("+{digits}"),
    }
}
