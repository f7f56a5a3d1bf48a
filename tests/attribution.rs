//! `predict --explain`, `--csv` and folders, as typed, on digits of the bundled sample.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_tests::{backproof, latest, root, stderr, stdout};
use serde_json::Value;

const RUN: &str = "runs/quickstart/latest";

fn smoke_run(arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).args(arguments).assert().success();
    folder
}

fn digits() -> PathBuf {
    root().join("tests/fixtures/digits")
}

fn predict(folder: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["predict", RUN]).args(arguments);
    command
}

#[test]
fn each_picture_has_a_panel_and_the_page_has_all_of_them() {
    let folder = smoke_run(&[]);
    let [three, seven] = ["3.png", "7.png"].map(|name| digits().join(name).to_string_lossy().into_owned());
    let assert = predict(folder.path(), &[&three, &seven, "--explain", "looks/here"]).assert().success();
    assert_eq!(stderr(&assert), "");
    let text = stdout(&assert);
    assert!(text.contains("explained    looks/here/explained.html"), "{text}");
    assert!(text.contains("saliency checked by finite differences at "), "{text}");
    let to = folder.path().join("looks/here");
    let page = fs::read_to_string(to.join("explained.html")).unwrap();
    assert_eq!(page.matches("<image").count(), 8);
    assert_eq!(page.matches("The saliency agrees with central differences").count(), 2, "{page}");
    assert!(!page.contains("Do not trust"));
    for file in ["3-explained.svg", "3-explained.png", "7-explained.svg", "7-explained.png"] {
        assert!(fs::metadata(to.join(file)).unwrap().len() > 1_000, "{file}");
    }
    // As JSON, and of a class that is not the predicted one.
    let assert = predict(folder.path(), &[&seven, "--json", "--explain", "looks", "--class", "2"]).assert().success();
    let answer: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    let check = &answer["predictions"][0]["saliency_check"];
    assert_eq!(check["agrees"], true, "{answer}");
    assert!(check["pixels"].as_u64().unwrap() > 0 && check["largest_error"].as_f64().unwrap() < 1e-3, "{answer}");
    let page = fs::read_to_string(folder.path().join("looks/explained.html")).unwrap();
    let explains_two = page.contains("explained is 2, ") || answer["predictions"][0]["class"] == "2";
    assert!(explains_two, "{page}");
}

#[test]
fn a_network_without_convolutions_has_no_grad_cam_and_several_views_are_said() {
    let layers = r#"model.layers=[{type="flatten"},{type="linear",out_features=10}]"#;
    let input = "model.input=[1, 28, 28]";
    let folder = smoke_run(&["--set", input, "--set", layers, "--set", "evaluation.views=mirror"]);
    let seven = digits().join("7.png");
    predict(folder.path(), &["--explain", "looks"]).arg(seven).assert().success();
    let page = fs::read_to_string(folder.path().join("looks/explained.html")).unwrap();
    assert!(page.contains("The network has no convolution, so there is no Grad-CAM."), "{page}");
    assert!(page.contains("A prediction is the mean over several views of the image."), "{page}");
    assert_eq!(page.matches("<image").count(), 3);
}

#[test]
fn what_cannot_be_explained_is_an_error() {
    let folder = smoke_run(&[]);
    let seven = digits().join("7.png").to_string_lossy().into_owned();
    let refused = |arguments: &[&str], code: i32, said: &[&str]| {
        let assert = predict(folder.path(), arguments).assert().code(code);
        let text = stderr(&assert);
        said.iter().for_each(|said| assert!(text.contains(said), "`{said}` is missing: {text}"));
        stdout(&assert)
    };
    refused(&[&seven, "--class", "7"], 2, &["--explain"]);
    let found = refused(
        &[&seven, "--explain", "looks", "--class", "seven"],
        2,
        &["the run has no class `seven`", "its classes: 0, 1, 2"],
    );
    assert_eq!(found, "");
    fs::write(folder.path().join("file"), "").unwrap();
    let found = refused(&[&seven, "--explain", "file"], 1, &["cannot write into `file`: ", "help: `--explain DIR`"]);
    assert_eq!(found, "", "nothing is computed before");
    // A picture that cannot be read leaves the others, and is named on the page.
    fs::write(folder.path().join("text.png"), "no picture").unwrap();
    refused(&[&seven, "text.png", "--explain", "some"], 1, &["error: 1 of 2 pictures could not be predicted"]);
    let page = fs::read_to_string(folder.path().join("some/explained.html")).unwrap();
    assert!(page.contains("Not on this page: ") && page.contains("text.png"), "{page}");
    refused(&["text.png", "--explain", "none"], 1, &["text.png"]);
    assert!(!folder.path().join("none/explained.html").exists());
}

#[test]
fn a_folder_is_all_pictures_in_it_and_csv_has_every_probability() {
    let folder = smoke_run(&[]);
    let to = folder.path().join("pictures");
    fs::create_dir_all(to.join("empty")).unwrap();
    for name in ["7.png", "3.png"] {
        fs::copy(digits().join(name), to.join(name)).unwrap();
    }
    fs::write(to.join("notes.txt"), "").unwrap();
    let assert = predict(folder.path(), &["pictures", "--csv", "out/table.csv"]).assert().success();
    let text = stderr(&assert);
    assert!(text.contains("note: `pictures`: 1 file is no picture by its name, and it is left out: *.txt"), "{text}");
    assert!(text.contains("note: `pictures`: 1 folder inside is left out"), "{text}");
    let table = fs::read_to_string(folder.path().join("out/table.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let heads = lines.next().unwrap();
    assert_eq!(heads[..4], ["file", "class", "probability", "p(0)"]);
    assert_eq!(heads[13..], ["warnings", "input"]);
    let rows: Vec<Vec<&str>> = lines.collect();
    let files: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(files, ["pictures/3.png", "pictures/7.png"]);
    for row in &rows {
        let all: Vec<f64> = (3..13).map(|field| row[field].parse().unwrap()).collect();
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        let class: usize = row[1].parse().unwrap();
        assert_eq!(all[class], row[2].parse::<f64>().unwrap());
        assert!(all.iter().all(|probability| *probability <= all[class]), "{row:?}");
    }
    let assert = predict(folder.path(), &["pictures/empty", "pictures/3.png"]).assert().code(1);
    let text = stderr(&assert);
    assert!(text.contains("has no pictures, and neither have the folders in it; name a folder with"), "{text}");
    assert!(text.contains("error: 1 of 2 pictures could not be predicted"), "{text}");
    assert!(latest(folder.path(), "quickstart").exists());
}
