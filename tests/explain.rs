//! `explain`, as typed: both passes of a test image and of a picture.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, latest, root, stderr, stdout};
use serde_json::Value;

const RUN: &str = "runs/quickstart/latest";

fn smoke_run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["explain", RUN]).args(arguments);
    command
}

/// The data of a page.
fn data(page: &Path) -> Value {
    let page = fs::read_to_string(page).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap();
    let data: Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    data["checkpoints"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_run_is_explained_by_the_image_that_it_is_least_sure_of_or_by_the_one_that_is_named() {
    let folder = smoke_run();
    let run = latest(folder.path(), "quickstart");
    let text = stdout(&explain(folder.path(), &[]).assert().success());
    assert!(text.starts_with("explanation  ") && text.trim_end().ends_with("explain.html"), "{text}");
    let csv = fs::read_to_string(run.join("evaluation/predictions.csv")).unwrap();
    let rows: Vec<Vec<f64>> =
        csv.lines().skip(1).map(|row| row.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    let sure = |row: &Vec<f64>| row[3 + row[1] as usize];
    let least = rows.iter().min_by(|one, other| sure(one).total_cmp(&sure(other))).unwrap();
    let page = fs::read_to_string(run.join("explain.html")).unwrap();
    assert!(page.contains(&format!("test image {} of mnist-sample", least[0])));
    assert!(page.contains("With the weights of iteration 20, the network says"));
    let told = data(&run.join("explain.html"));
    assert_eq!(told["label"], least[1] as u64);
    let probability = told["probabilities"][least[1] as usize].as_f64().unwrap();
    assert!((probability - sure(least)).abs() < 1e-6, "{probability}");

    explain(folder.path(), &["--test-image", "7", "--label", "3", "--write", "seven.html"]).assert().success();
    let told = data(&folder.path().join("seven.html"));
    assert_eq!((told["label"].as_u64(), told["layers"].as_array().unwrap().len()), (Some(3), 8));
}

#[test]
fn the_page_says_in_what_it_differs_from_training_and_from_predictions() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path())
        .args(["train", "--smoke", "--set", "training.label_smoothing=0.1", "--set", "evaluation.views=\"mirror\""])
        .assert()
        .success();
    explain(folder.path(), &["--write", "page.html"]).assert().success();
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("Training smooths the labels or weights the classes."));
    assert!(page.contains("This page shows one view, the image as it is."));
}

#[test]
fn a_picture_is_explained_by_the_class_that_is_predicted() {
    let folder = smoke_run();
    let digit = root().join("tests/fixtures/digits/scan.jpg");
    let digit = digit.to_str().unwrap();
    explain(folder.path(), &[digit, "--invert", "--write", "digit.html"]).assert().success();
    let told = data(&folder.path().join("digit.html"));
    let probabilities: Vec<f64> = serde_json::from_value(told["probabilities"].clone()).unwrap();
    let label = told["label"].as_u64().unwrap() as usize;
    assert!(probabilities.iter().all(|probability| *probability <= probabilities[label]));
    let page = fs::read_to_string(folder.path().join("digit.html")).unwrap();
    assert!(page.contains("scan.jpg"));
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_way_out() {
    let folder = smoke_run();
    let digit = root().join("tests/fixtures/digits/0.png");
    let digit = digit.to_str().unwrap();
    for (arguments, code, said) in [
        (&["--test-image", "500"][..], 2, "the last one is --test-image 499"),
        (&["--label", "ten"], 2, "its classes: 0, 1, 2"),
        (&["--invert"], 2, "--invert is for an IMAGE"),
        (&[digit, "--test-image", "3"], 2, "cannot be used with"),
        (&["nothing.png"], 1, "nothing.png"),
        (&["Cargo.toml", "--center"], 1, "Cargo.toml"),
    ] {
        let assert = explain(folder.path(), arguments).assert().code(code);
        assert!(stderr(&assert).contains(said), "{arguments:?}: {}", stderr(&assert));
    }
    let assert = backproof(folder.path()).args(["explain", "runs/none"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no run folder runs/none"), "{}", stderr(&assert));
    assert!(!latest(folder.path(), "quickstart").join("explain.html").exists());
}

#[test]
fn weights_that_a_run_kept_are_on_the_page_and_a_resumed_run_keeps_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, keep: &str, iterations: &str| {
        // A schedule that does not depend on the length of the run.
        let set = [keep, iterations, "optimizer.schedule=constant", "expect.test_accuracy=0"];
        let mut command = backproof(folder.path());
        command.args(["train", "--name", name]).args(set.iter().flat_map(|set| ["--set", set])).assert().success();
        latest(folder.path(), name).canonicalize().unwrap()
    };
    let run = train("kept", "training.keep=[0, 7, 10, 900]", "training.iterations=10");
    let kept = |run: &Path| -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(run.join("checkpoints/kept")).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let names: Vec<String> = kept(&run).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0.safetensors", "10.safetensors", "7.safetensors"]);
    let last = fs::read(run.join("checkpoints/last/weights.safetensors")).unwrap();
    assert_eq!(kept(&run)[1].1, last);

    // The same file again, by a run that goes on from an earlier iteration.
    let shorter = train("shorter", "training.keep=[0, 7, 10, 900]", "training.iterations=5");
    backproof(folder.path()).arg("resume").arg(&shorter).args(["--iterations", "10"]).assert().success();
    for (ours, theirs) in kept(&shorter).iter().zip(kept(&run)) {
        assert!(*ours == theirs, "{} and {} differ", ours.0, theirs.0);
    }
    assert_eq!(kept(&shorter).len(), 3);

    // What cannot be read of them is left out with a word.
    let file = run.join("checkpoints/kept/7.safetensors");
    let whole = fs::read(&file).unwrap();
    for damage in [&b""[..], b"no weights"] {
        fs::write(&file, damage).unwrap();
        let assert = backproof(folder.path()).arg("explain").arg(&run).assert().success();
        assert!(stderr(&assert).contains("warning: the weights of iteration 7 are left out: "), "{}", stderr(&assert));
    }
    #[cfg(unix)]
    {
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        let assert = backproof(folder.path()).arg("explain").arg(&run).assert().success();
        assert!(stderr(&assert).contains("it is no regular file"), "{}", stderr(&assert));
        let endless = ["--weights", "/dev/zero"];
        let assert = backproof(folder.path()).arg("explain").arg(&run).args(endless).assert().code(1);
        assert!(stderr(&assert).contains("it is no regular file"), "{}", stderr(&assert));
        fs::remove_file(&file).unwrap();
    }
    fs::write(&file, whole).unwrap();

    backproof(folder.path()).arg("explain").arg(&run).assert().success();
    let page = fs::read_to_string(run.join("explain.html")).unwrap();
    let data: Value =
        serde_json::from_str(page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap()).unwrap();
    let iterations: Vec<u64> =
        data["checkpoints"].as_array().unwrap().iter().map(|one| one["iteration"].as_u64().unwrap()).collect();
    assert_eq!(iterations, [0, 7, 10]);
    assert!(page.contains("type=\"range\""));

    let assert = backproof(folder.path()).args(["train", "--set", "training.keep=[3, 3]"]).assert().code(2);
    assert!(
        stderr(&assert).contains("an array of whole numbers, each larger than the one before"),
        "{}",
        stderr(&assert)
    );
}
