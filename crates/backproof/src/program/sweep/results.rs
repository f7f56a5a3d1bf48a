//! What a sweep has come to: `results.json`, `results.csv`, `runs.csv`, `results.md`.

use std::collections::BTreeMap;

use backproof_report::{mean_and_deviation, median};
use backproof_spec::Sweep;
use backproof_train::{write_json, write_whole};
use serde::Serialize;

use super::folder::SweepFolder;
use super::outcome::{Outcome, Status};

/// The version of `results.json`, `results.csv` and `runs.csv`.
const RESULTS_SCHEMA: u32 = 1;

/// `results.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    schema_version: u32,
    pub(crate) sweep: String,
    pub(crate) backend: String,
    /// The keys that vary.
    pub(crate) keys: Vec<String>,
    #[serde(skip)]
    pub(crate) short_keys: Vec<String>,
    /// Best mean test accuracy first; those without any last.
    pub(crate) points: Vec<Point>,
}

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
    pub(crate) validation_accuracy_mean: Option<f64>,
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
    /// The value of one of the keys that vary, if this experiment has it.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_deref()
    }
}

impl Results {
    /// Collects what has ended, by whichever process, and writes every file of the results. The caller holds their lock.
    pub(crate) fn write(folder: &SweepFolder, sweep: &Sweep, backend: &str) -> anyhow::Result<Self> {
        let results = Self::collect(folder, sweep, backend)?;
        let path = |name: &str| folder.path().join(name);
        write_whole(&path("runs.csv"), &results.runs_csv()?)?;
        write_whole(&path("results.csv"), &results.points_csv()?)?;
        write_whole(&path("results.md"), results.markdown().as_bytes())?;
        write_json(&path("results.json"), &results)?;
        Ok(results)
    }

    fn collect(folder: &SweepFolder, sweep: &Sweep, backend: &str) -> anyhow::Result<Self> {
        let mut points = Vec::with_capacity(sweep.points.len());
        let mut number = 0;
        for point in &sweep.points {
            let mut runs = Vec::with_capacity(point.runs.len());
            for experiment in &point.runs {
                let task = folder.task(number, String::new(), experiment);
                let name = task.folder.file_name().unwrap_or_default().to_string_lossy();
                let folder = format!("runs/{name}");
                let (outcome, unreadable) = match task.outcome() {
                    Ok(outcome) => (outcome, None),
                    Err(reason) => (None, Some(reason)),
                };
                runs.push(Run { number, seed: experiment.seed, folder, outcome, unreadable });
                number += 1;
            }
            let figures: Vec<_> =
                runs.iter().filter_map(|run| run.outcome.as_ref()?.figures.as_ref()).cloned().collect();
            let accuracies: Vec<f64> = figures.iter().map(|it| it.test_accuracy).collect();
            let validation: Vec<f64> = figures.iter().filter_map(|it| it.validation_accuracy).collect();
            let times: Vec<f64> = figures.iter().map(|it| it.training_seconds).collect();
            let (mean, deviation) = mean_and_deviation(&accuracies).unzip();
            let ended = runs.iter().filter(|run| run.outcome.is_some()).count();
            points.push(Point {
                name: point.name.clone(),
                values: sweep.keys.iter().cloned().zip(point.values.clone()).collect(),
                label: sweep.label(point),
                parameters: point.runs[0].model.trainable_parameters()?,
                seeds: figures.len(),
                failed: ended - figures.len(),
                missing: runs.len() - ended,
                test_accuracy_mean: mean,
                test_accuracy_deviation: deviation.flatten(),
                validation_accuracy_mean: mean_and_deviation(&validation).map(|(mean, _)| mean),
                training_seconds_median: median(&times),
                runs,
            });
        }
        // Points that are equally good stay in the order of the file.
        points.sort_by(|one: &Point, other: &Point| {
            let key = |point: &Point| point.test_accuracy_mean.unwrap_or(f64::NEG_INFINITY);
            key(other).total_cmp(&key(one))
        });
        Ok(Self {
            schema_version: RESULTS_SCHEMA,
            sweep: sweep.name.clone(),
            backend: backend.to_owned(),
            keys: sweep.keys.clone(),
            short_keys: sweep.short_keys().into_iter().map(str::to_owned).collect(),
            points,
        })
    }

    /// The best point and its accuracy in a sentence, for who is told that none was good enough.
    pub(crate) fn best_label(&self) -> Option<String> {
        let best = self.points.first()?;
        let mean = best.test_accuracy_mean?;
        let label = if best.label.is_empty() { "the only point" } else { &best.label };
        Some(format!("the best is {label} with {}", super::words::percent(mean)))
    }

    /// The runs that failed or diverged, each with its point.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&Point, &Run, &Outcome)> {
        self.points.iter().flat_map(|point| {
            point.runs.iter().filter_map(move |run| {
                let outcome = run.outcome.as_ref()?;
                matches!(outcome.status, Status::Failed | Status::Diverged).then_some((point, run, outcome))
            })
        })
    }

    /// The runs whose outcome cannot be read, each with its point and why.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = (&Point, &Run, &str)> {
        self.points
            .iter()
            .flat_map(|point| point.runs.iter().filter_map(move |run| Some((point, run, run.unreadable.as_deref()?))))
    }
}
