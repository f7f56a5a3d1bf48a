//! `predict` on photos of digits on paper, as typed: ink, the network's input, and what is unlike the training images.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_tests::{backproof, json, latest, root, stderr, stdout};
use serde_json::Value;

const RUN: &str = "runs/quickstart/latest";

/// A run that reads digits.
fn run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "training.iterations=800", "--set", "expect.test_accuracy=0"];
    backproof(folder.path()).arg("train").args(set).assert().success();
    folder
}

fn smoke_run(arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).args(arguments).assert().success();
    folder
}

fn photo(name: &str) -> PathBuf {
    root().join("tests/fixtures/photos").join(name)
}

fn digit(name: &str) -> PathBuf {
    root().join("tests/fixtures/digits").join(name)
}

fn predict(folder: &Path, arguments: &[&str], images: &[PathBuf]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["predict", RUN]).args(arguments).args(images);
    command
}

fn predictions(folder: &Path, arguments: &[&str], images: &[PathBuf]) -> Vec<Value> {
    let assert = predict(folder, &[arguments, &["--json", "--top", "10"]].concat(), images).assert().success();
    let mut answer: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    answer["predictions"].as_array_mut().unwrap().drain(..).collect()
}

#[test]
fn digits_on_grey_paper_chalk_and_a_shadow_are_read_as_the_digits() {
    let folder = run();
    let names = (0..10).map(|number| format!("{number}.png"));
    let (photos, digits): (Vec<_>, Vec<_>) = names.map(|name| (photo(&name), digit(&name))).unzip();
    let plain = predictions(folder.path(), &[], &digits);
    let seen = predictions(folder.path(), &[], &photos);
    let right =
        |found: &[Value]| found.iter().zip(&plain).filter(|(one, other)| one["class"] == other["class"]).count();
    assert!(right(&seen) >= 9, "{seen:?}");
    let as_they_are = predictions(folder.path(), &["--ink", "never"], &photos);
    assert!(right(&as_they_are) <= 5, "{as_they_are:?}");
    for one in &seen {
        assert_eq!((&one["ink"]["is_dark"], &one["looks_inverted"]), (&true.into(), &false.into()), "{one}");
        assert!((one["ink"]["paper"].as_f64().unwrap() - 200.0 / 255.0).abs() < 0.02, "{one}");
        assert_eq!(one["warnings"], serde_json::json!([]), "{one}");
    }
    for one in &as_they_are {
        assert_eq!(one["ink"], Value::Null);
        assert!(!one["warnings"].as_array().unwrap().is_empty(), "{one}");
    }
    let others = predictions(folder.path(), &[], &[photo("chalk.png"), photo("shadow.jpg")]);
    assert_eq!([&others[0]["class"], &others[1]["class"]], [&plain[7]["class"], &plain[3]["class"]]);
    assert_eq!([&others[0]["ink"]["is_dark"], &others[1]["ink"]["is_dark"]], [false, true]);

    let text = stderr(&predict(folder.path(), &[], &[photo("7.png")]).assert().success());
    assert!(text.contains("7.png has dark ink of contrast 0.7") && text.contains("paper of brightness 0.78"), "{text}");
    // By hand as before: the flags say how, and no ink is looked for.
    let by_hand = predictions(folder.path(), &["--invert", "--center"], &[photo("7.png")]);
    assert_eq!((&by_hand[0]["ink"], &by_hand[0]["class"]), (&Value::Null, &by_hand[0]["top"][0]["class"]));
}

#[test]
fn every_image_of_the_bundled_set_keeps_its_result_to_the_bit_and_few_are_called_unlike() {
    let folder = smoke_run(&[]);
    backproof(folder.path()).args(["data", "export", "mnist-sample", "digits"]).assert().success();
    let all = [folder.path().join("digits")];
    let as_they_are = predictions(folder.path(), &["--ink", "never"], &all);
    let by_default = predictions(folder.path(), &[], &all);
    assert_eq!((as_they_are.len(), by_default.len()), (5_000, 5_000));
    assert!(as_they_are == by_default, "a digit of the data set was changed");
    let unlike = by_default.iter().filter(|one| one["warnings"] != serde_json::json!([])).count();
    assert!(unlike < 25, "{unlike} of 5,000 digits are called unlike");
}

#[test]
fn what_is_unlike_the_training_images_is_told_in_text_json_and_csv() {
    let folder = smoke_run(&[]);
    let images = [photo("blank.png"), digit("7.png")];
    let text = stderr(&predict(folder.path(), &["--csv", "table.csv"], &images).assert().success());
    assert!(text.contains("warning: ") && text.contains("blank.png is unlike the training images: "), "{text}");
    assert!(!text.contains("7.png"), "{text}");
    let found = predictions(folder.path(), &[], &images);
    let told: Vec<&str> = found[0]["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(told.contains(&"its mean is 0.78; training images have 0.13 ± 0.04"), "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("it is of one colour, with a contrast of 0.00")), "{told:?}");
    assert_eq!(found[1]["warnings"], serde_json::json!([]));
    let table = fs::read_to_string(folder.path().join("table.csv")).unwrap();
    let ends = [format!(",\"{}\",", told.join(". ")), ",,".to_owned()];
    assert!(table.lines().skip(1).zip(ends).all(|(line, end)| line.ends_with(&end)), "{table}");

    // A run of an earlier version: the images are measured anew. Without them, that is said.
    let path = latest(folder.path(), "quickstart").join("image-statistics.json");
    assert_eq!(json(&path)["schema_version"], 1);
    let kept = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(predictions(folder.path(), &[], &images), found);
    let config = latest(folder.path(), "quickstart").join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"mnist-sample\"", "\"mnist\"")).unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let nowhere = ["--data-dir", "empty"];
    let assert = predict(folder.path(), &nowhere, &images).assert().success();
    assert!(stderr(&assert).contains("note: pictures are not compared with the training images: "), "{assert}");
    let assert = predict(folder.path(), &["--ink", "always", "--data-dir", "empty"], &images).assert().code(1);
    assert!(stderr(&assert).contains("data fetch mnist"), "{assert}");
    for damaged in ["{", &kept.replace("\"mean\": 0", "\"mean\": \"a\""), &kept.replace("off-centre", "mean")] {
        fs::write(&path, damaged).unwrap();
        let assert = predict(folder.path(), &nowhere, &images).assert().code(1);
        assert!(stderr(&assert).contains("image-statistics.json "), "{assert}");
    }
}

