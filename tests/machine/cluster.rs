//! What the tests of schedulers share: machines that can die, and a sweep that takes them long enough.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use backproof_tests::sweeps::{figures, folder_with, run_folders, sweep, sweep_folder};
use backproof_tests::{json, program};

/// Four runs. The second and the fourth take seconds, so that they are not over when a test interrupts them. They are
/// the second shard of two.
pub(crate) const RUNS: &str = "[set]\ntraining.checkpoint_every = 20\ntraining.report_every = 20\n\
                               expect.test_accuracy = 0\noptimizer.schedule = \"constant\"\n\
                               [grid]\ntraining.iterations = [20, 1500, 21, 1501]\n";

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A program that prints to nowhere, and has none of the variables that tests may have. What it starts would take those
/// for its flags.
pub(crate) fn daemon(program: &str) -> Command {
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BACKPROOF_")) {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A daemon on what looks like a machine of its own: with a host name, and with processes that all end when this one is
/// killed, as if the power failed.
pub(crate) fn machine(name: &str, words: &[&str]) -> Command {
    let mut command = daemon("unshare");
    command.args(["--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
    command.args(["hostname \"$0\" && exec \"$@\"", name]).args(words);
    command
}

/// The program where the scripts expect it.
pub(crate) fn as_in_a_checkout(folder: &Path) {
    fs::create_dir_all(folder.join("target/release")).unwrap();
    let _ = std::os::unix::fs::symlink(program(), folder.join("target/release/backproof"));
}

/// Whether both long runs have a checkpoint.
pub(crate) fn both_have_checkpoints(folder: &Path) -> bool {
    if fs::read_dir(folder.join("runs/sweeps")).is_ok_and(|mut sweeps| sweeps.next().is_some()) {
        let runs = run_folders(folder);
        let has = |run: &Path, number| {
            run.to_string_lossy().contains(number) && run.join("checkpoints/last/state.json").exists()
        };
        return ["/0001-", "/0003-"].iter().all(|number| runs.iter().any(|run| has(run, number)));
    }
    false
}

/// How many runs have this status.
pub(crate) fn count(folder: &Path, status: &str) -> usize {
    run_folders(folder).iter().filter(|run| json(&run.join("run.json"))["status"] == status).count()
}

/// What the tasks of an array printed.
pub(crate) fn printed(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let outputs = entries.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    outputs.map(|path| fs::read_to_string(path).unwrap()).collect()
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The sweep in `folder` has the table of one that nothing happened to, and did no run twice.
pub(crate) fn assert_as_if_nothing_had_happened(folder: &Path) {
    let whole = folder_with(RUNS);
    sweep(whole.path()).args(["--jobs", "2"]).assert().success();
    for name in ["results.csv", "runs.csv"] {
        assert_eq!(figures(folder, name), figures(whole.path(), name), "{}", printed(folder));
    }
    assert_eq!((run_folders(folder).len(), count(folder, "done")), (4, 4), "{}", printed(folder));
    let mut runs = fs::read_dir(sweep_folder(folder).join("runs")).unwrap().map(|run| run.unwrap().path());
    assert!(runs.all(|run| !run.join("lock").exists()), "a lock is left");
}
