//! `predict`, as typed, on digits of the bundled sample and on files that are no pictures.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_tests::{backproof, json, latest, root, stderr, stdout};
use serde_json::Value;

const RUN: &str = "runs/quickstart/latest";

fn smoke_run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    folder
}

fn digit(name: &str) -> PathBuf {
    root().join("tests/fixtures/digits").join(name)
}

fn predict(folder: &Path, arguments: &[&str], images: &[PathBuf]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["predict", RUN]).args(arguments).args(images);
    command
}

/// The probability of each class by its name, of every picture.
fn probabilities(answer: &Value) -> Vec<Vec<f64>> {
    let predictions = answer["predictions"].as_array().unwrap();
    predictions
        .iter()
        .map(|prediction| {
            let top = prediction["top"].as_array().unwrap();
            let of = |class: usize| top.iter().find(|it| it["class"].as_str() == Some(&class.to_string())).unwrap();
            (0..10).map(|class| of(class)["probability"].as_f64().unwrap()).collect()
        })
        .collect()
}

fn answer(command: &mut assert_cmd::Command) -> Value {
    serde_json::from_str(&stdout(&command.assert().success())).unwrap()
}

#[test]
fn a_test_image_as_a_file_has_the_probabilities_of_the_evaluation() {
    let folder = smoke_run();
    let images: Vec<_> = (0..10).map(|index| digit(&format!("{index}.png"))).collect();
    let answer = answer(&mut predict(folder.path(), &["--json", "--top", "10"], &images));
    assert_eq!(answer["schema_version"], 1);
    assert_eq!(answer["iteration"], 20);
    let csv = fs::read_to_string(latest(folder.path(), "quickstart").join("evaluation/predictions.csv")).unwrap();
    let found = probabilities(&answer);
    for (index, (row, found)) in csv.lines().skip(1).zip(&found).enumerate() {
        let fields: Vec<f64> = row.split(',').map(|field| field.parse().unwrap()).collect();
        assert_eq!(fields[0], index as f64);
        for (expected, found) in fields[3..].iter().zip(found) {
            assert!((expected - found).abs() < 1e-6, "digit {index}: {found} is not {expected}");
        }
        assert_eq!(answer["predictions"][index]["class"], fields[2].to_string());
        assert_eq!(answer["predictions"][index]["looks_inverted"], false);
    }
    assert_eq!(found.len(), 10);
}

