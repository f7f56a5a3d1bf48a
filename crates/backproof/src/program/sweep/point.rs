//! A point of a sweep with its runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::{Figures, Outcome};

/// One choice of values, over its seeds.
#[derive(Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) name: Option<String>,
    /// By key; absent where the experiment does not have the key.
    pub(crate) values: BTreeMap<String, Option<String>>,
    #[serde(skip)]
    pub(crate) label: String,
    /// Trainable parameters.
    pub(crate) parameters: usize,
    /// Runs that are done.
    pub(crate) seeds: usize,
    /// Runs that failed or diverged.
    pub(crate) failed: usize,
    /// Runs that have not ended.
    pub(crate) missing: usize,
    pub(crate) test_accuracy_mean: Option<f64>,
    /// The sample standard deviation, of two or more.
    pub(crate) test_accuracy_deviation: Option<f64>,
    /// Of the best validation of each run.
    pub(crate) validation_accuracy_mean: Option<f64>,
    pub(crate) validation_accuracy_deviation: Option<f64>,
    /// Absent of the best point itself, and where there are too few seeds.
    pub(crate) to_best: Option<ToBest>,
    pub(crate) training_seconds_median: Option<f64>,
    pub(crate) runs: Vec<Run>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Its place in the sweep, from 0.
    pub(crate) number: usize,
    pub(crate) seed: u64,
    /// Its folder, from the sweep's on.
    pub(crate) folder: String,
    /// Absent of a run that has not ended.
    pub(crate) outcome: Option<Outcome>,
    /// Why the outcome cannot be read; such a run counts as one that has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unreadable: Option<String>,
}

impl Point {
    /// What it is called in a sentence.
    pub(crate) fn words(&self) -> &str {
        if self.label.is_empty() { "the only point" } else { &self.label }
    }

    /// The value of one of the keys that vary, if this experiment has it.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_deref()
    }

    /// The figures of the runs that are done, each with its seed.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (u64, &Figures)> {
        self.runs.iter().filter_map(|run| Some((run.seed, run.outcome.as_ref()?.figures.as_ref()?)))
    }
}

/// A point beside the best one, over the seeds of the best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ToBest {
    /// The accuracy of this point less that of the best, as a mean over the seeds.
    pub(crate) difference: f64,
    /// The 95 % confidence interval of that mean.
    pub(crate) interval: [f64; 2],
    /// The p-value of the two-sided t test with the seeds as blocks, corrected by Holm's method for all points.
    pub(crate) p: f64,
    /// How many seeds that are.
    pub(crate) seeds: usize,
    /// Whether the seeds do not tell the two apart.
    pub(crate) within_noise: bool,
}
