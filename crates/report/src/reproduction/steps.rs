//! Changes of one thing at a time: which of them are more than noise.

use super::collect::Collection;
use super::measure::Measure;
use super::published::Published;
use super::schema::Comparison;
use crate::paired::{LEVEL, Paired, holm};

/// A comparison of two configs.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) comparison: &'a Comparison,
    /// The difference of the accuracies that the source reports, each of one run; a share.
    pub(super) reported: Option<f64>,
    /// Differences of the test accuracy, shares; `None` with fewer than two seeds in both configs.
    pub(super) paired: Option<Paired>,
    /// The p-value, corrected for the number of comparisons that have one.
    pub(super) corrected: Option<f64>,
}

impl Step<'_> {
    /// Whether the difference is more than noise; `None` of a comparison without runs.
    pub(super) fn is_real(&self) -> Option<bool> {
        self.corrected.map(|p| p < LEVEL)
    }

    /// The same in a word.
    pub(super) fn verdict(&self) -> &'static str {
        if self.is_real() == Some(true) { "real" } else { "noise" }
    }

    /// Whether ours has the other sign than what the source reports.
    pub(super) fn is_opposite(&self) -> bool {
        self.paired.as_ref().zip(self.reported).is_some_and(|(ours, reported)| ours.mean * reported < 0.0)
    }

    /// The seeds that both configs have.
    pub(super) fn seeds(&self) -> usize {
        self.paired.as_ref().map_or(0, |paired| paired.differences.len())
    }
}

/// The chain of the results.
pub(super) fn steps<'a>(published: &'a Published, collection: &Collection) -> Vec<Step<'a>> {
    let Some(chain) = &published.file.steps else { return Vec::new() };
    let reported = |config: &str| published.reported_test(&chain.source, config);
    let step = |comparison: &'a Comparison| Step {
        comparison,
        reported: reported(&comparison.to).zip(reported(&comparison.from)).map(|(to, from)| to - from),
        paired: paired(comparison, collection),
        corrected: None,
    };
    let mut steps: Vec<Step<'a>> = chain.comparisons.iter().map(step).collect();
    let p: Vec<f64> = steps.iter().filter_map(|step| Some(step.paired.as_ref()?.p)).collect();
    for (step, corrected) in steps.iter_mut().filter(|step| step.paired.is_some()).zip(holm(&p)) {
        step.corrected = Some(corrected);
    }
    steps
}

/// The test accuracy of `to` less that of `from`, seed by seed.
pub(super) fn paired(comparison: &Comparison, collection: &Collection) -> Option<Paired> {
    let figures = |config: &str| -> Vec<(u64, f64)> {
        let runs = collection.of_config(config).into_iter();
        runs.filter_map(|run| Some((run.seed, run.figure(Measure::Test, None)?))).collect()
    };
    let from = figures(&comparison.from);
    let difference = |(seed, to): (u64, f64)| {
        let (_, from) = from.iter().find(|(other, _)| *other == seed)?;
        Some(to - from)
    };
    Paired::of(figures(&comparison.to).into_iter().filter_map(difference).collect())
}
