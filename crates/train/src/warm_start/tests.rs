//! Runs that begin with the weights of others.

use std::collections::BTreeMap;

use backproof_spec::published;
use safetensors::SafeTensors;

use super::*;
use crate::testing::{assert_same, experiment, go_on, run};

/// The bytes of every tensor of a run's last weights.
fn weights(run: &RunFolder) -> BTreeMap<String, Vec<u8>> {
    let (bytes, _) = run.last().weights().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()
}

fn first_validation(run: &RunFolder) -> f64 {
    run.reports().unwrap().iter().find_map(|report| report.validation_accuracy).unwrap()
}

fn init_from(run: &RunFolder) -> String {
    format!("model.init_from={}", run.path().display())
}

#[test]
fn a_warm_start_begins_ahead_of_a_cold_one() {
    let runs = tempfile::tempdir().unwrap();
    let source = run(&experiment(&["training.iterations=150"]), runs.path()).unwrap();
    let short = ["seed=7", "training.iterations=1", "optimizer.learning_rate=1e-3"];
    let cold = run(&experiment(&short), runs.path()).unwrap();
    let from = init_from(&source);
    let warm = run(&experiment(&[&short[..], &[&from]].concat()), runs.path()).unwrap();

    let record = warm.record().unwrap().warm_start.unwrap();
    let before = record.validation_accuracy.unwrap();
    assert!(first_validation(&cold) < 0.3, "cold {}", first_validation(&cold));
    assert!(first_validation(&warm) > 0.8 && before > 0.8, "warm {}, before {before}", first_validation(&warm));
    assert_eq!(cold.record().unwrap().warm_start, None);

    assert_eq!(record.transfer.loaded.len(), 6);
    assert_eq!(record.weights_sha256, sha256(&source.last().weights().unwrap().0));
    let log = std::fs::read_to_string(warm.path().join("log.txt")).unwrap();
    assert!(log.contains("\nloaded conv1.weight, conv1.bias, conv2.weight, "), "{log}");
    // The config has the folder and not a link that will point elsewhere, and nothing else that was not asked for.
    assert_eq!(warm.experiment().unwrap().warm_start.unwrap().init_from, source.path().to_str().unwrap());
}

/// A network whose first part is that of `mnist-baseline`, with normalisation and dropout behind it.
const NORMALIZED: &str = "model.layers=[\
    { type = 'conv2d', out_channels = 16, kernel = 5, padding = 2 }, 'batch_norm', 'relu', { type = 'max_pool2d', kernel = 4 }, \
    'flatten', { type = 'dropout', probability = 0.2 }, { type = 'linear', out_features = 10 }]";
const INPUT: &str = "model.input=[1, 28, 28]";

#[test]
fn what_is_frozen_keeps_every_bit_by_both_engines_and_every_optimizer() {
    let runs = tempfile::tempdir().unwrap();
    let source = run(&experiment(&[INPUT, NORMALIZED]), runs.path()).unwrap();
    let from = init_from(&source);
    // Another last layer, so that something is left to train: two of them.
    let wider =
        NORMALIZED.replace("{ type = 'linear'", "{ type = 'linear', out_features = 24 }, 'relu', { type = 'linear'");
    let decay = "optimizer.weight_decay=0.1";
    for engine in ["engine=autodiff", "engine=manual"] {
        for kind in ["momentum", "adamw"] {
            let kind = format!("optimizer.kind={kind}");
            let overrides = [INPUT, &wider, &from, "model.freeze=true", engine, &kind, decay];
            let warm = run(&experiment(&overrides), runs.path()).unwrap();
            let record = warm.record().unwrap().warm_start.unwrap();
            let loaded =
                ["conv1.weight", "conv1.bias", "norm1.weight", "norm1.bias", "norm1.running_mean", "norm1.running_var"];
            assert_eq!(record.frozen, loaded);
            let (before, after) = (weights(&source), weights(&warm));
            for name in loaded {
                assert!(before[name] == after[name], "{engine}, {kind}: {name} was updated");
            }
            assert!(before["linear1.weight"] != after["linear1.weight"]);
            // λ/2 ‖w‖² is of what is trained alone.
            let report = warm.reports().unwrap().pop().unwrap();
            let squares = |name: &str| -> f64 {
                let numbers = after[name].as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
                numbers.map(|number| number * number).sum()
            };
            let trained = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"].map(squares);
            let expected = 0.1 / 2.0 * trained.iter().sum::<f64>();
            assert!((report.weight_decay_loss - expected).abs() < 1e-9 * expected);
        }
    }
}

