//! Signals, closed pipes, and two processes in one folder.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use backproof_tests::{json, send, stderr};

use backproof_tests::small::{
    ENDLESS, assert_goes_on_exactly, folder, resume, small, spawn, train_arguments, wait_for,
};

#[test]
fn sigint_sigterm_and_sighup_save_and_exit_and_the_run_goes_on_exactly() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = folder();
        let child = spawn(folder.path(), &train_arguments(&ENDLESS));
        wait_for("a report", || small(folder.path()).join("metrics.jsonl").exists());
        let told = Instant::now();
        send(signal, child.id());
        let output = child.wait_with_output().unwrap();
        let took = told.elapsed();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {text}");
        assert!(took < Duration::from_secs(10), "{signal} took {took:?}");
        let iteration =
            json(&small(folder.path()).join("checkpoints/last/state.json"))["position"]["iteration"].clone();
        assert!(text.contains(&format!("a checkpoint of iteration {iteration} is saved")), "{text}");
        assert_eq!(json(&small(folder.path()).join("run.json"))["status"], "interrupted");
        assert_goes_on_exactly(folder.path(), &ENDLESS, 100, signal);
    }
}

/// A validation of 4,300 images takes a thousand times as long as the iteration in front of it, so that nearly every
/// signal comes in one. Where it does not, another run is stopped.
#[test]
fn a_signal_breaks_a_validation_off_and_the_run_goes_on_exactly() {
    let layers = r#"model.layers=[{ type = "conv2d", out_channels = 16, kernel = 5, padding = 2 }, "relu", { type = "conv2d", out_channels = 16, kernel = 5, padding = 2 }, "relu", "flatten", { type = "linear", out_features = 10 }]"#;
    let set = [
        layers,
        "data.validation_images=4300",
        "training.iterations=1000000",
        "optimizer.schedule=constant",
        "training.batch_size=1",
        "training.report_every=1",
        "training.validate_every=1",
        "training.checkpoint_every=1",
    ];
    for signal in ["INT", "TERM"] {
        let broken_off = (0..20).any(|_| {
            let folder = folder();
            let child = spawn(folder.path(), &train_arguments(&set));
            wait_for("a checkpoint", || small(folder.path()).join("checkpoints/last/state.json").exists());
            std::thread::sleep(Duration::from_millis(5));
            send(signal, child.id());
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{signal}: {text}");
            // What is reported with a validation waits for it: the images of the iteration are still to be reported.
            let state = json(&small(folder.path()).join("checkpoints/last/state.json"));
            let broken_off = state["position"]["window"]["images"] == 1;
            if broken_off {
                let iteration = state["position"]["iteration"].as_u64().unwrap();
                assert!(text.contains(&format!("a checkpoint of iteration {iteration} is saved")), "{text}");
                let metrics = fs::read_to_string(small(folder.path()).join("metrics.jsonl")).unwrap();
                assert_eq!(metrics.lines().count() as u64, iteration - 1, "{metrics}");
            }
            assert_goes_on_exactly(folder.path(), &set, 2, signal);
            broken_off
        });
        assert!(broken_off, "{signal}: no validation of 20 runs was broken off");
    }
}

#[test]
fn a_second_signal_ends_the_process_now_and_loses_nothing_that_was_saved() {
    let folder = folder();
    let child = spawn(folder.path(), &train_arguments(&ENDLESS));
    wait_for("a report", || small(folder.path()).join("metrics.jsonl").exists());
    send("INT", child.id());
    send("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_goes_on_exactly(folder.path(), &ENDLESS, 100, "two signals");
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_run() {
    let folder = folder();
    let mut child = spawn(folder.path(), &train_arguments(&["training.report_every=1"]));
    // As `train | head -1`.
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("run folder"), "{line}");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("panicked"), "{text}");
    assert_eq!(json(&small(folder.path()).join("run.json"))["status"], "done");
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_cannot_be_written_fails_and_the_run_is_whole() {
    let folder = folder();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for (arguments, code) in [(train_arguments(&[]), 1), (vec!["doctor".to_owned()], 1)] {
        let mut command = std::process::Command::new(backproof_tests::program());
        command.current_dir(folder.path()).args(arguments).stdout(full()).stderr(std::process::Stdio::piped());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(text.matches("error: cannot write to stdout").count(), 1, "{text}");
    }
    assert_eq!(json(&small(folder.path()).join("run.json"))["status"], "done");
}

#[test]
fn two_processes_cannot_train_in_one_folder() {
    let folder = folder();
    let child = spawn(folder.path(), &train_arguments(&ENDLESS));
    wait_for("a report", || small(folder.path()).join("metrics.jsonl").exists());
    send("STOP", child.id());
    let assert = resume(folder.path()).assert().code(1);
    assert!(stderr(&assert).contains("error: another process is training in "), "{}", stderr(&assert));
    assert!(stderr(&assert).contains("help: "), "{}", stderr(&assert));
    send("CONT", child.id());
    send("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_goes_on_exactly(folder.path(), &ENDLESS, 100, "with a second process");
}
