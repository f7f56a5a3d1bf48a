//! `compare-runs`, as typed.

use std::fs;

use backproof_tests::{backproof, copy_folder, stdout};

use super::{RUN, edit, page, run};

#[test]
fn runs_are_compared_in_curves_config_and_result() {
    let (folder, run) = run();
    let other = folder.path().join("other");
    copy_folder(&run, &other);
    edit(other.join("config.toml"), |text| text.replace("learning_rate = 0.05", "learning_rate = 0.02"));
    fs::remove_dir_all(other.join("evaluation")).unwrap();
    let assert = backproof(folder.path()).args(["compare-runs", "run", "other", "--output", "both"]).assert().success();
    let table = stdout(&assert);
    let line = |name: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{table}"));
        line[name.len()..].split_whitespace().map(str::to_owned).collect()
    };
    // A run in each row, called by what differs.
    assert_eq!(line("run")[..4], ["validation", "%", "test", "%"]);
    assert_eq!((line("learning_rate 0.02")[1].as_str(), line("learning_rate 0.05")[1].contains('.')), ("–", true));
    assert!(!table.contains("momentum"), "what is equal is not listed:\n{table}");
    assert!(table.contains("same in all  iterations "), "{table}");
    let text = page(&folder.path().join("both/comparison.html"));
    assert!(text.contains("optimizer.learning_rate") && text.contains("id=\"validation-accuracy\""));
    assert!(text.replace("&#x2f;", "/").contains("<a href=\"../run/report.html\">learning_rate 0.05</a>"), "{text}");
    assert!(folder.path().join("both/figures/training-loss.png").is_file());
    assert!(!folder.path().join("run/comparison.html").exists());

    let assert = backproof(folder.path()).args(["report", "run", "other"]).assert().success();
    assert!(stdout(&assert).contains("comparison/comparison.html"));
    assert!(other.join("report.html").is_file() && folder.path().join("comparison/comparison.html").is_file());
}

#[test]
fn runs_that_differ_in_nothing_but_their_seed_are_one_row() {
    let (folder, run) = run();
    let [seed, rate] = ["seed", "rate"].map(|name| folder.path().join(name));
    for other in [&seed, &rate] {
        copy_folder(&run, other);
        edit(other.join("config.toml"), |text| text.replace("seed = 1", "seed = 2"));
        edit(other.join("run.json"), |text| text.replace("\"seed\": 1", "\"seed\": 2"));
    }
    edit(rate.join("config.toml"), |text| text.replace("learning_rate = 0.05", "learning_rate = 0.02"));
    let assert = backproof(folder.path()).args(["compare-runs", "run", "seed", "rate"]).assert().success();
    let table = stdout(&assert);
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("learning_rate ")).collect();
    assert!(rows.len() == 2 && rows[0].contains(" ± 0.00 ") && rows[0].trim_end().ends_with(" 2"), "{table}");
    let text = page(&folder.path().join("comparison/comparison.html"));
    assert!(text.contains("3 runs of 2 configs compared") && text.contains(">seed 2</a>"), "{text}");
    assert!(text.contains("class=\"band t0\""), "{text}");
}

#[test]
fn one_run_cannot_be_compared() {
    backproof(RUN.path()).args(["compare-runs", "runs/quickstart/latest"]).assert().code(2);
}
