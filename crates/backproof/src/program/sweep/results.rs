//! What a sweep has come to: `results.json`, `results.csv`, `runs.csv`, `results.md`.

use std::path::{Path, PathBuf};

use backproof_report::{mean_and_deviation, median};
use backproof_spec::Sweep;
use backproof_train::{write_json, write_whole};
use serde::Serialize;

use super::folder::SweepFolder;
use super::outcome::{Outcome, Status};
use super::point::{Point, Run};
use super::ranking::{RankedBy, best_run, rank};

/// The version of `results.json`, `results.csv` and `runs.csv`. 2 sorts points by validation and compares each with the
/// best.
const RESULTS_SCHEMA: u32 = 2;

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
    /// What the points are sorted by.
    pub(crate) ranked_by: RankedBy,
    /// Best mean accuracy first; those without any last.
    pub(crate) points: Vec<Point>,
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
            let (validation_mean, validation_deviation) = mean_and_deviation(&validation).unzip();
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
                validation_accuracy_mean: validation_mean,
                validation_accuracy_deviation: validation_deviation.flatten(),
                to_best: None,
                training_seconds_median: median(&times),
                runs,
            });
        }
        let ranked_by = rank(&mut points);
        Ok(Self {
            schema_version: RESULTS_SCHEMA,
            sweep: sweep.name.clone(),
            backend: backend.to_owned(),
            keys: sweep.keys.clone(),
            ranked_by,
            short_keys: sweep.short_keys().into_iter().map(str::to_owned).collect(),
            points,
        })
    }

    /// The best point and its test accuracy in a sentence, for who is told that none was good enough.
    pub(crate) fn best_label(&self) -> Option<String> {
        let best = self.points.first()?;
        let mean = best.test_accuracy_mean?;
        Some(format!("the best is {} with {}", best.words(), super::words::percent(mean)))
    }

    /// The run folder of the best point, from the sweep's folder on: of its seed with the highest accuracy.
    pub(crate) fn best_run_folder(&self) -> Option<PathBuf> {
        let point = self.points.first()?;
        let run = &point.runs[best_run(self.ranked_by, point)?];
        Some(Path::new(&run.folder).join(run.outcome.as_ref()?.run_folder.as_ref()?))
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
