//! A data set of so many classes that not every probability is kept, as typed.

use std::fs;

use backproof_tests::pictures::write_bmp;
use backproof_tests::{backproof, json, latest, stdout};
use serde_json::Value;

const CLASSES: usize = 1_100;
const IMAGES: usize = 4;

#[test]
fn more_than_a_thousand_classes_train_evaluate_and_report_from_the_likeliest_of_each_image() {
    let folder = tempfile::tempdir().unwrap();
    for class in 0..CLASSES {
        let inside = folder.path().join(format!("colours/{class:04}"));
        fs::create_dir_all(&inside).unwrap();
        for image in 0..IMAGES {
            // Every class has a colour; its images differ by one step of the blue.
            let colour = [class % 33 * 7, class / 33 * 7, 10 * image].map(|value| value as u8);
            write_bmp(&inside.join(format!("{image}.bmp")), [8, 8], colour);
        }
    }
    let typed = |words: &[&str]| {
        let mut command = backproof(folder.path());
        command.args(words).env("BACKPROOF_DATA_DIR", "data");
        stdout(&command.assert().success())
    };
    typed(&["train", "--images", "colours", "--set", "training.epochs=3", "--set", "data.test_fraction=0.25"]);
    let run = latest(folder.path(), "colours");
    let csv = fs::read_to_string(run.join("evaluation/predictions.csv")).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("index,true,predicted,p(true),likeliest 1,p(likeliest 1),"));
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), CLASSES);
    let in_top = |row: &&Vec<f64>| (0..5).any(|place| row[4 + 2 * place] == row[1]);
    for row in &rows {
        assert!(row[2] == row[4] && (0..4).all(|place| row[5 + 2 * place] >= row[7 + 2 * place]), "{row:?}");
    }
    let result = json(&run.join("evaluation/result.json"));
    let share = rows.iter().filter(in_top).count() as f64 / rows.len() as f64;
    assert!((result["top_5_accuracy"].as_f64().unwrap() - share).abs() < 1e-12);
    assert!(share > 20.0 / CLASSES as f64, "{share} is little better than chance");
    let areas: Vec<[f64; 2]> = result["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| ["auc", "average_precision"].map(|key| class[key].as_f64().unwrap()))
        .collect();
    let mean_auc = areas.iter().map(|it| it[0]).sum::<f64>() / areas.len() as f64;
    assert!(mean_auc > 0.8 && areas.iter().flatten().all(|area| (0.0..=1.0).contains(area)), "{mean_auc}");

    // One image of each class: average precision is 1/rank, and AUC the share of the others that are below it.
    for [auc, average_precision] in &areas {
        let others = (CLASSES - 1) as f64;
        let from_auc = 1.0 / (1.0 + (1.0 - auc) * others);
        // Where another image has the very same probability, the one counts it half and the other whole.
        assert!(from_auc >= average_precision - 1e-9 && from_auc < 2.0 * average_precision, "{auc}");
    }

    let page = || fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page().len() < 5_000_000 && page().contains(">AUC<"), "{} bytes", page().len());
    let path = run.to_str().unwrap();
    typed(&["evaluate", path]);
    assert_eq!(json(&run.join("evaluation/result.json")), result);
    typed(&["evaluate", path, "--split", "validation"]);
    typed(&["report", path, "--figures=pdf"]);
    let table = fs::read_to_string(run.join("figures/classes.tex")).unwrap();
    assert!(table.contains("AUC"), "{table}");
    typed(&["explain", path, "--write", "explained.html"]);
    typed(&["train", "--images", "colours", "--smoke", "--name", "other"]);
    let other = latest(folder.path(), "other");
    typed(&["compare-runs", path, other.to_str().unwrap()]);

    // As earlier versions wrote it.
    let every = |row: &Vec<f64>| {
        let mut shares = vec![0.0; CLASSES];
        shares[row[2] as usize] = 1.0;
        let shares: Vec<String> = shares.iter().map(f64::to_string).collect();
        format!("{},{},{},{}\n", row[0], row[1], row[2], shares.join(","))
    };
    let names: String = (0..CLASSES).map(|class| format!(",p({class:04})")).collect();
    let text: String = rows.iter().map(every).collect();
    fs::write(run.join("evaluation/predictions.csv"), format!("index,true,predicted{names}\n{text}")).unwrap();
    let told = typed(&["report", path]);
    assert!(!told.contains("missing"), "{told}");
    assert!(page().len() < 5_000_000 && page().contains(">AUC<"));
    assert_eq!(result["classes"][0]["class"], Value::from("0000"));
}
