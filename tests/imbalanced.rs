//! Classes of different sizes, and the network that the images choose, as typed.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, copy_folder, json, latest, stderr, stdout, xtask};

/// The bundled digits 0 to 2 as a folder: about 400 training images of 0, 40 of 1 and 12 of 2.
fn digits(folder: &Path) {
    backproof(folder).args(["data", "export", "mnist-sample", "digits"]).assert().success();
    fs::remove_file(folder.join("digits/classes.csv")).unwrap();
    for part in ["train", "validation", "test"] {
        for class in 3..10 {
            fs::remove_dir_all(folder.join(format!("digits/{part}/{class}"))).unwrap();
        }
    }
    for (class, left) in [(1, 40), (2, 12)] {
        let entries = fs::read_dir(folder.join(format!("digits/train/{class}"))).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files[left..].iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

fn typed(folder: &Path, words: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(words).env("BACKPROOF_DATA_DIR", "data");
    command
}

/// N / (K · n) of classes of n images.
fn weights_of_counts(counts: &[f64]) -> Vec<f64> {
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| all / (counts.len() as f64 * count)).collect()
}

#[test]
fn class_weights_by_imbalance_are_told_kept_and_the_same_when_a_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let train = |more: &[&str]| typed(folder.path(), &[&["train", "--images", "digits", "--smoke"], more].concat());
    let plan = stdout(&train(&["--dry-run", "--json"]).assert().success());
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let counts: Vec<f64> =
        plan["classes"].as_array().unwrap().iter().map(|class| class["training"].as_f64().unwrap()).collect();
    assert_eq!(counts[1..], [40.0, 12.0]);
    assert!(plan["warnings"][0].as_str().unwrap().contains("`2` has 12"), "{plan}");

    // Who does nothing is told of both ways out, who does one of them is not.
    let text = stderr(&train(&["--dry-run"]).assert().success());
    assert!(text.contains("training images and `2` has 12"), "{text}");
    assert!(text.contains("`training.class_weights = \"balanced\"`"), "{text}");
    assert!(text.contains("`data.order = \"balanced\"`"), "{text}");
    let weighted = ["--set", "training.class_weights=balanced", "--name", "weighted"];
    let assert = train(&weighted).assert().success();
    assert!(!stderr(&assert).contains("`2`"), "{}", stderr(&assert));
    let expected = weights_of_counts(&counts);
    let words = format!("class weights: balanced, from {:.3} (0) to {:.1} (2)", expected[0], expected[2]);
    assert!(stdout(&assert).contains(&words), "{}", stdout(&assert));
    let plan = stdout(&train(&[&weighted[..], &["--dry-run"]].concat()).assert().success());
    assert!(plan.contains(&words), "{plan}");
    let run = latest(folder.path(), "weighted");
    assert!(fs::read_to_string(run.join("log.txt")).unwrap().contains(&words));
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("Class weights") && page.contains(words.trim_start_matches("class weights: ")), "{page}");
    let kept = |run: &Path| -> Vec<f64> {
        json(&run.join("run.json"))["class_weights"].as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect()
    };
    assert_eq!(kept(&run), expected);
    assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("class_weights = \"balanced\""));

    // What is kept holds: other weights in the record train on as others.
    let go_on = |run: &Path| {
        typed(folder.path(), &["resume", run.to_str().unwrap(), "--iterations", "25"]).assert().success();
        fs::read(run.join("checkpoints/last/weights.safetensors")).unwrap()
    };
    let copy = folder.path().join("copy");
    copy_folder(&fs::canonicalize(&run).unwrap(), &copy);
    let text = fs::read_to_string(copy.join("run.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["class_weights"] = serde_json::json!([1.0, 1.0, 9.0]);
    fs::write(copy.join("run.json"), record.to_string()).unwrap();
    assert_ne!(go_on(&run), go_on(&copy));
    assert_eq!(kept(&copy), [1.0, 1.0, 9.0]);
    typed(folder.path(), &["evaluate", run.to_str().unwrap()]).assert().success();
    let config = run.join("config.toml");
    let words = ["compare-gradients", "-c", config.to_str().unwrap(), "--cases", "1"];
    typed(folder.path(), &words).assert().success();
}

#[test]
fn balanced_batches_are_told_and_a_run_that_was_stopped_is_the_run_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let train = |name: &str, iterations: &str| {
        // A schedule and a warm-up that depend on the length would make the parts differ from the whole.
        let constant = ["--set", "optimizer.schedule=constant", "--set", "optimizer.warmup=0"];
        let set = [&["--set", "data.order=balanced", "--set", iterations], &constant[..]].concat();
        let words = [&["train", "--images", "digits", "--name", name, "--set", "training.report_every=5"], &set[..]];
        typed(folder.path(), &words.concat())
    };
    let assert = train("whole", "training.iterations=37").assert().success();
    let words = "balanced batches: each image is drawn from one of 3 classes, all as likely";
    assert!(stdout(&assert).contains(words), "{}", stdout(&assert));
    assert!(!stderr(&assert).contains("`2`"), "{}", stderr(&assert));
    train("parts", "training.iterations=13").assert().success();
    let [whole, parts] = ["whole", "parts"].map(|name| latest(folder.path(), name));
    typed(folder.path(), &["resume", parts.to_str().unwrap(), "--iterations", "37"]).assert().success();
    let weights = |run: &Path| fs::read(run.join("checkpoints/last/weights.safetensors")).unwrap();
    assert!(weights(&whole) == weights(&parts), "the weights differ");
    let predictions = |run: &Path| fs::read(run.join("evaluation/predictions.csv")).unwrap();
    assert!(predictions(&whole) == predictions(&parts), "the predictions differ");
    let page = fs::read_to_string(whole.join("report.html")).unwrap();
    assert!(page.contains("balanced: each image is drawn from a class"), "{page}");
    assert!(page.contains("batches in which all classes come as often"), "{page}");
    let both = ["--dry-run", "--set", "training.class_weights=balanced"];
    let text = stderr(&train("both", "training.iterations=5").args(both).assert().success());
    assert!(text.contains("one of the two is enough"), "{text}");
}

