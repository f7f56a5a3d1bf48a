//! How a run ended: `outcome.json`, written when it has.

use std::io::ErrorKind;
use std::path::Path;

use backproof_spec::Experiment;
use backproof_train::{RunFolder, write_json};
use serde::{Deserialize, Serialize};

/// The version of `outcome.json`.
const OUTCOME_SCHEMA: u32 = 1;

/// Its name in the folder of a run.
pub(crate) const FILE: &str = "outcome.json";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// Trained and evaluated.
    Done,
    /// Done, and below the accuracy that the experiment expects.
    Missed,
    /// The loss or a weight stopped being finite; it would again.
    Diverged,
    /// For another reason, which may have been removed by the next time.
    Failed,
}

impl Status {
    /// Its name in every file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Missed => "missed",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }

    /// Whether doing it again could change anything.
    pub(crate) fn is_final(self) -> bool {
        self != Self::Failed
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    schema_version: u32,
    pub(crate) status: Status,
    /// Absent where a signal ended the process, and where another process's work was found done.
    pub(crate) exit_code: Option<i32>,
    /// The last lines of what the process printed, of a run that failed or diverged.
    pub(crate) error: Vec<String>,
    /// The run folder, from the sweep's run folder on.
    pub(crate) run_folder: Option<String>,
    pub(crate) figures: Option<Figures>,
}

/// What a run that is done has come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Share of the test images, by the weights that the run ended with.
    pub(crate) test_accuracy: f64,
    /// Nats.
    pub(crate) test_loss: f64,
    /// The best of the run; absent without validation images.
    pub(crate) validation_accuracy: Option<f64>,
    /// Trainable parameters.
    pub(crate) parameters: usize,
    pub(crate) training_seconds: f64,
}

impl Outcome {
    /// What the run folder `run` of `experiment` says, if its run is done. `folder` is the sweep's for this run.
    pub(crate) fn of(run: &RunFolder, experiment: &Experiment, folder: &Path, exit_code: Option<i32>) -> Option<Self> {
        let record = run.record().ok()?;
        let summary = record.summary.filter(|_| record.status == backproof_train::RunStatus::Done)?;
        let missed = experiment.expect.as_ref().is_some_and(|expect| summary.test_accuracy < expect.test_accuracy);
        Some(Self {
            schema_version: OUTCOME_SCHEMA,
            status: if missed { Status::Missed } else { Status::Done },
            exit_code,
            error: Vec::new(),
            run_folder: relative(run.path(), folder),
            figures: Some(Figures {
                test_accuracy: summary.test_accuracy,
                test_loss: summary.test_loss,
                validation_accuracy: summary.best_validation.map(|best| best.accuracy),
                parameters: record.trainable_parameters,
                training_seconds: summary.training_seconds,
            }),
        })
    }

    /// Of a run that did not get there.
    pub(crate) fn failed(
        status: Status,
        exit_code: Option<i32>,
        error: Vec<String>,
        run: Option<&RunFolder>,
        folder: &Path,
    ) -> Self {
        let run_folder = run.and_then(|run| relative(run.path(), folder));
        Self { schema_version: OUTCOME_SCHEMA, status, exit_code, error, run_folder, figures: None }
    }

    /// Whether the run is done and was killed before its report was. `folder` is the sweep's for this run.
    pub(crate) fn lacks_report(&self, folder: &Path) -> bool {
        let run = self.run_folder.as_ref().filter(|_| self.figures.is_some()).map(|run| folder.join(run));
        // Whoever removed the run folder wants no report either.
        run.is_some_and(|run| {
            run.join("run.json").exists() && matches!(run.join("report.html").try_exists(), Ok(false))
        })
    }

    /// What an earlier process wrote; `None` of a run that has not ended.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is of another version: a sentence.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(FILE);
        let cannot_read = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_read(&error)),
        };
        let outcome: Self = serde_json::from_str(&text).map_err(|error| cannot_read(&error))?;
        match outcome.schema_version {
            OUTCOME_SCHEMA => Ok(Some(outcome)),
            version => Err(cannot_read(&format_args!("it has schema version {version}, not {OUTCOME_SCHEMA}"))),
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        Ok(write_json(&folder.join(FILE), self)?)
    }
}

/// With `/` on every system.
fn relative(run: &Path, folder: &Path) -> Option<String> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let parts: Vec<_> = run.strip_prefix(folder).ok()?.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
}