#[test]
fn ink_is_for_networks_of_strokes_on_black() {
    let folder = smoke_run(&[]);
    backproof(folder.path()).args(["data", "export", "mnist-sample", "digits"]).assert().success();
    let colours = ["train", "--images", "digits", "--smoke", "--set", "data.channels=3"];
    backproof(folder.path()).args(colours).assert().success();
    let run = latest(folder.path(), "digits");
    let seven = photo("7.png");
    let typed = |arguments: &[&str]| {
        let mut command = backproof(folder.path());
        command.arg("predict").arg(&run).arg(&seven).args(arguments);
        command
    };
    let text = stderr(&typed(&["--ink", "always"]).assert().code(2));
    assert!(text.contains("--ink always is for networks that were trained on bright strokes on black"), "{text}");
    assert!(text.contains("others: they are in colour"), "{text}");
    // By itself such a network gets every picture as before.
    let [auto, never] = ["auto", "never"].map(|ink| stdout(&typed(&["--ink", ink, "--json"]).assert().success()));
    assert_eq!(auto, never);
    let text = stderr(
        &predict(folder.path(), &["--ink", "always", "--invert"], std::slice::from_ref(&seven)).assert().code(2),
    );
    assert!(text.contains("leave them out"), "{text}");
    predict(folder.path(), &["--ink", "sometimes"], &[seven]).assert().code(2);
}

#[test]
fn what_the_network_gets_is_saved_and_nothing_is_overwritten() {
    let folder = smoke_run(&[]);
    let images = [photo("7.png"), digit("7.png")];
    let text = stdout(&predict(folder.path(), &["--save-input", "seen/here"], &images).assert().success());
    assert!(text.contains("inputs       seen/here"), "{text}");
    let to = folder.path().join("seen/here");
    for file in ["7-input.png", "7-seen.png", "7-input-2.png", "7-seen-2.png"] {
        assert!(to.join(file).is_file(), "{file}");
    }
    // A digit of MNIST is shown as it is, and its input is the same picture.
    let of = |file: PathBuf| predictions(folder.path(), &["--ink", "never"], &[file])[0]["top"].clone();
    assert_eq!(of(to.join("7-input-2.png")), of(digit("7.png")));
    assert_ne!(of(to.join("7-input.png")), of(photo("7.png")));

    let assert = predict(folder.path(), &["--save-input", "seen/here"], &images[..1]).assert().code(1);
    assert!(stderr(&assert).contains("7-input.png: the file is there already, and is kept"), "{assert}");
    let csv = ["--save-input", "other", "--csv", "table.csv"];
    let found = predictions(folder.path(), &csv, &images[..1]);
    assert_eq!(found[0]["input"], "other/7-input.png");
    assert!(fs::read_to_string(folder.path().join("table.csv")).unwrap().trim_end().ends_with(",other/7-input.png"));
    fs::write(folder.path().join("file"), "").unwrap();
    let assert = predict(folder.path(), &["--save-input", "file"], &images).assert().code(1);
    assert!(stderr(&assert).contains("cannot write into `file`: "), "{assert}");
    assert_eq!(stdout(&assert), "", "nothing is computed before");
}

#[test]
fn what_is_written_is_no_picture_of_the_next_call() {
    let folder = smoke_run(&[]);
    for class in ["flat", "classes/a", "classes/b"] {
        fs::create_dir_all(folder.path().join(class)).unwrap();
        fs::copy(digit("7.png"), folder.path().join(class).join("7.png")).unwrap();
    }
    for option in ["--save-input", "--explain"] {
        for (pictures, to) in [
            ("flat", "flat"),
            ("flat", "flat/../flat/."),
            ("classes", "classes"),
            ("classes", "classes/a"),
            ("classes", "classes/new"),
        ] {
            let assert = predict(folder.path(), &[option, to], &[pictures.into()]).assert().code(2);
            let text = stderr(&assert);
            assert!(text.contains("would be among the pictures of the next call"), "{option} {pictures} {to}: {text}");
            assert!(text.contains(&format!("help: name a folder outside of `{pictures}`")), "{text}");
        }
        assert!(!folder.path().join("classes/new").exists());
        // Deeper than pictures are looked for.
        let fine = format!("flat/{}", &option[2..]);
        predict(folder.path(), &[option, &fine], &["flat".into()]).assert().success();
        let again = stdout(&predict(folder.path(), &["--json"], &["flat".into()]).assert().success());
        let again: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(again["predictions"].as_array().unwrap().len(), 1);
    }
}
