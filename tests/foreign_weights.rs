//! Weights of MATLAB and NumPy, with a run and without, as typed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_tests::{backproof, json, latest, root, stderr, stdout, xtask};
use serde_json::Value;

/// What `make_foreign.py` made: the network of `course.toml`, in each format.
fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/weights").join(name)
}

const FORMATS: [&str; 4] = ["course.mat", "course-compressed.mat", "course.npz", "course-compressed.npz"];
const DIGITS: &str =
    "note: took the outputs 1 to 10 of the MATLAB file as the digits 1 to 9 and 0: MATLAB counts from 1\n";

fn run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "-c"]).arg(fixture("course.toml")).assert().success();
    folder
}

/// `evaluate` without a run.
fn evaluate(folder: &Path, weights: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["evaluate", "-c"]).arg(fixture("course.toml")).arg("--weights").arg(weights).args(more);
    command
}

/// The content of every file in a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

#[test]
fn every_format_gives_the_logits_of_safetensors_and_the_run_stays_as_it_was() {
    let folder = run();
    let before = files(&latest(folder.path(), "course"));
    let logits = |weights: &str| {
        let mut command = backproof(folder.path());
        command.args(["evaluate", "runs/course/latest", "--logits", "logits.safetensors", "--weights"]);
        let assert = command.arg(fixture(weights)).assert().success();
        let note = format!("note: the result is of {}, and is not kept in the run folder", fixture(weights).display());
        assert!(stderr(&assert).contains(&note), "{}", stderr(&assert));
        (fs::read(folder.path().join("logits.safetensors")).unwrap(), stdout(&assert), stderr(&assert))
    };
    let (expected, result, _) = logits("course.safetensors");
    for format in FORMATS {
        let (found, printed, said) = logits(format);
        assert!(found == expected, "{format}");
        assert_eq!(printed, result, "{format}");
        assert_eq!(said.contains(DIGITS), format.ends_with(".mat"), "{format}: {said}");
        assert_eq!(
            said.contains("removed the prefix `module.`"),
            format == "course-compressed.npz",
            "{format}: {said}"
        );
    }
    assert!(files(&latest(folder.path(), "course")) == before, "a weights file changed the run folder");
}

#[test]
fn without_a_run_the_result_is_that_of_a_run_of_the_same_config_and_nothing_is_written() {
    let folder = run();
    let mut of_run = backproof(folder.path());
    of_run.args(["evaluate", "runs/course/latest", "--json", "--weights"]).arg(fixture("course.mat"));
    let expected: Value = serde_json::from_str(&stdout(&of_run.assert().success())).unwrap();
    assert_eq!((&expected["split"], &expected["images"]), (&Value::from("test"), &Value::from(500)));
    let empty = tempfile::tempdir().unwrap();
    let result = |more: &[&str]| -> Value {
        let assert = evaluate(empty.path(), &fixture("course.mat"), &[&["--json"], more].concat()).assert().success();
        assert!(stderr(&assert).contains(DIGITS), "{}", stderr(&assert));
        serde_json::from_str(&stdout(&assert)).unwrap()
    };
    assert_eq!(result(&[]), expected);
    let other = result(&["--set", "data.normalization=unit"]);
    assert_ne!(other["loss"], expected["loss"]);
    let training = result(&["--split", "training"]);
    assert_eq!(training["split"], "training");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);

    // In words, and with the config in its variable.
    let mut command = backproof(empty.path());
    command.env("BACKPROOF_CONFIG", fixture("course.toml")).args(["evaluate", "--weights"]).arg(fixture("course.npz"));
    let accuracy = format!("{:.2} %", 100.0 * expected["accuracy"].as_f64().unwrap());
    let text = stdout(&command.assert().success());
    assert!(text.contains(&accuracy), "{text} has no {accuracy}");
}

