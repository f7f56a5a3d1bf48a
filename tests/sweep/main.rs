//! Sweeps, as typed, on the bundled digits.

mod manifests;
mod memory;
mod refused;
mod stopped;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use backproof_tests::sweeps::{figures, folder_with, run_folders, sweep, sweep_folder};
use backproof_tests::{backproof, json, program, stderr, stdout};

/// Two points with two seeds, of 20 iterations each.
const SMALL: &str = "seeds = [1, 2]\n[set]\ntraining.iterations = 20\nexpect.test_accuracy = 0\n\
                     [grid]\noptimizer.learning_rate = [0.001, 0.05]\n";

#[test]
fn a_sweep_ends_in_a_table_with_the_best_point_first() {
    let folder = folder_with(SMALL);
    let assert = sweep(folder.path()).args(["--jobs", "2"]).assert().success();
    let text = stdout(&assert);
    assert!(text.contains("runs         4 at 2 points"), "{text}");
    let table: Vec<&str> = text.lines().skip_while(|line| !line.contains("learning_rate")).collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(table[0])[..5], ["learning_rate", "validation", "%", "to", "best"]);
    assert_eq!(words(table[1])[0], "0.05", "0.05 learns more in 20 iterations than 0.001:\n{text}");
    assert_eq!(words(table[2])[0], "0.001");
    assert!(table[1].contains(" ± ") && table[1].contains("14,682"), "{text}");
    assert!(text.contains("more seeds would tell whether it is better than another point"), "{text}");
    let progress = stderr(&assert);
    assert!(progress.contains("[4/4] learning_rate "), "{progress}");

    // The figures are those of the runs.
    let results = json(&sweep_folder(folder.path()).join("results.json"));
    assert_eq!((&results["schema_version"], &results["ranked_by"]), (&2.into(), &"validation".into()));
    let mut accuracies = Vec::new();
    for point in results["points"].as_array().unwrap() {
        let own: Vec<f64> = point["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| {
                let outcome = &run["outcome"];
                let place = format!("{}/{}", run["folder"].as_str().unwrap(), outcome["run_folder"].as_str().unwrap());
                let result = json(&sweep_folder(folder.path()).join(place).join("evaluation/result.json"));
                assert_eq!(outcome["figures"]["test_accuracy"], result["accuracy"]);
                result["accuracy"].as_f64().unwrap()
            })
            .collect();
        let mean = (own[0] + own[1]) / 2.0;
        assert!((point["test_accuracy_mean"].as_f64().unwrap() - mean).abs() < 1e-12);
        // Of two values the sample standard deviation is |a − b| / √2.
        let deviation = (own[0] - own[1]).abs() / 2.0_f64.sqrt();
        assert!((point["test_accuracy_deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
        accuracies.push(mean);
    }
    assert!(accuracies[0] > accuracies[1]);
    assert_eq!(figures(folder.path(), "runs.csv").len(), 5);
    let markdown = fs::read_to_string(sweep_folder(folder.path()).join("results.md")).unwrap();
    assert!(markdown.contains("| `optimizer.learning_rate` | validation % | to best | test % |"), "{markdown}");

    // A second time, nothing is done but the table.
    let before = run_folders(folder.path()).len();
    let again = stdout(&sweep(folder.path()).assert().success());
    assert_eq!(run_folders(folder.path()).len(), before);
    assert_eq!(again.lines().skip(2).collect::<Vec<_>>(), text.lines().skip(2).collect::<Vec<_>>());
}

#[test]
fn a_run_that_fails_is_reported_and_the_rest_goes_on() {
    // 10²⁰ is a valid learning rate, and diverges; the data set of the last point is not there.
    let folder = folder_with(
        "[set]\ntraining.iterations = 20\ntraining.checkpoint_every = 1\nexpect.test_accuracy = 0\n\
         [[points]]\nname = \"good\"\n[[points]]\nname = \"too-fast\"\noptimizer.learning_rate = 1e20\n\
         [[points]]\nname = \"no-data\"\ndata.dataset = \"mnist\"\n",
    );
    let assert = sweep(folder.path()).args(["--data-dir", "nothing"]).assert().code(1);
    let (out, err) = (stdout(&assert), stderr(&assert));
    assert!(err.contains("error: 1 of 3 runs failed and 1 diverged"), "{err}");
    assert!(out.contains("too-fast, seed 1 diverged: runs/0001-"), "{out}");
    assert!(out.contains("error: training diverged at iteration "), "{out}");
    assert!(out.contains("no-data, seed 1 failed: runs/0002-"), "{out}");
    let runs = figures(folder.path(), "runs.csv");
    let statuses: Vec<&str> = runs[1..].iter().map(|line| line[3].as_str()).collect();
    assert_eq!(statuses, ["done", "diverged", "failed"]);
    let points = figures(folder.path(), "results.csv");
    assert_eq!(points[1][1], "good", "what has no figures comes last");
    assert_eq!((points[1][3].as_str(), points[2][3].as_str()), ("0", "1"));

    // What failed is tried again, what diverged would diverge again.
    let again = stderr(&sweep(folder.path()).args(["--data-dir", "nothing"]).assert().code(1));
    assert!(again.contains("no-data, seed 1: error:") && !again.contains("too-fast, seed 1: error:"), "{again}");
}

#[test]
fn the_best_point_is_that_of_validation_and_what_the_seeds_do_not_tell_apart_is_marked() {
    let folder = folder_with(
        "seeds = [1, 2, 3]\n[set]\ntraining.iterations = 2\nexpect.test_accuracy = 0\n\
         [grid]\noptimizer.learning_rate = [0.01, 0.02, 0.03]\n",
    );
    sweep(folder.path()).args(["--jobs", "2"]).assert().success();
    // The figures of longer runs, in which test and validation disagree.
    let found = sweep_folder(folder.path());
    let validation = [[0.94, 0.955, 0.965], [0.95, 0.96, 0.97], [0.81, 0.80, 0.82]];
    let test = [0.99, 0.90, 0.95];
    let mut runs: Vec<PathBuf> = fs::read_dir(found.join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
    runs.sort();
    for (number, run) in runs.iter().enumerate() {
        let mut outcome = json(&run.join("outcome.json"));
        outcome["figures"]["validation_accuracy"] = validation[number / 3][number % 3].into();
        outcome["figures"]["test_accuracy"] = test[number / 3].into();
        fs::write(run.join("outcome.json"), outcome.to_string()).unwrap();
    }
    let text = stdout(&sweep(folder.path()).assert().success());
    let table: Vec<&str> = text.lines().skip_while(|line| !line.contains("learning_rate")).take(4).collect();
    let begins: Vec<&str> = table[1..].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(begins, ["0.02", "0.01", "0.03"], "{text}");
    // statsmodels: the p-values of `ols('y ~ C(point) + C(seed)')` are 0.2879 and 0.0000103; Holm doubles the second.
    assert!(table[2].contains("−0.67, noise") && table[3].contains("−15.00 "), "{text}");
    let results = json(&found.join("results.json"));
    let p = |point: usize| results["points"][point]["to_best"]["p"].as_f64().unwrap();
    assert!((p(1) - 0.287_864_13).abs() < 1e-6 && (p(2) - 2.062_84e-5).abs() < 1e-9, "{results}");
    for line in [
        "best         learning_rate 0.02\n             96.00 ± 1.00 % of the validation images, over 3 seeds\n",
        "             1 of 2 other points are within noise of it\n",
        "predict      cargo xtask predict runs/sweeps/",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.trim_end().ends_with("/best IMAGE"), "{text}");

    // The page has every point and every run, and its links lead to reports.
    let page = fs::read_to_string(found.join("comparison.html")).unwrap().replace("&#x2f;", "/");
    assert!(page.contains("<h1>Sweep a</h1>") && page.contains("−0.67, noise"), "{page}");
    let links: Vec<&str> = page.split("<a href=\"runs/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), 9, "{links:?}");
    assert!(links.iter().all(|link| found.join("runs").join(link).is_file()), "{links:?}");

    // The link leads to the best seed of the best point, and a run is found in every folder that the sweep names.
    let best = fs::canonicalize(found.join("best")).unwrap();
    assert!(best.starts_with(fs::canonicalize(&runs[5]).unwrap()), "{}", best.display());
    for path in [found.join("best"), found.clone(), runs[5].clone()] {
        let out = stdout(&backproof(folder.path()).arg("report").arg(&path).assert().success());
        assert!(out.contains(best.file_name().unwrap().to_str().unwrap()), "{out}");
    }

    // Without validation images the table says what choosing by it means.
    let mut outcome = json(&runs[0].join("outcome.json"));
    for run in &runs {
        outcome["figures"]["validation_accuracy"] = serde_json::Value::Null;
        fs::write(run.join("outcome.json"), outcome.to_string()).unwrap();
    }
    let text = stdout(&sweep(folder.path()).assert().success());
    assert!(text.contains("no run has validation images") && !text.contains("validation %"), "{text}");
}

#[test]
fn one_seed_calls_no_point_better_than_another() {
    let folder = folder_with(
        "seeds = [1]\n[set]\ntraining.iterations = 20\nexpect.test_accuracy = 0\n[grid]\noptimizer.learning_rate = [0.001, 0.05]\n",
    );
    let text = stdout(&sweep(folder.path()).assert().success());
    assert!(text.contains("more seeds would tell whether it is better than another point"), "{text}");
    let page = fs::read_to_string(sweep_folder(folder.path()).join("comparison.html")).unwrap();
    assert!(page.contains("There are too few seeds to tell whether one point is better than another."), "{page}");
}

#[test]
fn runs_are_listed_with_their_figures_and_a_sweep_counts_as_one() {
    let folder = folder_with(SMALL);
    let none = backproof(folder.path()).arg("runs").assert().success();
    assert!(stdout(&none).contains("no runs in runs; `cargo xtask train` makes one"), "{}", stdout(&none));
    let none = backproof(folder.path()).args(["runs", "nowhere"]).assert().code(2);
    assert!(stderr(&none).contains("there is no folder nowhere"), "{}", stderr(&none));
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    sweep(folder.path()).args(["--jobs", "2"]).assert().success();
    fs::create_dir_all(folder.path().join("runs/broken")).unwrap();
    fs::write(folder.path().join("runs/broken/run.json"), "{").unwrap();
    let assert = backproof(folder.path()).args(["runs", "--json", "runs.json"]).assert().success();
    let (out, err) = (stdout(&assert), stderr(&assert));
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(out.contains("quickstart/2") && out.contains("sweep, its best"), "{out}");
    assert!(err.contains("warning: runs/broken is left out: "), "{err}");
    let listed = json(&folder.path().join("runs.json"));
    assert_eq!((&listed["schema_version"], listed["runs"].as_array().unwrap().len()), (&1.into(), 2));
    assert!(listed["runs"][0]["best_validation"]["accuracy"].is_number(), "{listed}");
    let all = backproof(folder.path()).arg("runs").arg(sweep_folder(folder.path())).assert().success();
    let all = stdout(&all);
    assert!(all.lines().count() == 5 && all.lines().any(|line| line.starts_with("runs/0003-")), "{all}");
}

#[test]
fn an_outcome_that_cannot_be_read_is_told_and_not_called_missing() {
    let folder = folder_with(SMALL);
    sweep(folder.path()).args(["--shard", "1/2"]).assert().success();
    let of_run = |number: usize| {
        let mut runs = fs::read_dir(sweep_folder(folder.path()).join("runs")).unwrap().map(|run| run.unwrap().path());
        let begins = |run: &PathBuf| run.file_name().unwrap().to_string_lossy().starts_with(&format!("{number:04}-"));
        runs.find(begins).unwrap().join("outcome.json")
    };
    // The other shard's table finds a run of this one whose outcome is cut.
    let outcome = of_run(0);
    fs::write(&outcome, "{\"schema_version\": 1").unwrap();
    let out = stdout(&sweep(folder.path()).args(["--shard", "2/2"]).assert().success());
    assert!(out.contains("seed 1 has an unknown outcome: runs/0000-"), "{out}");
    assert!(out.contains("outcome.json: EOF while parsing"), "{out}");
    let runs = figures(folder.path(), "runs.csv");
    let statuses: Vec<&str> = runs[1..].iter().map(|line| line[3].as_str()).collect();
    assert_eq!(statuses, ["unreadable", "done", "done", "done"]);
    let results = json(&sweep_folder(folder.path()).join("results.json"));
    assert!(results.to_string().contains("\"unreadable\":\"cannot read "), "{results}");
    // Whose run it is finds the run folder, and writes the outcome again.
    sweep(folder.path()).args(["--shard", "1/2"]).assert().success();
    let runs = figures(folder.path(), "runs.csv");
    assert!(runs[1..].iter().all(|line| line[3] == "done"), "{runs:?}");
    assert_eq!(run_folders(folder.path()).len(), 4, "no run was done twice");
}

#[test]
fn paths_in_the_results_of_a_sweep_are_text_and_never_markup() {
    let name = "<img src=x onerror=alert(1)>|`c`, \"q\"";
    let folder =
        folder_with(&format!("[set]\ntraining.iterations = 1\n[grid]\nmodel.init_from = ['{name} 1', '{name} 2']\n"));
    sweep(folder.path()).assert().code(1);
    let at = |file: &str| fs::read_to_string(sweep_folder(folder.path()).join(file)).unwrap();
    let markdown = at("results.md");
    let row = "| &lt;img src=x onerror=alert(1)>\\|\\`c\\`, \"q\" 1 | – | – | 0 of 1 | ";
    assert!(markdown.contains(row), "{markdown}");
    // Outside of the blocks of code, which show what failed.
    let table = markdown.split("```text").next().unwrap();
    assert!(!table.contains("<img"), "{table}");
    for file in ["results.csv", "runs.csv"] {
        assert!(at(file).contains("\"<img src=x onerror=alert(1)>|`c`, \"\"q\"\" 1\""), "{}", at(file));
    }
}

#[test]
fn a_run_begins_with_the_weights_of_the_earlier_run_of_its_sweep_with_its_seed() {
    let folder = folder_with(
        "seeds = [1, 2]\n[set]\ntraining.iterations = 20\nexpect.test_accuracy = 0\n[[points]]\nname = \"first\"\n\
         [[points]]\nname = \"second\"\nmodel.init_from = \"sweep:first\"\n",
    );
    // The shard that has neither of the first runs says so; what failed is tried again when they are done.
    let early = sweep(folder.path()).args(["--shard", "4/4"]).assert().code(1);
    let text = stdout(&early);
    assert!(text.contains("error: the run that it begins with, first with seed 2, is not done"), "{text}");

    sweep(folder.path()).args(["--jobs", "2"]).assert().success();
    let runs = sweep_folder(folder.path()).join("runs");
    let record = |number: &str, name: &str| {
        let mut entries = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap());
        let run = entries.find(|entry| entry.file_name().to_string_lossy().starts_with(number)).unwrap().path();
        let path = run.join("train").join(name).join("latest");
        (path.canonicalize().unwrap(), json(&path.join("run.json")))
    };
    for (first, second) in [("0000", "0002"), ("0001", "0003")] {
        let (path, _) = record(first, "first");
        let (_, second) = record(second, "second");
        assert_eq!(second["warm_start"]["source"], path.to_str().unwrap());
    }
}

#[test]
fn a_missed_expectation_exits_with_3() {
    let folder = folder_with("seeds = [1]\n[set]\ntraining.iterations = 5\nexpect.test_accuracy = 1\n");
    let assert = sweep(folder.path()).assert().code(3);
    assert!(stderr(&assert).contains("1 of 1 run missed the accuracy that is expected"), "{}", stderr(&assert));
    sweep(folder.path()).assert().code(3);
}

#[test]
fn the_shards_of_a_sweep_together_do_what_one_process_does() {
    let whole = folder_with(SMALL);
    sweep(whole.path()).assert().success();
    let shared = folder_with(SMALL);
    let first = sweep(shared.path()).args(["--shard", "1/2"]).assert().success();
    assert!(stdout(&first).contains("4 at 2 points, 2 of them in shard 1/2"), "{}", stdout(&first));
    assert!(stdout(&first).contains(" 1 of 2 "), "half of the seeds are missing:\n{}", stdout(&first));
    sweep(shared.path()).args(["--shard", "2/2"]).assert().success();
    for name in ["results.csv", "runs.csv"] {
        assert_eq!(figures(shared.path(), name), figures(whole.path(), name));
    }
    assert_eq!(run_folders(shared.path()).len(), 4);
    sweep(shared.path()).args(["--shard", "3/2"]).assert().code(2);
}

#[test]
fn two_processes_on_one_sweep_do_no_run_twice() {
    let folder = folder_with(SMALL);
    let spawn = || {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).args(["sweep", "a.toml"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    for mut process in [spawn(), spawn()] {
        assert!(process.wait().unwrap().success());
    }
    let made: BTreeSet<PathBuf> = run_folders(folder.path()).into_iter().collect();
    assert_eq!(made.len(), 4, "{made:?}");
    sweep(folder.path()).assert().success();
    let runs = figures(folder.path(), "runs.csv");
    assert!(runs[1..].iter().all(|line| line[3] == "done"), "{runs:?}");
    let left: Vec<_> = run_folders(folder.path())
        .iter()
        .map(|run| run.ancestors().nth(3).unwrap().join("lock"))
        .filter(|lock| lock.exists())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_page_shows_what_is_done_while_the_sweep_runs() {
    let folder = folder_with("seeds = [1, 2, 3]\n[set]\ntraining.iterations = 120\n");
    let mut command = Command::new(program());
    let mut process =
        command.args(["sweep", "a.toml"]).current_dir(folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let mut seen = None;
    while process.try_wait().unwrap().is_none() {
        let pages = fs::read_dir(folder.path().join("runs/sweeps")).into_iter().flatten().flatten();
        let pages = pages.filter_map(|sweep| fs::read_to_string(sweep.path().join("comparison.html")).ok());
        seen = pages.filter(|page| page.contains("The sweep is running, about ")).last().or(seen);
        std::thread::sleep(Duration::from_millis(20));
    }
    let seen = seen.expect("a page while the sweep ran");
    assert!(seen.contains(" of 3 runs not done yet. The page has the others."), "{seen}");
    let last = fs::read_to_string(sweep_folder(folder.path()).join("comparison.html")).unwrap();
    assert!(!last.contains("The sweep is running") && !last.contains("not done yet"), "{last}");
}

#[test]
fn the_variables_of_a_sweep_are_not_those_of_its_runs() {
    let folder = folder_with("seeds = [1, 2]\n[set]\ntraining.iterations = 50\nexpect.test_accuracy = 0\n");
    sweep(folder.path()).env("BACKPROOF_SET", "training.iterations=5").assert().success();
    for run in run_folders(folder.path()) {
        assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("iterations = 5\n"));
    }
    assert_eq!(run_folders(folder.path()).len(), 2);
}
