//! `reproduction`, as typed, of a sweep on the bundled digits.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, json, root, stderr, stdout};

const SWEEP: &str =
    "seeds = [1, 2, 3]\npoints = [{ base = \"configs/ours.toml\" }, { base = \"configs/theirs-as-published.toml\" }]\n";

const RESULTS: &str = r#"configs = "../configs"
kept = "kept.json"
seeds = { as_published = 5, ours = 3 }

[[sources]]
name = "Somebody 2020"
document = "a report"

[[sources.results]]
what = "MNIST"
reported = { test = "1 %", validation = "100 %" }
configs = ["ours", "theirs-as-published"]

[steps]
source = "Somebody 2020"

[[steps.comparisons]]
name = "A lower rate"
from = "ours"
to = "theirs-as-published"
"#;

/// As [`RESULTS`], with a network of the fixtures as the author's own.
const AUTHORS: &str = r#"
[authors]
source = "Somebody 2020"

[[authors.networks]]
file = "course.mat"
what = "digits"
config = "course"

[[authors.networks.evaluations]]
prepared = "standardised"
set = ["data.validation_images=0"]
reported = "10 %"
table = "Table 1"
recall = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]

[[authors.networks.evaluations]]
prepared = "p/255 alone"
set = ["data.normalization=unit"]
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
    for (name, rate) in [("ours", "0.05"), ("theirs-as-published", "0.02")] {
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

/// The rows of the parts, that of `theirs-as-published` first.
fn rows(folder: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join("docs/REPRODUCTION.md")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| MNIST |"));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn a_sweep_and_then_the_page_of_it_are_the_whole_procedure() {
    let folder = folder();
    let make = |more: &[&str]| {
        let mut command = backproof(folder.path());
        command.args(["reproduction", "--write", "docs/REPRODUCTION.md"]).args(more);
        command
    };
    let early = make(&[]).assert().code(1);
    assert!(stderr(&early).contains("error: cannot read runs"), "{}", stderr(&early));
    assert!(stderr(&early).contains("help: give the folders that runs were made in"), "{}", stderr(&early));

    backproof(folder.path()).args(["sweep", "sweep.toml"]).assert().success();
    // Neither of these is a run of the config.
    backproof(folder.path())
        .args(["train", "-c", "configs/ours.toml", "--set", "training.iterations=5"])
        .assert()
        .success();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();

    let made = make(&["--keep"]).assert().success();
    assert!(stdout(&made).contains("With the sources' settings, 0 of 2 published figures lie"), "{}", stdout(&made));
    assert!(stdout(&made).contains("with ours, 1 of 2 are reached."), "{}", stdout(&made));
    assert!(stdout(&made).contains("6 runs, 1 run folder left out"), "{}", stdout(&made));
    let left_out = stderr(&made);
    assert!(left_out.contains("has other settings: training.iterations is 5 and not 20"), "{left_out}");
    let svg = fs::read_to_string(folder.path().join("docs/reproduction-steps.svg")).unwrap();
    assert!(svg.contains("A lower rate"), "{svg}");

    // The figures are those of the sweep.
    let sweep = fs::read_dir(folder.path().join("runs/sweeps")).unwrap().next().unwrap().unwrap().path();
    let results = json(&sweep.join("results.json"));
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 4);
    let expected = [("theirs-as-published", "3 of 5", "▼ reported is below"), ("ours", "3", "✓ reached")];
    for (row, (name, seeds, verdict)) in [&rows[0], &rows[2]].into_iter().zip(expected) {
        let points = results["points"].as_array().unwrap();
        let point = points.iter().find(|point| point["name"] == name).unwrap();
        let figure = |key: &str| 100.0 * point[key].as_f64().unwrap();
        let shown = format!("{:.2} ± {:.2} %", figure("test_accuracy_mean"), figure("test_accuracy_deviation"));
        assert_eq!((row[1].as_str(), &row[3], row[5].as_str(), row[6].as_str()), ("test", &shown, seeds, verdict));
    }
    assert!([&rows[1], &rows[3]].iter().all(|row| row[1] == "validation"), "{rows:?}");

    // Twice gives the same, and so do the kept results without any folder.
    let first = fs::read(folder.path().join("docs/REPRODUCTION.md")).unwrap();
    let printed = backproof(folder.path()).arg("reproduction").assert().success();
    assert_eq!(stdout(&printed).as_bytes(), first);
    fs::remove_dir_all(folder.path().join("runs")).unwrap();
    let printed = backproof(folder.path()).arg("reproduction").assert().success();
    assert_eq!((stdout(&printed).as_bytes(), stderr(&printed).as_str()), (&first[..], ""));

    // A folder that was asked for has to be there, kept results or not.
    let missing = backproof(folder.path()).args(["reproduction", "nowhere"]).assert().code(1);
    assert!(stderr(&missing).contains("error: cannot read nowhere"), "{}", stderr(&missing));
    fs::write(folder.path().join("docs/kept.json"), "{").unwrap();
    let damaged = backproof(folder.path()).arg("reproduction").assert().code(1);
    assert!(
        stderr(&damaged).contains("error: the file of kept results docs/kept.json is damaged"),
        "{}",
        stderr(&damaged)
    );
    assert!(stderr(&damaged).contains("help: take its last good version"), "{}", stderr(&damaged));
}

