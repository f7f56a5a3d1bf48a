//! Runs of a sweep that need more memory than there is, or that the system ends.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use backproof_tests::{children, json, program, send};

use super::stopped::{LONG, assert_as_if_nothing_had_happened, start};
use super::{figures, folder_with, run_folders, sweep, sweep_folder};

/// 24 points, of which the eighth has a network of 1.6 · 10⁹ weights: 6.3 GB, for each process has 2 GB.
fn soak() -> String {
    let mut text = "[set]\ntraining.iterations = 10\nexpect.test_accuracy = 0\n".to_owned();
    for point in 0..24 {
        text += &format!("[[points]]\nname = \"point-{point}\"\n");
        text += &match point {
            7 => "model.input = [1, 28, 28]\nmodel.layers = [\"flatten\", { type = \"linear\", out_features = 2_000_000 }, \
                  \"relu\", { type = \"linear\", out_features = 10 }]\n"
                .to_owned(),
            _ => format!("optimizer.learning_rate = {}\n", f64::from(point + 1) / 1000.0),
        };
    }
    text
}

#[test]
fn of_24_runs_one_that_needs_more_memory_than_there_is_fails_with_that_cause_and_the_others_are_done() {
    let folder = folder_with(&soak());
    let mut command = Command::new("sh");
    // In KiB, and of each process.
    command.args(["-c", "ulimit -v 2000000 && exec \"$@\"", "sh"]).arg(program());
    command.args(["sweep", "a.toml", "--jobs", "4"]).current_dir(folder.path());
    let output = command.output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(err.contains("error: 1 of 24 runs failed\n"), "{err}");
    let cause = "error: memory ran out: memory allocation of 6272000000 bytes failed\n";
    assert!(err.contains(&format!("/24] point-7, seed 1: {cause}")), "{err}");
    let help = "help: fewer `--jobs`, a smaller batch or a smaller network need less memory\n";
    assert!(out.contains(&format!("output.txt\n  {cause}  {help}")) && !out.contains("backtrace"), "{out}");

    let runs = figures(folder.path(), "runs.csv");
    let statuses: Vec<&str> = runs[1..].iter().map(|line| line[3].as_str()).collect();
    let expected: Vec<&str> = (0..24).map(|run| if run == 7 { "failed" } else { "done" }).collect();
    assert_eq!(statuses, expected);
    let points = figures(folder.path(), "results.csv");
    assert_eq!((points[24][1].as_str(), points[24][3].as_str()), ("point-7", "1"), "{points:?}");
    let markdown = fs::read_to_string(sweep_folder(folder.path()).join("results.md")).unwrap();
    assert!(markdown.contains(cause), "{markdown}");
}

#[test]
fn a_run_that_the_system_kills_fails_with_its_signal_and_is_gone_on_with() {
    let folder = folder_with(LONG);
    let sweep_process = start(folder.path());
    let runs = children(sweep_process.id());
    assert_eq!(runs.len(), 1, "one run at a time");
    send("KILL", runs[0]);
    let output = sweep_process.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let cause = "the process was ended by signal 9 (SIGKILL), which the system sends when memory runs out";
    assert!(text.contains(&format!("[2/3] iterations 400, seed 1: error: {cause}\n")), "{text}");
    assert!(text.contains("error: 1 of 3 runs failed\n"), "{text}");
    let before = run_folders(folder.path());
    sweep(folder.path()).assert().success();
    assert_eq!(before.len(), 3);
    for run in &before {
        assert_eq!(json(&run.join("run.json"))["status"], "done", "{} was begun anew", run.display());
    }
    assert_as_if_nothing_had_happened(folder.path());
}