#[test]
fn black_on_white_is_noticed_and_its_negative_is_the_digit() {
    let folder = smoke_run();
    let scan = [digit("scan.jpg")];
    let assert = predict(folder.path(), &["--ink", "never"], &scan).assert().success();
    let text = stderr(&assert);
    assert!(text.contains("scan.jpg is mostly white") && text.contains("--invert takes the negative"), "{text}");

    let assert = predict(folder.path(), &["--invert", "--json", "--top", "10"], &scan).assert().success();
    assert!(!stderr(&assert).contains("mostly white"), "{}", stderr(&assert));
    let negative = probabilities(&serde_json::from_str(&stdout(&assert)).unwrap());
    let assert = predict(folder.path(), &["--json", "--top", "10"], &[digit("0.png")]).assert().success();
    let original = probabilities(&serde_json::from_str(&stdout(&assert)).unwrap());
    // The sheet is wider than the digit, so the digit comes out smaller, but in the same place.
    let difference = negative[0].iter().zip(&original[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(difference < 0.3, "{negative:?} {original:?}");
}

#[test]
fn a_digit_off_the_middle_is_seen_in_the_middle_if_that_is_asked_for() {
    let folder = smoke_run();
    // The scan has the digit at another size than MNIST has; a wide margin would make it smaller still.
    let of = |arguments: &[&str], image: &str| {
        let mut all = vec!["--json", "--top", "10"];
        all.extend(arguments);
        probabilities(&answer(&mut predict(folder.path(), &all, &[digit(image)]))).remove(0)
    };
    let away = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let original = of(&[], "0.png");
    let as_it_is = away(&of(&["--invert"], "scan.jpg"), &original);
    let centred = away(&of(&["--invert", "--center"], "scan.jpg"), &original);
    assert!(centred < as_it_is, "{centred} with --center, {as_it_is} without");
    assert!(away(&of(&["--center"], "0.png"), &original) < 0.1, "a digit of MNIST is centred already");
}

#[test]
fn the_most_probable_classes_have_a_bar_each() {
    let folder = smoke_run();
    let text = stdout(&predict(folder.path(), &["--top", "2"], &[digit("7.png")]).assert().success());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains("7.png: ") && lines[0].ends_with(" %"), "{text}");
    assert!(lines[1].starts_with("  ") && lines[1].ends_with(['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏']), "{text}");
    predict(folder.path(), &["--top", "0"], &[digit("7.png")]).assert().code(2);
}

#[test]
fn what_is_no_picture_is_named_and_the_others_are_predicted() {
    let folder = smoke_run();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let whole = fs::read(digit("3.png")).unwrap();
    let images = [
        file("text.png", b"not a picture"),
        file("cut.png", &whole[..whole.len() / 2]),
        folder.path().join("runs"),
        folder.path().join("absent.jpg"),
        root().join("tests/fixtures/pictures/huge.png"),
        digit("3.png"),
    ];
    let assert = predict(folder.path(), &[], &images).assert().code(1);
    assert!(stdout(&assert).contains("3.png: "), "{}", stdout(&assert));
    let text = stderr(&assert);
    for said in [
        "text.png` is no PNG, JPEG, GIF, BMP, WebP or TIFF",
        "cut.png` is damaged or cut: ",
        "runs` has no pictures, and neither have the folders in it",
        "absent.jpg`: ",
        "huge.png` has 60000 × 60000 pixels",
        "error: 5 of 6 pictures could not be predicted",
    ] {
        assert!(text.contains(said), "`{said}` is missing:\n{text}");
    }
    let assert = predict(folder.path(), &["--json"], &images).assert().code(1);
    let answer: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    assert_eq!(answer["errors"].as_array().unwrap().len(), 5);
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_predicts_without_its_data_set() {
    let folder = smoke_run();
    let run = latest(folder.path(), "quickstart");
    let before = answer(&mut predict(folder.path(), &["--json"], &[digit("0.png")]));
    // The same run as one of a data set that is not here.
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(run.join("config.toml"), config.replace("\"mnist-sample\"", "\"mnist\"")).unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let nowhere = ["--json", "--data-dir", empty.to_str().unwrap()];
    assert_eq!(answer(&mut predict(folder.path(), &nowhere, &[digit("0.png")])), before);

    // A folder of before there was a normalizer.json needs the data set.
    let normalizer = json(&run.join("normalizer.json"));
    assert_eq!((&normalizer["schema_version"], &normalizer["kind"]), (&Value::from(1), &Value::from("standardize")));
    fs::remove_file(run.join("normalizer.json")).unwrap();
    let assert = predict(folder.path(), &nowhere, &[digit("0.png")]).assert().code(1);
    assert!(stderr(&assert).contains("`cargo xtask data fetch mnist`"), "{}", stderr(&assert));
    fs::write(run.join("config.toml"), config).unwrap();
    assert_eq!(answer(&mut predict(folder.path(), &nowhere, &[digit("0.png")])), before);
}

#[test]
fn a_damaged_normaliser_is_refused() {
    let folder = smoke_run();
    let path = latest(folder.path(), "quickstart").join("normalizer.json");
    for text in [
        "{",
        r#"{"schema_version":1,"kind":"standardize","mean":[0.1,0.2],"std":[1.0,1.0]}"#,
        r#"{"schema_version":1,"kind":"standardize","mean":[0.1],"std":[0.0]}"#,
        r#"{"schema_version":9,"kind":"unit"}"#,
    ] {
        fs::write(&path, text).unwrap();
        let assert = predict(folder.path(), &[], &[digit("0.png")]).assert().code(1);
        assert!(stderr(&assert).contains("normalizer.json"), "{text}: {}", stderr(&assert));
    }
}

#[test]
fn a_run_without_checkpoints_is_refused_with_a_reason() {
    let folder = smoke_run();
    let checkpoints = latest(folder.path(), "quickstart").join("checkpoints");
    fs::remove_dir_all(checkpoints.join("best")).unwrap();
    let assert = predict(folder.path(), &["--checkpoint", "best"], &[digit("0.png")]).assert().code(1);
    assert!(stderr(&assert).contains("there is no checkpoint"), "{}", stderr(&assert));
    assert!(stderr(&assert).contains("--checkpoint last"), "{}", stderr(&assert));
    fs::remove_dir_all(checkpoints).unwrap();
    for command in ["predict", "evaluate"] {
        let mut typed = backproof(folder.path());
        typed.args([command, RUN]);
        if command == "predict" {
            typed.arg(digit("0.png"));
        }
        let assert = typed.assert().code(1);
        assert!(stderr(&assert).contains("there is no checkpoint"), "{command}: {}", stderr(&assert));
        assert!(stderr(&assert).contains("help: the run was stopped before it saved one"), "{}", stderr(&assert));
    }
}

/// Names of files are bytes; one that is no UTF-8 must not lose the answer on the others.
#[cfg(unix)]
#[test]
fn names_that_are_no_utf_8_are_told_with_a_sign_for_what_is_not() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = smoke_run();
    let odd = folder.path().join(OsStr::from_bytes(b"\xff.png"));
    fs::copy(digit("0.png"), &odd).unwrap();
    let absent = folder.path().join(OsStr::from_bytes(b"absent\xfe.png"));
    let assert = predict(folder.path(), &["--json"], &[digit("7.png"), odd, absent]).assert().code(1);
    let answer: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    let file = |list: &str, index: usize| answer[list][index]["file"].as_str().unwrap().to_owned();
    assert!(file("predictions", 0).ends_with("7.png"));
    assert!(file("predictions", 1).ends_with("/\u{fffd}.png"));
    assert!(file("errors", 0).ends_with("/absent\u{fffd}.png"));
    // And a run folder of such a name.
    let run = folder.path().join(OsStr::from_bytes(b"run\xff"));
    fs::rename(latest(folder.path(), "quickstart").canonicalize().unwrap(), &run).unwrap();
    let assert = backproof(folder.path()).arg("predict").arg("--json").arg(&run).arg(digit("7.png")).assert().success();
    let answer: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    assert!(answer["run"].as_str().unwrap().ends_with("run\u{fffd}"));
}

#[test]
fn an_evaluation_that_cannot_be_kept_is_printed_all_the_same() {
    let folder = smoke_run();
    let run = latest(folder.path(), "quickstart");
    fs::remove_dir_all(run.join("evaluation")).unwrap();
    fs::write(run.join("evaluation"), "a file where the folder would be").unwrap();
    for (flags, printed) in [(&["--json"][..], "\"accuracy\""), (&[], "test accuracy")] {
        let assert = backproof(folder.path()).arg("evaluate").arg(&run).args(flags).assert().success();
        assert!(stdout(&assert).contains(printed), "{}", stdout(&assert));
        assert!(stderr(&assert).contains("warning: the result is not kept in the run folder: "), "{}", stderr(&assert));
    }
    // Logits that were asked for and cannot be written are a failure, after the result.
    let nowhere = run.join("evaluation/logits.csv");
    let assert = backproof(folder.path()).arg("evaluate").arg(&run).arg("--logits").arg(nowhere).assert().code(1);
    assert!(stdout(&assert).contains("test accuracy"), "{}", stdout(&assert));
}