#[test]
fn the_authors_own_networks_are_evaluated_and_kept() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let fixture = |name: &str| root().join("tests/fixtures/weights").join(name);
    fs::copy(fixture("course.toml"), at("configs/course.toml")).unwrap();
    fs::create_dir_all(at("authors")).unwrap();
    fs::create_dir_all(at("runs")).unwrap();
    fs::copy(fixture("course.mat"), at("authors/course.mat")).unwrap();
    fs::write(at("docs/reproduction.toml"), format!("{RESULTS}{AUTHORS}")).unwrap();
    let make = |more: &[&str]| {
        let mut command = backproof(folder.path());
        command.arg("reproduction").args(more);
        command
    };
    assert!(stdout(&make(&[]).assert().success()).contains("Their files were not at hand"));

    let made = stdout(&make(&["--authors", "authors", "--keep"]).assert().success());
    let mut evaluate = backproof(folder.path());
    evaluate.args(["evaluate", "--json", "-c", "configs/course.toml", "--set", "data.validation_images=0"]);
    let evaluated = stdout(&evaluate.args(["--weights", "authors/course.mat"]).assert().success());
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated).unwrap();
    let accuracy = 100.0 * evaluated["accuracy"].as_f64().unwrap();
    let images = evaluated["images"].as_u64().unwrap();
    let row = format!("| `course.mat` | {images} of digits | standardised | 10 % | {accuracy:.2} % |");
    assert!(made.contains(&row), "{row} in {made}");
    assert!(made.contains("| class | precision | recall | printed recall |"), "{made}");
    let last = evaluated["classes"][9]["recall"].as_f64().unwrap();
    assert!(made.contains(&format!("| {last:.4} | 0.5000 |")), "{made}");
    assert!(made.contains("The largest difference between ours and what is printed is "), "{made}");
    let kept = json(&at("docs/kept.json"));
    let sha256 = kept["authors"][0]["sha256"].as_str().unwrap();
    assert!(sha256.len() == 64 && made.contains(&format!("| `course.mat` | `{sha256}` |")), "{made}");
    assert!(made.contains("| p/255 alone |"), "{made}");
    // The kept evaluations are the page's without the files.
    assert_eq!(stdout(&make(&[]).assert().success()), made);

    // Those of other settings are not.
    let text = format!("{RESULTS}{AUTHORS}").replace("normalization=unit", "normalization=bytes");
    fs::write(at("docs/reproduction.toml"), text).unwrap();
    let other = make(&[]).assert().success();
    assert!(stderr(&other).contains("kept.json: 1 result of course.mat: has other settings"), "{}", stderr(&other));
    assert!(stdout(&other).contains("Their files were not at hand"));
}

#[test]
fn weights_files_that_are_missing_or_other_ones_are_errors() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let fixture = |name: &str| root().join("tests/fixtures/weights").join(name);
    fs::copy(fixture("course.toml"), at("configs/course.toml")).unwrap();
    fs::create_dir_all(at("runs")).unwrap();
    fs::create_dir_all(at("authors")).unwrap();
    let error = |results: &str| {
        fs::write(at("docs/reproduction.toml"), results).unwrap();
        stderr(&backproof(folder.path()).args(["reproduction", "--authors", "authors"]).assert().failure())
    };
    let results = format!("{RESULTS}{AUTHORS}");
    let missing = error(&results);
    assert!(missing.contains("error: the weights file authors/course.mat cannot be read"), "{missing}");
    assert!(missing.contains("help: --authors is the folder with the files"), "{missing}");
    fs::copy(fixture("course.mat"), at("authors/course.mat")).unwrap();
    let expected = "0".repeat(64);
    let other = error(&results.replace("what = \"digits\"", &format!("what = \"digits\"\nsha256 = \"{expected}\"")));
    assert!(other.contains("is another file than the results name: its SHA-256 is "), "{other}");
    assert!(other.contains(&format!("; expected {expected}")), "{other}");
    fs::write(at("authors/course.mat"), "no weights").unwrap();
    assert!(error(&results).contains("course.mat"), "{}", error(&results));
    let columns = error(&results.replace("recall = [0, ", "recall = ["));
    assert!(columns.contains("course.mat: `recall` has 9 numbers; expected 10, one a class"), "{columns}");
    assert!(error(RESULTS).contains("there are no networks under [[authors.networks]]"));
}

#[test]
fn wrong_results_exit_with_2() {
    let folder = folder();
    let refused = |results: &str, more: &[&str]| {
        fs::write(folder.path().join("docs/reproduction.toml"), results).unwrap();
        fs::create_dir_all(folder.path().join("runs")).unwrap();
        stderr(&backproof(folder.path()).arg("reproduction").args(more).assert().code(2))
    };
    let text = refused(&RESULTS.replace("ours = 3", "ours = three"), &[]);
    assert!(text.contains("docs/reproduction.toml: TOML parse error at line 3"), "{text}");
    assert!(refused(&RESULTS.replace("\"theirs-as", "\"nobody-as"), &[]).contains("nobody-as-published.toml"));
    let text = refused(&RESULTS.replace("kept = \"kept.json\"\n", ""), &["--keep"]);
    assert!(text.contains("error: docs/reproduction.toml names no file to keep results in"), "{text}");
}
