//! Pages from run folders that were made up.

mod kept;
mod parts;
mod steps;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::Experiment;
use backproof_train::{BestValidation, RUN_SCHEMA, RunRecord, RunStatus, Summary, TrainingReport};

use super::{Reproduction, Sources, reproduction};
use crate::ReportError;

const CONFIG: &str = "[data]\ndataset = \"mnist\"\nvalidation_images = 100\n[model]\nname = \"mnist-baseline\"\n\
                      [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 3_000\n";

const RESULTS: &str = "configs = \"configs\"\nkept = \"kept.json\"\nseeds = { as_published = 3, ours = 2 }\n[[taken]]\n\
                       configs = [\"a-as-published\"]\nwords = \"The inputs are guessed.\"\n[below]\na = \"The seed is unlucky.\"\n[[sources]]\n\
                       name = \"Somebody 2020\"\ndocument = \"a report\"\n";

/// A results file with the configs `a` and `b`, which differ in their learning rate, each also as published; and a
/// folder for runs.
struct Table(tempfile::TempDir);

impl Table {
    /// The results, as lines of TOML.
    fn new(results: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, rate) in [("a", "0.1"), ("b", "0.2"), ("a-as-published", "0.1"), ("b-as-published", "0.2")] {
            let path = folder.path().join(format!("configs/{name}.toml"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, CONFIG.replace("0.1", rate)).unwrap();
        }
        fs::write(folder.path().join("results.toml"), format!("{RESULTS}{results}")).unwrap();
        fs::create_dir(folder.path().join("runs")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A finished run of a config with this test accuracy, which tells it from others; `change` changes its record.
    fn run(
        &self,
        config: &str,
        seed: u64,
        accuracy: f64,
        set: &[&str],
        change: impl FnOnce(&mut RunRecord),
    ) -> PathBuf {
        let mut overrides = vec![format!("seed={seed}")];
        overrides.extend(set.iter().map(|it| (*it).to_owned()));
        let experiment =
            Experiment::load(&self.path(&format!("configs/{config}.toml")), &overrides, &backproof_data::data_sets())
                .unwrap();
        let mut record = RunRecord {
            schema_version: RUN_SCHEMA,
            experiment: experiment.name.clone(),
            command_line: Vec::new(),
            versions: BTreeMap::from([("burn".to_owned(), "0.22.1".to_owned())]),
            git_revision: None,
            backend: "flex".to_owned(),
            device: "flex (CPU, 2 threads)".to_owned(),
            data_checksums: BTreeMap::new(),
            class_weights: Vec::new(),
            class_names: Vec::new(),
            seed,
            computations: Vec::new(),
            trainable_parameters: 14_682,
            warm_start: None,
            status: RunStatus::Done,
            started: "2026-01-02T03:04:05Z".to_owned(),
            ended: None,
            summary: Some(Summary {
                test_accuracy: accuracy,
                test_loss: 0.1,
                best_validation: Some(BestValidation { accuracy: 1.0, iteration: 5 }),
                training_seconds: 60.0 + seed as f64,
                ended_early: None,
                restored: None,
            }),
        };
        change(&mut record);
        let folder = self.path(&format!("runs/sweep/{config}-{seed}-{accuracy}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), experiment.to_toml()).unwrap();
        fs::write(folder.join("run.json"), serde_json::to_string(&record).unwrap()).unwrap();
        let lines = [(1.0, Some(0.5)), (2.0, Some(0.6)), (2.5, None), (3.0, Some(accuracy - 0.1))];
        let line = |(epoch, validation)| serde_json::to_string(&report(epoch, validation)).unwrap() + "\n";
        fs::write(folder.join("metrics.jsonl"), lines.map(line).concat()).unwrap();
        folder
    }

    fn try_made(&self, runs: &str) -> Result<Reproduction, ReportError> {
        let (results, runs) = (self.path("results.toml"), [self.path(runs)]);
        reproduction(Sources { results: &results, runs: Some(&runs), authors: None })
    }

    fn made(&self) -> Reproduction {
        self.try_made("runs").unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self) -> String {
        self.try_made("runs").unwrap_err().to_string()
    }
}

fn report(epoch: f64, validation_accuracy: Option<f64>) -> TrainingReport {
    TrainingReport {
        iteration: (1000.0 * epoch) as usize,
        epoch,
        learning_rate: 0.1,
        classification_loss: 1.0 / epoch,
        weight_decay_loss: 0.5,
        total_loss: 1.0 / epoch + 0.5,
        training_accuracy: 0.9,
        validation_accuracy,
        validation_loss: validation_accuracy.map(|_| 0.2),
        images_per_second: 1.0,
        seconds: 1.0,
        seconds_left: 0.0,
        averages: backproof_spec::Averages::Plain,
    }
}

/// A row of a table of the parts: result, figure, reported, ours, difference, seeds, verdict, config.
fn rows(made: &Reproduction) -> Vec<Vec<String>> {
    let tables = made.markdown.split("## The configs").next().unwrap_or_default();
    let lines = tables.lines().filter(|line| line.contains("](configs/"));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn result(reported: &str, configs: &str) -> String {
    format!("[[sources.results]]\nwhat = \"MNIST\"\nreported = {{ {reported} }}\nconfigs = {configs}\n")
}

/// Both `a`, so that [taken] and [below] have their configs.
const BOTH: &str = "[\"a\", \"a-as-published\"]";
