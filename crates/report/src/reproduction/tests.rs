//! Tables from run folders that were made up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::Experiment;
use backproof_train::{RUN_SCHEMA, RunRecord, RunStatus, Summary, TrainingReport};

use super::{Reproduction, reproduction};

const CONFIG: &str = "[data]\ndataset = \"mnist\"\nvalidation_images = 100\n[model]\nname = \"mnist-baseline\"\n\
                      [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 3_000\n";

const RESULTS: &str = "configs = \"configs\"\nseeds = 3\n[below]\na = \"The seed is unlucky.\"\n[[sources]]\nname = \"Somebody 2020\"\n\
                       document = \"a report\"\n";

/// A results file with the configs `a` and `b`, which differ in their learning rate, and a folder for runs.
struct Table(tempfile::TempDir);

impl Table {
    /// The results, as lines of TOML.
    fn new(results: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, rate) in [("a", "0.1"), ("b", "0.2")] {
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
                best_validation: Some((1.0, 5)),
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

    fn made(&self) -> Reproduction {
        reproduction(&self.path("results.toml"), &[self.path("runs")]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self) -> String {
        reproduction(&self.path("results.toml"), &[self.path("runs")]).unwrap_err().to_string()
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

/// The cells of the rows with a link to a config, but for those of the network and the parameters.
fn rows(table: &Reproduction) -> Vec<Vec<String>> {
    let lines = table.markdown.lines().filter(|line| line.contains("](configs/"));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    lines
        .map(cells)
        .map(|cells| cells.into_iter().enumerate().filter(|(n, _)| ![2, 4].contains(n)).map(|(_, it)| it).collect())
        .collect()
}

fn result(reported: &str, configs: &str) -> String {
    format!("[[sources.results]]\nwhat = \"MNIST\"\nreported = {{ {reported} }}\nconfigs = {configs}\n")
}

#[test]
fn a_row_has_the_mean_and_the_deviation_over_the_seeds_and_the_median_time() {
    let table = Table::new(&result("test = \"92.5 %\"", "[\"a\", \"b\"]"));
    for (seed, accuracy) in [(1, 0.92), (2, 0.93), (3, 0.95)] {
        table.run("a", seed, accuracy, &[], |_| {});
    }
    table.run("b", 7, 0.9, &[], |_| {});
    let made = table.made();
    // statistics.mean([92, 93, 95]) is 93.33, statistics.stdev of it 1.53.
    let a = [
        "✓",
        "MNIST",
        "[a](configs/a.toml)",
        "test",
        "92.5 %",
        "93.33 ± 1.53 %",
        "+0.83",
        "3",
        "3,000 × 16",
        "1 min 02 s",
    ];
    let b = [
        "✗",
        "MNIST",
        "[b](configs/b.toml)",
        "test",
        "92.5 %",
        "90.00 %",
        "−2.50",
        "1 of 3",
        "3,000 × 16",
        "1 min 07 s",
    ];
    assert_eq!(rows(&made), [a, b]);
    assert_eq!(made.verdict, "Of 1 published figures, 1 are reached, 0 are not, and 0 have no runs.");
    assert!(made.markdown.contains("\n- `b`: misses test (−2.50).\n"), "{}", made.markdown);
    assert!(made.markdown.contains("`mnist-baseline`") && made.markdown.contains("| 14,682 |"), "{}", made.markdown);
    assert!(made.markdown.contains("| flex (CPU, 2 threads) | 4 |"), "{}", made.markdown);
}

#[test]
fn what_is_exactly_reached_is_reached_and_what_is_below_says_why() {
    let table = Table::new(&result("test = \"92.0 %\"", "[\"a\"]"));
    table.run("a", 1, 0.92, &[], |_| {});
    assert_eq!(rows(&table.made())[0][0], "✓");
    let table = Table::new(&result("test = \"92.01 %\"", "[\"a\"]"));
    table.run("a", 1, 0.92, &[], |_| {});
    let made = table.made();
    assert_eq!((rows(&made)[0][0].as_str(), rows(&made)[0][6].as_str()), ("✗", "−0.01"));
    assert!(
        made.markdown.contains("\n- `a`: misses test (−0.01).\n- `a`: The seed is unlucky.\n"),
        "{}",
        made.markdown
    );
    assert_eq!(made.verdict, "Of 1 published figures, 0 are reached, 1 are not, and 0 have no runs.");
}

#[test]
fn each_figure_is_held_against_the_same_of_the_last_iteration() {
    let figures = "validation = \"about 81 %\", training = \"91 %\", total_loss = \"0.84\"";
    let table = Table::new(&(result(figures, "[\"a\"]") + &result("validation = \"60 %\"", "[\"a\"]") + "epoch = 2\n"));
    table.run("a", 1, 0.92, &[], |_| {});
    let figures: Vec<Vec<String>> =
        rows(&table.made()).into_iter().map(|row| [0, 3, 4, 5, 6].map(|n| row[n].clone()).to_vec()).collect();
    let expected = [
        ["✓", "validation", "about 81 %", "82.00 %", "+1.00"],
        ["✗", "training", "91 %", "90.00 %", "−1.00"],
        ["✓", "total loss", "0.84", "0.8333", "−0.0067"],
        ["✓", "validation", "60 %", "60.00 %", "+0.00"],
    ];
    assert_eq!(figures, expected);
}

#[test]
fn what_was_not_run_has_a_row_that_says_so() {
    let untrained = "[[sources.results]]\nwhat = \"ImageNet\"\nreported = { test = \"none\" }\nconfigs = []\nnetwork = \"alexnet\"\n\
                     remark = \"No data.\"\n";
    let table =
        Table::new(&(result("test = \"92 %\"", "[\"a\"]") + &result("test = \"worse\"", "[\"b\"]") + untrained));
    let made = table.made();
    assert_eq!(
        rows(&made)[0],
        ["–", "MNIST", "[a](configs/a.toml)", "test", "92 %", "–", "–", "0 of 3", "3,000 × 16", "–"]
    );
    assert_eq!(rows(&made)[1][0], "", "without a number there is nothing to reach");
    assert!(made.markdown.contains("\n- `a`: not run.\n- `b`: not run.\n- ImageNet: No data.\n"), "{}", made.markdown);
    assert!(made.markdown.contains("| `alexnet` | – | 60,965,224 |"), "{}", made.markdown);
    assert_eq!(made.verdict, "Of 1 published figures, 0 are reached, 0 are not, and 1 have no runs.");
    assert!(made.markdown.contains("There are no runs yet."));
}

#[test]
fn the_newest_run_of_a_seed_counts_and_all_but_finished_runs_of_the_config_are_left_out_with_the_reason() {
    let table = Table::new(&result("test = \"92 %\"", "[\"a\"]"));
    let newer = |record: &mut RunRecord| record.started = "2026-01-02T03:04:06Z".to_owned();
    table.run("a", 1, 0.99, &[], newer);
    table.run("a", 1, 0.11, &[], |_| {});
    table.run("a", 2, 0.97, &["engine=manual", "expect.test_accuracy=0.5"], |_| {});
    table.run("a", 3, 0.12, &["training.iterations=20"], |_| {});
    table.run("a", 4, 0.13, &[], |record| record.status = RunStatus::Interrupted);
    let damaged = table.run("a", 5, 0.14, &[], |_| {});
    fs::write(damaged.join("run.json"), "{\"schema_version\": 1").unwrap();
    let cut = table.run("a", 6, 0.15, &[], |_| {});
    fs::write(cut.join("metrics.jsonl"), "garbage\n").unwrap();
    table.run("b", 1, 0.16, &[], |_| {});
    let made = table.made();
    assert_eq!(rows(&made)[0][5..8], ["98.00 ± 1.41 %", "+6.00", "2 of 3"]);
    assert_eq!(made.runs, 2);
    let left_out: Vec<(String, &str)> = made
        .left_out
        .iter()
        .map(|it| (it.folder.file_name().unwrap().to_string_lossy().into_owned(), it.reason.as_str()))
        .collect();
    assert_eq!(left_out[0], ("a-1-0.11".to_owned(), "is an older run with the same seed"));
    assert_eq!(left_out[1], ("a-3-0.12".to_owned(), "has other settings: training.iterations is 20 and not 3000"));
    assert_eq!(left_out[2], ("a-4-0.13".to_owned(), "was interrupted"));
    assert!(left_out[3].1.starts_with("cannot be read: ") && left_out[3].1.contains("run.json"), "{}", left_out[3].1);
    assert!(left_out[4].1.contains("line 1: "), "{}", left_out[4].1);
    assert_eq!(left_out.len(), 5, "a run of another experiment is none of the table's");
}

#[test]
fn a_run_that_diverged_is_told_unless_its_seed_has_a_result() {
    let table = Table::new(&result("test = \"92 %\"", "[\"a\"]"));
    let diverged = |record: &mut RunRecord| {
        record.status = RunStatus::Diverged;
        record.summary = None;
    };
    table.run("a", 1, 0.95, &[], |_| {});
    table.run("a", 1, 0.1, &[], diverged);
    table.run("a", 2, 0.2, &[], diverged);
    let made = table.made();
    assert!(
        made.markdown.contains("\n- `a`: The run with seed 2 diverged and is not in the mean.\n"),
        "{}",
        made.markdown
    );
    assert_eq!(rows(&made)[0][7], "1 of 3");
}

#[test]
fn runs_on_other_data_than_the_published_are_told_at_the_head() {
    let table = Table::new(&result("test = \"92 %\"", "[\"a\"]"));
    table.run("a", 1, 0.95, &[], |_| {});
    assert!(!table.made().markdown.contains("other files"));
    let other = |record: &mut RunRecord| {
        record.data_checksums.insert("t10k-images-idx3-ubyte".to_owned(), "0".repeat(64));
    };
    table.run("a", 2, 0.95, &[], other);
    let text = table.made().markdown;
    assert!(text.contains("**Read other files of mnist than those that were published: 1 run.**"), "{text}");
}

#[test]
fn the_same_folders_give_the_same_page_wherever_they_lie() {
    let results = result("test = \"92 %\"", "[\"a\", \"b\"]");
    let (one, other) = (Table::new(&results), Table::new(&results));
    let seeds = [1, 2, 3];
    seeds.iter().for_each(|&seed| _ = one.run("a", seed, 0.9 + 0.01 * seed as f64, &[], |_| {}));
    seeds.iter().rev().for_each(|&seed| _ = other.run("a", seed, 0.9 + 0.01 * seed as f64, &[], |_| {}));
    assert_eq!(one.made().markdown, other.made().markdown);
}

#[test]
fn what_is_wrong_with_the_results_is_an_error_with_its_place() {
    let wrong = |results: &str| Table::new(results).error();
    let text = wrong(&result("test = \"92,5 %\"", "[\"a\"]"));
    assert!(
        text.ends_with("results.toml: the result `MNIST`: `92,5 %` has no share in it, such as `97.6 %`"),
        "{text}"
    );
    assert!(wrong(&result("tset = \"92 %\"", "[\"a\"]")).contains("unknown variant `tset`"));
    assert!(wrong(&result("test = \"92 %\"", "[]")).contains("`MNIST` has neither `configs` nor a `network`"));
    assert!(wrong(&result("test = \"92 %\"", "[\"a\", \"c\"]")).contains("the config cannot be read"));
    assert!(wrong(&result("test = \"92 %\"", "[\"b\"]")).contains("`a` under [below] is no config of any result"));
    let at_an_epoch = result("test = \"92 %\"", "[\"a\"]") + "epoch = 3\n";
    assert!(wrong(&at_an_epoch).contains("the test images are evaluated at the end"));
    let table = Table::new(&result("test = \"92 %\"", "[\"a\"]"));
    let missing = reproduction(&table.path("results.toml"), &[table.path("nothing")]).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read ") && missing.ends_with("nothing"), "{missing}");
}

/// The published results that come with the program.
#[test]
fn every_config_of_the_published_results_is_in_the_sweep_with_three_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let published = super::Published::load(&root.join("docs/reproduction.toml")).unwrap();
    let sweep =
        backproof_spec::Sweep::load(&root.join("configs/sweeps/reproduction.toml"), &[], &backproof_data::data_sets())
            .unwrap();
    assert_eq!(published.file.sources.len(), 5);
    for (name, config) in &published.configs {
        let point = sweep.points.iter().find(|point| point.name.as_ref() == Some(name));
        let point = point.unwrap_or_else(|| panic!("{name} is not in the sweep"));
        assert!(point.runs.len() >= published.file.seeds);
        for run in &point.runs {
            assert_eq!(super::collect::difference(run, config), None);
        }
    }
    assert_eq!(sweep.points.len(), published.configs.len(), "the sweep trains what no result is of");
}
