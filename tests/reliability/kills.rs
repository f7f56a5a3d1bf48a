//! `kill -9` at random moments of runs of every kind.

#![cfg(unix)]

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use backproof_tests::small::{assert_same, folder, resume, small, spawn, train, train_arguments};
use backproof_tests::{events, send};

use super::random::{Random, kills};

/// A run of about half a second: a report every 3, a validation every 10 and a checkpoint every 7 of 301 iterations.
/// `small.toml` has augmentation, batch normalisation, dropout and Adam.
const SHORT: [&str; 4] =
    ["training.iterations=301", "training.report_every=3", "training.validate_every=10", "training.checkpoint_every=7"];

/// A run that is nearly all validation, so that most signals come in one.
const VALIDATING: [&str; 6] = [
    r#"model.layers=[{ type = "conv2d", out_channels = 8, kernel = 5, padding = 2 }, "relu", "flatten", { type = "dropout", probability = 0.25 }, { type = "linear", out_features = 10 }]"#,
    "data.validation_images=3000",
    "training.iterations=6",
    "training.report_every=1",
    "training.validate_every=1",
    "training.checkpoint_every=2",
];

/// What is killed.
struct Kind {
    name: &'static str,
    set: Vec<&'static str>,
    tensorboard: bool,
    /// Some of its processes are told to stop instead, so that a validation is interrupted before the next kill.
    signals: bool,
}

fn kinds() -> Vec<Kind> {
    let short = |name, engine, tensorboard| {
        let set = [&SHORT[..], &[engine]].concat();
        Kind { name, set, tensorboard, signals: false }
    };
    vec![
        short("autodiff with events", "engine=autodiff", true),
        short("manual", "engine=manual", false),
        short("compiled with events", "engine=compiled", true),
        Kind { name: "interrupted validations", set: VALIDATING.to_vec(), tensorboard: true, signals: true },
        short("autodiff", "engine=autodiff", false),
        short("manual with events", "engine=manual", true),
        short("compiled", "engine=compiled", false),
        Kind {
            name: "balanced",
            set: [&SHORT[..], &["data.order=balanced", "engine=compiled", "training.class_weights=balanced"]].concat(),
            tensorboard: false,
            signals: false,
        },
    ]
}

impl Kind {
    fn arguments(&self) -> Vec<String> {
        let mut arguments = train_arguments(&self.set);
        arguments.extend(self.tensorboard.then(|| "--tensorboard".to_owned()));
        arguments
    }

    /// The run that nobody killed.
    fn whole(&self) -> tempfile::TempDir {
        let whole = folder();
        train(whole.path(), &self.set).args(self.tensorboard.then_some("--tensorboard")).assert().success();
        whole
    }
}

/// Kills a process after `delay`; whether it was still there.
fn kill_after(mut child: Child, delay: Duration) -> bool {
    std::thread::sleep(delay);
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    check(child);
    alive
}

/// Tells a process to stop after `delay`.
fn stop_after(mut child: Child, delay: Duration) {
    std::thread::sleep(delay);
    if child.try_wait().unwrap().is_none() {
        send("TERM", child.id());
    }
    check(child);
}

/// Waits for a process, and asserts that it did not fail.
fn check(child: Child) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    // A run that was killed after its last line is done.
    let expected = ["there is nothing left to do", "error: interrupted"].iter().any(|words| text.contains(words));
    assert!(!text.contains("panicked") && (expected || !text.contains("error:")), "{text}");
}

/// Trains a run of this kind that is killed some times. Gives the number of kills, and how many of them came before the
/// first file.
fn killed_run(kind: &Kind, random: &mut Random, folder: &Path) -> (usize, usize) {
    let (mut killed, mut anew) = (0, 0);
    // Before `run.json` there is nothing to go on with. A machine that needs longer to get there is given longer.
    for longest in (1..).map(|attempt| 150 * attempt) {
        killed += usize::from(kill_after(spawn(folder, &kind.arguments()), random.time(longest)));
        if small(folder).join("run.json").exists() {
            break;
        }
        anew += 1;
    }
    // A few kills of each run, then it may end.
    for _ in 0..random.number(6) {
        let child = spawn(folder, &["resume", "runs/small/latest"].map(str::to_owned));
        let delay = random.time(if kind.signals { 700 } else { 300 });
        if kind.signals && random.number(2) == 0 {
            stop_after(child, delay);
        } else if kill_after(child, delay) {
            killed += 1;
        } else {
            break;
        }
    }
    (killed, anew)
}

#[test]
fn kills_at_random_moments_change_nothing() {
    let kinds: Vec<_> = kinds().into_iter().map(|kind| (kind.whole(), kind)).collect();
    let mut random = Random::new(1);
    // A fifth of the kills are those of sweeps.
    let wanted = 4 * kills() / 5;
    let (mut killed, mut runs, mut anew) = (0, 0, 0);
    while killed < wanted || runs < kinds.len() {
        let (whole, kind) = &kinds[runs % kinds.len()];
        let folder = folder();
        let (these, before) = killed_run(kind, &mut random, folder.path());
        killed += these;
        anew += before;
        let assert = resume(folder.path()).assert();
        let code = assert.get_output().status.code();
        let text = backproof_tests::stderr(&assert);
        let what = format!("run {runs} ({}) after {killed} kills", kind.name);
        assert!(code == Some(0) || text.contains("there is nothing left to do"), "{what}: {text}");
        let run = small(folder.path());
        assert_eq!(run.join("tensorboard").exists(), kind.tensorboard, "{what}");
        if kind.tensorboard {
            assert_eq!(events::scalars(&run.join("tensorboard")), events::metrics(&run), "{what}");
        }
        for run in [&small(whole.path()), &run] {
            // Event files hold the time of each figure, and a resumed run has several.
            let _ = std::fs::remove_dir_all(run.join("tensorboard"));
        }
        assert_same(&small(whole.path()), &run, &what);
        assert!(run.join("report.html").exists(), "{what}: there is no report");
        runs += 1;
    }
    println!(
        "{killed} kills in {runs} runs of {} kinds, {anew} of them before the first file; every run ended with the same \
         files",
        kinds.len()
    );
}
