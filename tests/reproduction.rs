//! `reproduction`, as typed, of a sweep on the bundled digits.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, json, root, stderr, stdout};

const SWEEP: &str =
    "seeds = [1, 2, 3]\npoints = [{ base = \"configs/ours.toml\" }, { base = \"configs/theirs.toml\" }]\n";

const RESULTS: &str = r#"configs = "../configs"
seeds = 3

[[sources]]
name = "Somebody 2020"
document = "a report"

[[sources.results]]
what = "MNIST"
reported = { test = "1 %", validation = "100 %" }
configs = ["ours", "theirs"]
"#;

/// A folder with two configs of 20 iterations, a sweep of both, and results that name them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let quickstart = fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (name, rate) in [("ours", "0.05"), ("theirs", "0.02")] {
        let config = quickstart
            .replace("name = \"quickstart\"", &format!("name = \"{name}\""))
            .replace("iterations = 2_000", "iterations = 20")
            .replace("learning_rate = 0.05", &format!("learning_rate = {rate}"))
            .replace("[expect]\ntest_accuracy = 0.95", "");
        write(&format!("configs/{name}.toml"), &config);
    }
    write("sweep.toml", SWEEP);
    write("docs/reproduction.toml", RESULTS);
    folder
}

/// The rows of the table, `ours` first.
fn rows(folder: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join("docs/REPRODUCTION.md")).unwrap();
    let lines = text.lines().filter(|line| line.contains("](../configs/"));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn a_sweep_and_then_the_table_of_it_are_the_whole_procedure() {
    let folder = folder();
    let make = || {
        let mut command = backproof(folder.path());
        command.args(["reproduction", "--write", "docs/REPRODUCTION.md"]);
        command
    };
    let early = make().assert().code(1);
    assert!(stderr(&early).contains("error: cannot read runs"), "{}", stderr(&early));
    assert!(stderr(&early).contains("help: give the folders that runs were made in"), "{}", stderr(&early));

    backproof(folder.path()).args(["sweep", "sweep.toml"]).assert().success();
    // Neither of these is a run of the config.
    backproof(folder.path())
        .args(["train", "-c", "configs/ours.toml", "--set", "training.iterations=5"])
        .assert()
        .success();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();

    let made = make().assert().success();
    assert!(stdout(&made).contains("Of 2 published figures, 1 are reached, 1 are not"), "{}", stdout(&made));
    assert!(stdout(&made).contains("6 runs, 1 run folder left out"), "{}", stdout(&made));
    let left_out = stderr(&made);
    assert!(left_out.contains("has other settings: training.iterations is 5 and not 20"), "{left_out}");

    // The figures are those of the sweep.
    let sweep = fs::read_dir(folder.path().join("runs/sweeps")).unwrap().next().unwrap().unwrap().path();
    let results = json(&sweep.join("results.json"));
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 4);
    for (row, name) in rows.iter().zip(["ours", "theirs"]) {
        let points = results["points"].as_array().unwrap();
        let point = points.iter().find(|point| point["name"] == name).unwrap();
        let figure = |key: &str| 100.0 * point[key].as_f64().unwrap();
        let shown = format!("{:.2} ± {:.2} %", figure("test_accuracy_mean"), figure("test_accuracy_deviation"));
        assert_eq!((row[0].as_str(), row[5].as_str(), &row[7], row[9].as_str()), ("✓", "test", &shown, "3"));
    }
    assert!(rows[2..].iter().all(|row| row[0] == "✗" && row[5] == "validation"), "{rows:?}");

    // Twice gives the same.
    let first = fs::read(folder.path().join("docs/REPRODUCTION.md")).unwrap();
    let printed = backproof(folder.path()).arg("reproduction").assert().success();
    assert_eq!(stdout(&printed).as_bytes(), first);
}

#[test]
fn wrong_results_exit_with_2() {
    let folder = folder();
    fs::write(folder.path().join("docs/reproduction.toml"), RESULTS.replace("seeds = 3", "seeds = three")).unwrap();
    let assert = backproof(folder.path()).arg("reproduction").assert().code(2);
    assert!(stderr(&assert).contains("docs/reproduction.toml: TOML parse error at line 2"), "{}", stderr(&assert));
    fs::write(folder.path().join("docs/reproduction.toml"), RESULTS.replace("\"theirs\"", "\"nobody\"")).unwrap();
    let assert = backproof(folder.path()).arg("reproduction").assert().code(2);
    assert!(stderr(&assert).contains("nobody.toml"), "{}", stderr(&assert));
}
