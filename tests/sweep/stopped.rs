//! Sweeps that are stopped go on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use backproof_tests::children;
use backproof_tests::sweeps::{figures, folder_with, run_folders, sweep};
use backproof_tests::{json, program, send, stderr};

/// Three runs, with a checkpoint after every few iterations. The second one is so long that it is not over when a test
/// stops the sweep in it, also on a busy machine.
pub(crate) const LONG: &str = "[set]\ntraining.checkpoint_every = 5\ntraining.report_every = 5\nexpect.test_accuracy = 0\n\
                    [grid]\ntraining.iterations = [20, 400, 21]\n";

/// Starts a sweep and waits until a second run has a checkpoint.
pub(crate) fn start(folder: &Path) -> Child {
    let mut child = Command::new(program())
        .current_dir(folder)
        .args(["sweep", "a.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let second = || {
        let sweeps = fs::read_dir(folder.join("runs/sweeps")).ok()?.next()?.ok()?.path();
        let runs = fs::read_dir(sweeps.join("runs")).ok()?.filter_map(|run| Some(run.ok()?.path()));
        let checkpoints = runs.filter(|run| run.join("train/quickstart/latest/checkpoints/last/state.json").exists());
        (checkpoints.count() == 2).then_some(())
    };
    while second().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the sweep ended before its second run");
        assert!(begun.elapsed() < Duration::from_secs(120), "no second run in two minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// The table of the sweep that nothing happened to, and of the one in `folder`, are the same.
pub(crate) fn assert_as_if_nothing_had_happened(folder: &Path) {
    let whole = folder_with(LONG);
    sweep(whole.path()).args(["--jobs", "2"]).assert().success();
    for name in ["results.csv", "runs.csv"] {
        assert_eq!(figures(folder, name), figures(whole.path(), name));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_sweep_that_was_killed_with_its_runs_goes_on_and_ends_as_if_nothing_had_happened() {
    let folder = folder_with(LONG);
    let mut child = start(folder.path());
    let runs = children(child.id());
    assert_eq!(runs.len(), 1, "one run at a time");
    child.kill().unwrap();
    for run in runs {
        send("KILL", run);
    }
    child.wait().unwrap();
    let before = run_folders(folder.path());
    let assert = sweep(folder.path()).assert().success();
    for run in &before {
        assert_eq!(json(&run.join("run.json"))["status"], "done", "a run was begun anew: {}", stderr(&assert));
    }
    assert_eq!(run_folders(folder.path()).len(), 3, "no run was done twice");
    assert_as_if_nothing_had_happened(folder.path());
}

#[test]
#[cfg(unix)]
fn the_runs_of_a_sweep_that_was_killed_alone_stop_and_are_gone_on_with() {
    let folder = folder_with(LONG);
    let mut child = start(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    sweep(folder.path()).assert().success();
    assert_eq!(run_folders(folder.path()).len(), 3, "no run was done twice");
    assert_as_if_nothing_had_happened(folder.path());
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_a_sweep_with_130_and_checkpoints_and_it_goes_on() {
    let folder = folder_with(LONG);
    let child = start(folder.path());
    send("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(
        text.contains("error: interrupted; 2 of 3 runs left to do\nhelp: the same command continues the sweep"),
        "{text}"
    );
    let statuses: Vec<_> =
        run_folders(folder.path()).iter().map(|run| json(&run.join("run.json"))["status"].clone()).collect();
    assert_eq!(statuses.iter().filter(|status| *status == "interrupted").count(), 1, "{statuses:?}");
    sweep(folder.path()).assert().success();
    assert_eq!(run_folders(folder.path()).len(), 3, "no run was done twice");
    assert_as_if_nothing_had_happened(folder.path());
}
