//! A run of one of the configs, as far as the page needs it.

use std::collections::BTreeMap;

use backproof_train::RunStatus;
use serde::{Deserialize, Serialize};

use super::measure::Measure;

/// A run that ended by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// The name of the config.
    pub(super) config: String,
    pub(super) seed: u64,
    /// Done, diverged or failed.
    pub(super) status: RunStatus,
    /// By [`Measure::key`]; empty of a run that came to nothing.
    #[serde(default)]
    pub(super) figures: BTreeMap<String, f64>,
    /// The recall of each class on the validation images, by label; empty where the run was not evaluated on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) recall: Vec<Option<f64>>,
    /// Iterations made; fewer than the config has where the run ended early.
    pub(super) iterations: usize,
    /// Time of training, validation included.
    pub(super) seconds: f64,
    /// UTC, RFC 3339, which sorts as the times do.
    pub(super) started: String,
    pub(super) device: String,
    pub(super) engine: String,
    /// Of `backproof` and `burn`.
    pub(super) versions: BTreeMap<String, String>,
    /// Absent outside of a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) git_revision: Option<String>,
    /// SHA-256 of each data file.
    pub(super) data_checksums: BTreeMap<String, String>,
}

impl Run {
    pub(super) fn is_done(&self) -> bool {
        self.status == RunStatus::Done
    }

    /// Its figure of a measure, at the end or after so many epochs.
    pub(super) fn figure(&self, measure: Measure, epoch: Option<f64>) -> Option<f64> {
        self.figures.get(&measure.key(epoch)).copied()
    }
}
