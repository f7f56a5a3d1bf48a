//! What is there to know before a run, as typed: its learning rate, its time and memory, and the weights it begins with.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, latest, root, stderr, stdout, train, xtask};

/// A line of `text` that begins with `label`.
fn line<'a>(text: &'a str, label: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("no {label}:\n{text}"))
}

/// The numbers of a CSV file under its head.
fn csv(path: &Path, head: &str) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(path).unwrap();
    let (first, rows) = text.split_once('\n').unwrap();
    assert_eq!(first, head);
    rows.lines().map(|row| row.split(',').map(|number| number.parse().unwrap()).collect()).collect()
}

#[test]
fn the_suggested_learning_rate_trains_the_quickstart() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&backproof(folder.path()).arg("lr-find").assert().success());
    assert!(text.contains("range        100 steps of 16 images, learning rate from 1e-5 to 10"), "{text}");
    let paste = line(&text, "to train").trim_start_matches("to train").trim();
    let set = paste.strip_prefix("--set ").unwrap();
    assert!(set.starts_with("optimizer.learning_rate=0.") && !set.contains(' '), "{set}");
    assert!(!folder.path().join("runs").exists());
    let output = folder.path().join("lr-find");
    assert!(fs::read(output.join("lr-find.png")).unwrap().starts_with(b"\x89PNG"));
    let svg = fs::read_to_string(output.join("lr-find.svg")).unwrap();
    let rate = set.split_once('=').unwrap().1;
    assert!(svg.contains(&format!("suggested {rate}")) && svg.contains("learning rate"), "{svg}");
    let rows = csv(&output.join("lr-find.csv"), "learning_rate,loss,smoothed_loss");
    assert!(rows.len() > 50 && rows.is_sorted_by(|one, other| one[0] < other[0]));
    // The published rate gives 96 to 97 %.
    let text = stdout(&train(folder.path(), &[set, "expect.test_accuracy=0.94"]).assert().success());
    assert!(text.contains("test accuracy 9"), "{text}");
}

#[test]
fn groups_keep_their_ratio_and_the_suggestion_sets_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let groups = "optimizer.groups=[{ parameters = \"conv*.weight\", kind = \"muon\", learning_rate = 0.025 }]";
    let words = ["lr-find", "--set", groups, "--set", "optimizer.schedule=cosine", "--set", "engine=compiled"];
    let text = stdout(&backproof(folder.path()).args(words).args(["-o", "found"]).assert().success());
    assert!(text.contains("group        conv*.weight: muon, 0.5 times this rate, as in the config"), "{text}");
    let paste = line(&text, "to train").trim_start_matches("to train").trim();
    let words: Vec<&str> = paste.split(' ').collect();
    let value = |at: usize| words[at].split_once('=').unwrap().1.parse::<f64>().unwrap();
    assert!(words[3].starts_with("optimizer.groups.0.learning_rate="), "{paste}");
    assert!((value(3) / value(1) - 0.5).abs() < 0.05, "{paste}");
    assert!(folder.path().join("found/lr-find.svg").is_file());
    // The groups of a file are set by what is pasted.
    let config = fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let group = "[[optimizer.groups]]\nparameters = \"conv*.weight\"\nlearning_rate = 0.025\n\n[training]";
    fs::write(folder.path().join("own.toml"), config.replace("[training]", group)).unwrap();
    backproof(folder.path()).args(["train", "--smoke", "-c", "own.toml"]).args(&words).assert().success();
    let config = fs::read_to_string(latest(folder.path(), "quickstart").join("config.toml")).unwrap();
    assert!(config.contains(&format!("learning_rate = {}", value(3))), "{config}");
}

#[test]
fn ranges_and_folders_that_cannot_be_are_refused_before_a_build() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.json"), "{}").unwrap();
    let run = folder.path().to_str().unwrap();
    for (arguments, message) in [
        (&["--from", "1", "--to", "0.1"][..], "error: the learning rate cannot rise from 1 to 0.1"),
        (&["--from", "0"], "error: --from is 0; expected a learning rate from 1e-30 to 1e30"),
        (&["--to", "nan"], "error: --to is NaN; expected a learning rate"),
        (&["--steps", "9"], "9 is not in 10..=1000000"),
        (&["--output", run], "is a run folder, and lr-find writes into none"),
        (&["--output", "Cargo.toml"], "error: Cargo.toml is a file; --output takes a folder"),
        (&["--set", "optimizer.learning_rat=1"], "learning_rat"),
        (&["-c", "none.toml"], "none.toml"),
    ] {
        let text = stderr(&xtask().arg("lr-find").args(arguments).assert().code(2));
        assert!(text.contains(message), "{arguments:?}: {text}");
    }
    // Only the program knows the usual rates of the optimizer.
    let text = stderr(&backproof(folder.path()).args(["lr-find", "-o", "x", "--from", "20"]).assert().code(2));
    assert!(text.contains("error: the learning rate cannot rise from 20 to 10"), "{text}");
    assert!(!folder.path().join("x").exists());
}

