//! Run folders: which of them are runs of the configs, and why the others are not.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::Experiment;
use backproof_train::{RunFolder, RunStatus, Summary, TrainError};

use super::published::Published;
use super::run::Run;
use crate::ReportError;
use crate::settings::{differences, flatten};

/// Keys in which a run may differ from its config: what is drawn, how it is computed, what is hoped for, where files
/// lay.
const FREE: [&str; 6] = ["seed", "engine", "kernels", "training.kernels", "expect.test_accuracy", "model.init_from"];

/// A run folder that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmittedRun {
    /// The run folder.
    pub folder: PathBuf,
    /// Why, without a full stop: `has other settings: training.iterations is 20 and not 5000`.
    pub reason: String,
}

impl fmt::Display for OmittedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.folder.display(), self.reason)
    }
}

/// What the folders of runs hold.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// One for each config and seed, in their order.
    pub(super) runs: Vec<Run>,
    /// Seeds of a config whose run diverged or failed, and that have no finished run.
    pub(super) lost: Vec<Lost>,
    pub(super) left_out: Vec<OmittedRun>,
}

/// A seed for which a config has no result.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) config: String,
    pub(super) seed: u64,
    pub(super) status: RunStatus,
}

/// What a run folder is to the table.
enum Found {
    Run(Box<Run>),
    /// A run of a config that has come to nothing.
    Lost(Lost, String),
    LeftOut(String),
    /// Of an experiment that the table does not have.
    Other,
}

impl Collection {
    /// Reads every run folder under the folders `roots`.
    pub(super) fn of(published: &Published, roots: &[PathBuf]) -> Result<Self, ReportError> {
        let mut folders = Vec::new();
        for root in roots {
            find(root, &mut folders)?;
        }
        folders.sort();
        folders.dedup();
        let mut collection = Self::default();
        let mut newest: BTreeMap<(String, u64), (Box<Run>, PathBuf)> = BTreeMap::new();
        let mut lost = Vec::new();
        for folder in folders {
            match look_at(&folder, published) {
                Found::Other => {}
                Found::LeftOut(reason) => collection.left_out.push(OmittedRun { folder, reason }),
                Found::Lost(run, reason) => {
                    lost.push(run);
                    collection.left_out.push(OmittedRun { folder, reason });
                }
                Found::Run(run) => {
                    let key = (run.config.clone(), run.record.seed);
                    let older = match newest.remove(&key) {
                        // RFC 3339 in UTC sorts as the times do.
                        Some((other, path)) if other.record.started > run.record.started => {
                            newest.insert(key, (other, path));
                            Some(folder)
                        }
                        other => {
                            newest.insert(key, (run, folder));
                            other.map(|(_, path)| path)
                        }
                    };
                    let reason = "is an older run with the same seed".to_owned();
                    collection.left_out.extend(older.map(|folder| OmittedRun { folder, reason }));
                }
            }
        }
        lost.retain(|it: &Lost| !newest.contains_key(&(it.config.clone(), it.seed)));
        lost.sort_by(|one, other| (&one.config, one.seed).cmp(&(&other.config, other.seed)));
        lost.dedup_by(|one, other| (&one.config, one.seed) == (&other.config, other.seed));
        collection.lost = lost;
        collection.runs = newest.into_values().map(|(run, _)| *run).collect();
        collection.left_out.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(collection)
    }

    /// The runs of a config, by seed.
    pub(super) fn of_config(&self, config: &str) -> Vec<&Run> {
        self.runs.iter().filter(|run| run.config == config).collect()
    }
}

/// Every folder under `folder` that has a `run.json`; links are not followed, since `latest` is one.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ReportError> {
    let cannot_read = |source| TrainError::Read { path: folder.to_owned(), source };
    if folder.join("run.json").exists() {
        found.push(folder.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&entry.path(), found)?;
        }
    }
    Ok(())
}

fn look_at(path: &Path, published: &Published) -> Found {
    let read = || -> Result<_, TrainError> {
        let folder = RunFolder::open(path)?;
        Ok((folder.experiment()?, folder.record()?, folder))
    };
    let (experiment, record, folder) = match read() {
        Ok(read) => read,
        Err(error) => return Found::LeftOut(format!("cannot be read: {}", crate::contents::because(&error))),
    };
    let Some(config) = published.configs.get(&experiment.name) else { return Found::Other };
    if let Some(difference) = difference(&experiment, config) {
        return Found::LeftOut(format!("has other settings: {difference}"));
    }
    let lost = |status, words: &str| {
        let lost = Lost { config: experiment.name.clone(), seed: experiment.seed, status };
        Found::Lost(lost, words.to_owned())
    };
    let Summary { test_accuracy, training_seconds, .. } = match (&record.summary, record.status) {
        (Some(summary), RunStatus::Done) => summary.clone(),
        (None, RunStatus::Done) => return Found::LeftOut("is done and has no summary in run.json".to_owned()),
        (_, RunStatus::Diverged) => return lost(RunStatus::Diverged, "diverged"),
        (_, RunStatus::Failed) => return lost(RunStatus::Failed, "failed"),
        (_, RunStatus::Interrupted) => return Found::LeftOut("was interrupted".to_owned()),
        (_, RunStatus::Running) => return Found::LeftOut("is not finished: it is training, or was killed".to_owned()),
    };
    match folder.reports() {
        Err(error) => Found::LeftOut(format!("cannot be read: {}", crate::contents::because(&error))),
        Ok(reports) => Found::Run(Box::new(Run {
            config: experiment.name,
            record,
            engine: experiment.engine.name(),
            dataset: experiment.data.dataset,
            reports,
            test_accuracy,
            training_seconds,
        })),
    }
}

/// What makes a run another experiment than its config, in words.
pub(super) fn difference(run: &Experiment, config: &Experiment) -> Option<String> {
    let settings = [run, config].map(|experiment| flatten(&experiment.to_toml()));
    let differences: Vec<String> = differences(&settings)
        .into_iter()
        .filter(|(key, _)| !FREE.contains(&key.as_str()))
        .map(|(key, values)| format!("{key} is {} and not {}", values[0], values[1]))
        .collect();
    (!differences.is_empty()).then(|| differences.join(", "))
}
