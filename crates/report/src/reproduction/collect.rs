//! Run folders: which of them are runs of the configs, and why the others are not.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::Experiment;
use backproof_train::{RunFolder, RunRecord, RunStatus, Split, Summary, TrainError, TrainingReport};

use super::identity::difference;
use super::measure::Measure;
use super::published::Published;
use super::run::Run;
use crate::ReportError;

/// A run that is not on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmittedRun {
    /// The run folder, or the file of kept results.
    pub folder: PathBuf,
    /// Why, without a full stop: `has other settings: training.iterations is 20 and not 5000`.
    pub reason: String,
}

impl fmt::Display for OmittedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.folder.display(), self.reason)
    }
}

/// The runs of the configs.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// One for each config and seed, in their order.
    pub(super) runs: Vec<Run>,
    /// Those that diverged or failed, of seeds that have no finished run.
    pub(super) lost: Vec<Run>,
    pub(super) left_out: Vec<OmittedRun>,
}

/// What a run folder is to the page.
enum Found {
    /// A finished run, or one that has come to nothing.
    Run(Box<Run>),
    LeftOut(String),
    /// Of an experiment that the page does not have.
    Other,
}

/// The newest finished run of each config and seed, with its folder; `None` of a kept one.
type Newest = BTreeMap<(String, u64), (Run, Option<PathBuf>)>;

impl Collection {
    /// Reads every run folder under the folders `roots`, and puts the runs together with the kept ones. Of several with
    /// one seed, the newest is taken.
    pub(super) fn of(published: &Published, kept: Vec<Run>, roots: &[PathBuf]) -> Result<Self, ReportError> {
        let mut folders = Vec::new();
        for root in roots {
            find(root, &mut folders)?;
        }
        folders.sort();
        folders.dedup();
        let mut collection = Self::default();
        let mut newest = Newest::new();
        for run in kept {
            collection.add(&mut newest, run, None);
        }
        for folder in folders {
            match look_at(&folder, published) {
                Found::Other => {}
                Found::LeftOut(reason) => collection.left_out.push(OmittedRun { folder, reason }),
                Found::Run(run) => {
                    if !run.is_done() {
                        let reason = outcome(run.status).to_owned();
                        collection.left_out.push(OmittedRun { folder: folder.clone(), reason });
                    }
                    collection.add(&mut newest, *run, Some(folder));
                }
            }
        }
        let lost = &mut collection.lost;
        lost.retain(|it| !newest.contains_key(&(it.config.clone(), it.seed)));
        lost.sort_by(|one, other| (&one.config, one.seed).cmp(&(&other.config, other.seed)));
        lost.dedup_by(|one, other| (&one.config, one.seed) == (&other.config, other.seed));
        collection.runs = newest.into_values().map(|(run, _)| run).collect();
        collection.left_out.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(collection)
    }

    fn add(&mut self, newest: &mut Newest, run: Run, folder: Option<PathBuf>) {
        if !run.is_done() {
            self.lost.push(run);
            return;
        }
        let key = (run.config.clone(), run.seed);
        let mut omit = |folder: PathBuf, reason: &str| {
            self.left_out.push(OmittedRun { folder, reason: reason.to_owned() });
        };
        match newest.remove(&key) {
            Some(other) if other.0.started > run.started => {
                match (folder, &other.1) {
                    (Some(folder), Some(_)) => omit(folder, "is an older run with the same seed"),
                    (Some(folder), None) => omit(folder, "is older than the kept result of the same seed"),
                    (None, _) => {}
                }
                newest.insert(key, other);
            }
            other => {
                if let Some((_, Some(older))) = other {
                    omit(older, "is an older run with the same seed");
                }
                newest.insert(key, (run, folder));
            }
        }
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
    let cannot_be_read = |error: TrainError| format!("cannot be read: {}", crate::contents::because(&error));
    let (experiment, record, folder) = match read() {
        Ok(read) => read,
        Err(error) => return Found::LeftOut(cannot_be_read(error)),
    };
    let Some(config) = published.configs.get(&experiment.name) else { return Found::Other };
    if let Some(difference) = difference(&experiment, config) {
        return Found::LeftOut(format!("has other settings: {difference}"));
    }
    match (&record.summary, record.status) {
        (Some(_), RunStatus::Done) | (_, RunStatus::Diverged | RunStatus::Failed) => {}
        (None, RunStatus::Done) => return Found::LeftOut("is done and has no summary in run.json".to_owned()),
        (_, RunStatus::Interrupted) => return Found::LeftOut("was interrupted".to_owned()),
        (_, RunStatus::Running) => return Found::LeftOut("is not finished: it is training, or was killed".to_owned()),
    }
    let reports = match (record.status, folder.reports()) {
        (_, Ok(reports)) => reports,
        // What has come to nothing needs no reports.
        (RunStatus::Diverged | RunStatus::Failed, Err(_)) => Vec::new(),
        (_, Err(error)) => return Found::LeftOut(cannot_be_read(error)),
    };
    Found::Run(Box::new(run(&folder, experiment, record, &reports, published)))
}

fn run(
    folder: &RunFolder,
    experiment: Experiment,
    record: RunRecord,
    reports: &[TrainingReport],
    published: &Published,
) -> Run {
    let mut figures = BTreeMap::new();
    let iterations = reports.last().map_or(0, |report| report.iteration);
    let mut recall = Vec::new();
    let summary = record.summary.filter(|_| record.status == RunStatus::Done);
    if let Some(Summary { test_accuracy, restored, .. }) = summary {
        // A run that ended with the weights of its best epoch has the figures of that epoch.
        let end = restored.unwrap_or(iterations);
        let reports = &reports[..reports.partition_point(|report| report.iteration <= end)];
        // All of the end, since the results may name one more some day; and those of an epoch that they name.
        let at_epochs = published
            .file
            .results()
            .filter(|result| result.configs.contains(&experiment.name))
            .flat_map(|result| result.reported.keys().map(|measure| (*measure, result.epoch)));
        for (measure, epoch) in Measure::ALL.map(|measure| (measure, None)).into_iter().chain(at_epochs) {
            let figure = measure.of(reports, test_accuracy, epoch).filter(|figure| figure.is_finite());
            figures.extend(figure.map(|figure| (measure.key(epoch), figure)));
        }
        // Of the weights that the run ended with, and of no others. A damaged evaluation is like none: the page says
        // what it lacks.
        let evaluation = folder.result_on(Split::Validation).ok().flatten();
        let of_the_end = evaluation.filter(|result| result.iteration == Some(end));
        recall = of_the_end.map_or_else(Vec::new, |it| it.classes.into_iter().map(|class| class.recall).collect());
    }
    Run {
        config: experiment.name,
        seed: record.seed,
        status: record.status,
        figures,
        recall,
        iterations,
        seconds: summary.map_or(0.0, |summary| summary.training_seconds),
        started: record.started,
        device: record.device,
        engine: experiment.engine.name().to_owned(),
        versions: record.versions,
        git_revision: record.git_revision,
        data_checksums: record.data_checksums,
    }
}

/// What became of a run that has no result.
pub(super) fn outcome(status: RunStatus) -> &'static str {
    if status == RunStatus::Diverged { "diverged" } else { "failed" }
}
