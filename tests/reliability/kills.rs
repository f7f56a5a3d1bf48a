//! `kill -9` at random moments.

#![cfg(unix)]

use std::process::Child;
use std::time::Duration;

use backproof_tests::small::{assert_same, folder, resume, small, spawn, train, train_arguments};

/// A run of about half a second: a report every 3, a validation every 10 and a checkpoint every 7 of 301 iterations.
const SET: [&str; 4] =
    ["training.iterations=301", "training.report_every=3", "training.validate_every=10", "training.checkpoint_every=7"];

/// How many kills, from the variable.
fn kills() -> usize {
    std::env::var("BACKPROOF_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Numbers below `below`, the same in every run of the test (Knuth's multiplier).
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// Kills a process after `delay`; whether it was still there.
fn kill_after(mut child: Child, delay: Duration) -> bool {
    std::thread::sleep(delay);
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    // A run that was killed after its last line is done.
    let done = text.contains("there is nothing left to do");
    assert!(!text.contains("panicked") && (done || !text.contains("error:")), "{text}");
    alive
}

#[test]
fn kills_at_random_moments_change_nothing() {
    let whole = folder();
    train(whole.path(), &SET).arg("--tensorboard").assert().success();
    let mut state = 1;
    let (mut killed, mut runs, mut anew) = (0, 0, 0);
    while killed < kills() {
        let folder = folder();
        let mut arguments = train_arguments(&SET);
        arguments.push("--tensorboard".to_owned());
        // In front of `run.json` there is nothing to go on with. A machine that needs longer to get there is given
        // longer.
        for longest in (1..).map(|attempt| 150_000 * attempt) {
            killed += usize::from(kill_after(
                spawn(folder.path(), &arguments),
                Duration::from_micros(random(&mut state, longest)),
            ));
            if small(folder.path()).join("run.json").exists() {
                break;
            }
            anew += 1;
        }
        // A few kills of each run, then it may end.
        for _ in 0..random(&mut state, 12) {
            let words = ["resume", "runs/small/latest"].map(str::to_owned);
            let alive = kill_after(spawn(folder.path(), &words), Duration::from_micros(random(&mut state, 250_000)));
            killed += usize::from(alive);
            if !alive {
                break;
            }
        }
        let assert = resume(folder.path()).assert();
        let code = assert.get_output().status.code();
        let text = backproof_tests::stderr(&assert);
        assert!(code == Some(0) || text.contains("there is nothing left to do"), "after {killed} kills: {text}");
        let (one, other) = (small(whole.path()), small(folder.path()));
        for run in [&one, &other] {
            // Event files hold the time of each figure, and a resumed run has several; `tests/tensorboard.rs` reads
            // them.
            let _ = std::fs::remove_dir_all(run.join("tensorboard"));
        }
        assert_same(&one, &other, &format!("run {runs} after {killed} kills"));
        runs += 1;
    }
    println!(
        "{killed} kills in {runs} runs, {anew} of them in front of the first file; every run ended with the same files"
    );
}
