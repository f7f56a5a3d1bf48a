//! Other backends give the losses of flex, and their gradients are proven.
//!
//! Building them takes minutes, so these tests run for the backends that `BACKPROOF_TEST_BACKENDS` names. One program
//! has them all, since `cargo xtask`, which makes one for each, would build all that depends on them once for each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use backproof_tests::{clean, latest, root, stdout, target};

/// The backends to test, separated by spaces.
fn backends() -> String {
    std::env::var("BACKPROOF_TEST_BACKENDS").unwrap()
}

/// The program with these backends, in the root of the workspace. The first call builds it.
fn backproof() -> assert_cmd::Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root()).args(["build", "--release", "--locked", "--package", "backproof", "--features"]);
        cargo.arg(backends()).arg("--target-dir").arg(target());
        assert!(cargo.status().unwrap().success(), "there is no program with {}", backends());
        target().join("release").join(format!("backproof{}", std::env::consts::EXE_SUFFIX))
    });
    let mut command = assert_cmd::Command::new(program);
    command.current_dir(root());
    clean(&mut command);
    command
}

/// The classification loss of each of 20 steps from one seed.
fn losses(folder: &Path, backend: &str, engine: &str) -> Vec<f64> {
    backproof()
        .args(["train", "--backend", backend, "--set", "training.iterations=20", "--set", "training.report_every=1"])
        .args(["--set", &format!("engine={engine}"), "--set", "expect.test_accuracy=0", "--runs-dir"])
        .arg(folder.join("runs"))
        .assert()
        .success();
    let text = std::fs::read_to_string(latest(folder, "quickstart").join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let report: serde_json::Value = serde_json::from_str(line).unwrap();
            report["classification_loss"].as_f64().unwrap()
        })
        .collect()
}

pub(crate) fn twenty_steps_from_one_seed_give_the_losses_of_flex() {
    let folder = tempfile::tempdir().unwrap();
    for engine in ["autodiff", "manual"] {
        let flex = losses(folder.path(), "flex", engine);
        assert_eq!(flex.len(), 20);
        for backend in backends().split_whitespace() {
            let other = losses(folder.path(), backend, engine);
            let pairs = flex.iter().zip(&other);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("{backend}, engine {engine}: the largest difference from flex over 20 losses is {worst:.1e}");
            assert!(other.len() == 20 && worst < 1e-3, "{backend}, {engine}: {other:?}\nflex: {flex:?}");
        }
    }
}

pub(crate) fn gradients_are_proven_on_every_backend_and_burns_gelu_is_found_out() {
    for backend in backends().split_whitespace() {
        let compare = |arguments: &[&str]| {
            backproof().args(["compare-gradients", "--backend", backend, "--cases", "3"]).args(arguments).assert()
        };
        println!("{}", stdout(&compare(&["--hard-cases", "0"]).success()));
        // The default `gelu_backward` of burn-backend 0.22.1 differentiates the tanh approximation, the forward is the
        // exact erf. The whole suite takes minutes on a GPU in software; the list of known faults is of flex first.
        let suite = ["--suite", "burn", "--layer", "gelu", "--hard-cases", "0"];
        let text = stdout(&compare(&suite).success());
        println!("{text}");
        let row = text.lines().find(|line| line.trim_start().starts_with("gelu "));
        assert!(row.is_some_and(|row| row.contains("KNOWN FAULT")), "{backend}: {text}");
        assert!(text.contains("the backward pass differentiates the tanh approximation"), "{backend}: {text}");
    }
}