#[test]
fn a_run_begins_with_the_weights_of_any_format_and_predicts_with_them() {
    let folder = run();
    let digit = root().join("tests/fixtures/digits/7.png");
    let predict = |weights: &str| {
        let mut command = backproof(folder.path());
        command.args(["predict", "runs/course/latest", "--json", "--weights"]).arg(fixture(weights)).arg(&digit);
        stdout(&command.assert().success())
    };
    let expected = predict("course.safetensors");
    let first_losses = |from: &str| {
        let mut command = backproof(folder.path());
        let set = format!("model.init_from={}", fixture(from).display());
        command.args(["train", "--smoke", "--name", from, "--set", &set, "-c"]).arg(fixture("course.toml"));
        command.assert().success();
        let record = json(&latest(folder.path(), from).join("run.json"));
        let warm_start = &record["warm_start"];
        assert_eq!(warm_start["loaded"].as_array().unwrap().len(), 6, "{from}");
        let reordered = if from.ends_with(".mat") { Value::from(10) } else { Value::Null };
        assert_eq!(warm_start["reordered_digits"], reordered, "{from}");
        let metrics = fs::read_to_string(latest(folder.path(), from).join("metrics.jsonl")).unwrap();
        let loss = |line: &str| serde_json::from_str::<Value>(line).unwrap()["classification_loss"].clone();
        metrics.lines().map(loss).collect::<Vec<_>>()
    };
    let losses = first_losses("course.safetensors");
    for format in FORMATS {
        assert_eq!(predict(format), expected, "{format}");
        assert_eq!(first_losses(format), losses, "{format}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_file_the_reason_and_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |content: &[u8]| {
        let path = folder.path().join("weights");
        fs::write(&path, content).unwrap();
        let text = stderr(&evaluate(folder.path(), &path, &[]).assert().code(1));
        text.split_once("weights ").unwrap().1.to_owned()
    };
    let mat = fs::read(fixture("course.mat")).unwrap();
    let npz = fs::read(fixture("course.npz")).unwrap();
    assert!(refused(b"not weights").starts_with(
        "is no file of tensors; expected safetensors, a MATLAB file of version 5 to 7 (.mat), or an archive of NumPy \
             (.npz)\n"
    ));
    let mut newer = mat.clone();
    newer[124..126].copy_from_slice(&[0, 2]);
    assert!(refused(&newer).starts_with("is a MATLAB file of version 7.3, which is HDF5; expected an earlier version"));
    assert!(
        refused(&mat[..mat.len() - 1]).starts_with("is a damaged MATLAB file: an element of 7960 bytes ends after ")
    );
    assert!(
        refused(&npz[..npz.len() - 1]).starts_with("is a damaged archive: its end with the directory is not there")
    );
    assert!(refused(b"\x93NUMPY\x01\0").starts_with("is a single NumPy array; expected an archive"));

    let mut other = backproof(folder.path());
    other.args(["evaluate", "-c"]).arg(root().join("configs/quickstart.toml")).arg("--weights");
    let text = stderr(&other.arg(fixture("course.mat")).assert().code(1));
    assert!(text.contains("course.mat does not fit the network"), "{text}");
    assert!(text.contains("caused by: layer 2 of the file is conv 3, 3×5 (1×28×28 to 3×26×24); there the "), "{text}");
}

#[test]
fn what_is_asked_for_is_checked_before_anything_is_built() {
    let config = fixture("course.toml");
    let (config, weights) = (config.to_str().unwrap(), fixture("course.mat"));
    let weights = weights.to_str().unwrap();
    let refused = |arguments: &[&str]| stderr(&xtask().arg("evaluate").args(arguments).assert().code(2));
    let text = refused(&["runs/none", "-c", config, "--weights", weights]);
    assert!(text.starts_with("error: evaluate takes a run folder or a config, and not both\n"), "{text}");
    let text = refused(&["-c", config]);
    assert!(text.starts_with("error: a config has no weights to evaluate\n"), "{text}");
    assert!(text.contains("help: `--weights FILE` gives them"), "{text}");
    let text = refused(&["runs/none", "--set", "seed=2"]);
    assert!(text.starts_with("error: --set changes a config, and a run keeps the config "), "{text}");
    let text = refused(&["-c", config, "--weights", weights, "--set", "data.normalisation=unit"]);
    assert!(text.contains("did you mean") && text.contains("`normalization`"), "{text}");
    let text = refused(&["-c", "configs/sweeps/quickstart.toml", "--weights", weights]);
    assert!(text.contains("is a sweep; expected an experiment"), "{text}");
    let text = refused(&["--weights", weights]);
    assert!(text.contains("required arguments were not provided"), "{text}");
    // The variables of a config are for the commands that take one.
    let mut command = backproof(root());
    command.env("BACKPROOF_CONFIG", config).env("BACKPROOF_SET", "seed=2").args(["evaluate", "runs/none"]);
    let text = stderr(&command.assert().code(2));
    assert!(text.starts_with("error: there is no run folder runs/none\n"), "{text}");
}