#[test]
fn where_no_loss_falls_nothing_is_suggested() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["lr-find", "--from", "1e-12", "--to", "1e-11", "--steps", "10"];
    let text = stdout(&backproof(folder.path()).args(words).assert().success());
    assert!(text.contains("suggestion   none") && !text.contains("to train"), "{text}");
}

#[test]
fn a_dry_run_says_what_would_be_trained_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&train(folder.path(), &[]).arg("--dry-run").assert().success());
    for part in [
        "data         mnist-sample: 4,000 training, 500 validation, 500 test images",
        "network      mnist-baseline: 14682 trainable parameters",
        "conv 16, 5×5, padding 2",
        "engine       ",
        "training     2000 iterations of 16 images, engine ",
        "epochs       8.00 of 250 iterations, with ",
        "time         about ",
        "memory       about ",
        "run folder   runs/quickstart/",
        "dry run      nothing was trained",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let json = stdout(&train(folder.path(), &[]).args(["--dry-run", "--json"]).assert().success());
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["schema_version"], 1);
    assert_eq!(found["steps"]["iterations"], 2_000);
    assert_eq!(found["memory"]["parameters"], 4 * 14_682);
    assert!(found["time"]["seconds"].as_f64().unwrap() > 0.0);
    let text = stdout(&train(folder.path(), &[]).args(["--dry-run", "--smoke"]).assert().success());
    assert!(text.contains("training     20 iterations of 16 images"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_of_other_classes_has_a_dry_run_a_rate_and_a_start_from_the_digits() {
    let folder = tempfile::tempdir().unwrap();
    let typed = |words: &[&str]| {
        let mut command = backproof(folder.path());
        command.args(words).env("BACKPROOF_DATA_DIR", "data");
        command
    };
    typed(&["data", "export", "mnist-sample", "digits"]).assert().success();
    // The digits 0 to 3 are all that is left, without the file that names ten classes.
    fs::remove_file(folder.path().join("digits/classes.csv")).unwrap();
    for split in ["train", "validation", "test"] {
        for class in 4..10 {
            fs::remove_dir_all(folder.path().join(format!("digits/{split}/{class}"))).unwrap();
        }
    }
    let text = stdout(&typed(&["train", "--images", "digits", "--dry-run"]).assert().success());
    assert!(text.contains("run folder   runs/digits/") && text.contains("time         about "), "{text}");
    let text = stdout(&typed(&["lr-find", "--images", "digits", "--steps", "60"]).assert().success());
    assert!(text.contains("--set optimizer.learning_rate="), "{text}");
    assert!(!folder.path().join("runs").exists());

    typed(&["train", "--smoke"]).assert().success();
    let config = fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let layers = "input = [1, 28, 28]\nlayers = [\n{ type = \"conv2d\", out_channels = 16, kernel = 5, padding = 2 }, \
                  \"relu\", { type = \"max_pool2d\", kernel = 2 },\n{ type = \"conv2d\", out_channels = 16, kernel = 5, \
                  padding = 2 }, \"relu\", { type = \"max_pool2d\", kernel = 2 },\n\"flatten\", { type = \"linear\", \
                  out_features = 4 },\n]\ninit_from = \"runs/quickstart/latest\"";
    let config = config
        .replace("dataset = \"mnist-sample\"\nvalidation_images = 500", "folder = \"digits\"")
        .replace("name = \"mnist-baseline\"", layers)
        .replace("\"quickstart\"", "\"four\"");
    fs::write(folder.path().join("four.toml"), config).unwrap();
    let text = stdout(&typed(&["train", "--smoke", "-c", "four.toml"]).assert().success());
    assert!(text.contains("warm start   4 tensors loaded, 0 resized, 2 not loaded, 0 frozen, from "), "{text}");
    let anew = "starts anew: linear1.weight, which has the shape [10, 784] there and [4, 784] here";
    assert!(text.contains(anew) && text.contains("starts anew: linear1.bias"), "{text}");
    let text = stdout(&typed(&["train", "--dry-run", "-c", "four.toml"]).assert().success());
    assert!(text.contains(anew), "{text}");
}