#[test]
fn a_class_without_training_images_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (set, key) in [("training.class_weights=balanced", "class_weights"), ("data.order=balanced", "order")] {
        let words = ["train", "--smoke", "--set", "data.training_images=9", "--set", "training.batch_size=9"];
        let assert = typed(folder.path(), &[&words[..], &["--set", set]].concat()).assert().success();
        let text = stderr(&assert);
        assert!(text.contains("1 class without training images: `") && text.contains(key), "{text}");
    }
}

#[test]
fn the_images_choose_the_network_of_a_config_of_a_sweep_and_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    digits(folder.path());
    let config = "[data]\nfolder = \"digits\"\nsize = 28\nchannels = 1\n[model]\nname = \"auto\"\n[optimizer]\n\
                  learning_rate = 0.01\n[training]\niterations = 3\nbatch_size = 8\n";
    fs::write(folder.path().join("own.toml"), config).unwrap();
    fs::write(folder.path().join("sizes.toml"), "base = \"own.toml\"\n[grid]\ndata.size = [8, 40]\n").unwrap();
    for file in ["own.toml", "sizes.toml"] {
        typed(folder.path(), &["config", "check", file]).assert().success();
    }
    let text = stdout(&typed(folder.path(), &["train", "-c", "own.toml", "--dry-run"]).assert().success());
    assert!(text.contains("network      small-cnn-2-1x28x28-3: "), "{text}");
    typed(folder.path(), &["sweep", "sizes.toml"]).assert().success();
    typed(folder.path(), &["train", "--images", "digits", "--smoke"]).assert().success();
    let run = latest(folder.path(), "digits");
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("name = \"small-cnn-2-1x28x28-3\"\ninput = [1, 28, 28]\n"), "{config}");
    let log = fs::read_to_string(run.join("log.txt")).unwrap();
    assert!(log.contains("network      small-cnn-2-1x28x28-3: "), "{log}");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("small-cnn-2-1x28x28-3"), "{page}");
    // The config of the run trains again what the run was.
    let again = run.join("config.toml");
    typed(folder.path(), &["train", "-c", again.to_str().unwrap(), "--name", "again"]).assert().success();
    let [one, other] = [run, latest(folder.path(), "again")]
        .map(|run| fs::read(run.join("checkpoints/last/weights.safetensors")).unwrap());
    assert!(one == other, "the weights differ");
    let text = stderr(&xtask().args(["params", "auto"]).assert().code(2));
    assert!(text.contains("which network `auto` is depends on the images"), "{text}");
}