#[test]
fn a_resumed_warm_start_ends_in_the_bits_of_one_that_was_never_stopped() {
    let runs = tempfile::tempdir().unwrap();
    let source = run(&experiment(&[INPUT, NORMALIZED]), runs.path()).unwrap();
    let from = init_from(&source);
    for freeze in ["model.freeze=true", "model.freeze=false"] {
        let narrower =
            NORMALIZED.replace("out_features = 10", "out_features = 12 }, { type = 'linear', out_features = 10");
        let overrides = [INPUT, &narrower, &from, freeze, "model.resize=true"];
        let whole = run(&experiment(&overrides), runs.path()).unwrap();
        let half = run(&experiment(&[&overrides[..], &["training.iterations=10"]].concat()), runs.path()).unwrap();
        let half = go_on(half, 20);
        assert_same(&whole, &half, freeze);
        assert_eq!(whole.record().unwrap().warm_start, half.record().unwrap().warm_start);
    }
}

#[test]
fn a_file_of_weights_will_do() {
    let runs = tempfile::tempdir().unwrap();
    let network = Network::new(&published::mnist_baseline(), 3, &burn::tensor::Device::flex()).unwrap();
    let path = runs.path().join("mine.safetensors");
    std::fs::write(&path, backproof_models::save_weights(&network).unwrap()).unwrap();
    let from = format!("model.init_from={}", path.display());
    let run = run(&experiment(&[&from]), runs.path()).unwrap();
    assert_eq!(run.record().unwrap().warm_start.unwrap().transfer.loaded.len(), 6);
}

#[test]
fn a_start_that_cannot_be_is_refused_before_a_run_folder_is_made() {
    let runs = tempfile::tempdir().unwrap();
    let none = tempfile::tempdir().unwrap();
    let refuse = |overrides: &[&str]| run(&experiment(overrides), none.path()).unwrap_err().to_string();

    let missing = refuse(&["model.init_from=runs/none/latest"]);
    assert_eq!(missing, "there are no weights at runs/none/latest to start from");
    let from = format!("model.init_from={}", runs.path().display());
    assert!(refuse(&[&from]).ends_with("has no run.json; expected a run folder, such as runs/quickstart/latest"));
    let text = runs.path().join("text");
    std::fs::write(&text, "not weights").unwrap();
    assert!(
        refuse(&[&format!("model.init_from={}", text.display())])
            .contains("is no file of tensors; expected safetensors, ")
    );

    let source = run(&experiment(&[]), runs.path()).unwrap();
    let from = init_from(&source);
    let all = refuse(&[&from, "model.freeze=true"]);
    assert!(all.starts_with("freeze = true leaves nothing to train"), "{all}");
    const OTHER: &str =
        "model.layers=['flatten', { type = 'linear', out_features = 12 }, { type = 'linear', out_features = 10 }]";
    let nothing = refuse(&[INPUT, OTHER, &from]);
    assert!(nothing.contains("has no tensor that fits the network\nloaded nothing"), "{nothing}");
    assert!(nothing.contains("linear1.weight, which has the shape [10, 784] there and [12, 784] here"), "{nothing}");
    assert_eq!(std::fs::read_dir(none.path()).unwrap().count(), 0);
}

#[test]
fn a_warm_start_that_was_stopped_before_its_first_checkpoint_begins_again_with_the_same_weights_alone() {
    let runs = tempfile::tempdir().unwrap();
    let source = run(&experiment(&[]), runs.path()).unwrap();
    let whole = run(&experiment(&[&init_from(&source)]), &runs.path().join("whole")).unwrap();
    let lost = run(&experiment(&[&init_from(&source)]), &runs.path().join("lost")).unwrap();
    std::fs::remove_dir_all(lost.path().join("checkpoints")).unwrap();
    let path = lost.path().to_owned();
    assert_same(&whole, &go_on(lost, 20), "begun again");

    std::fs::remove_dir_all(path.join("checkpoints")).unwrap();
    let other = run(&experiment(&["seed=9"]), &runs.path().join("other")).unwrap();
    std::fs::remove_dir_all(source.path().join("checkpoints")).unwrap();
    std::fs::rename(other.path().join("checkpoints"), source.path().join("checkpoints")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let setup = crate::testing::setup(runs.path());
    let folder = RunFolder::open(&path).unwrap();
    let error = crate::resume(folder, None, None, &setup, &mut crate::Silent, &stop).unwrap_err().to_string();
    assert!(error.contains(" is not what the run began with: its SHA-256 is "), "{error}");

    std::fs::remove_dir_all(source.path().join("checkpoints")).unwrap();
    let error = run(&experiment(&[&init_from(&source)]), runs.path()).unwrap_err().to_string();
    assert!(error.ends_with("is not there; expected a checkpoint; the run was stopped before it saved one"), "{error}");
}
