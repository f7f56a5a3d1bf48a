//! The settings of the published sources, as typed, on the bundled digits.

use std::fs;

use backproof_tests::{backproof, json, latest, stderr, stdout, train};

#[test]
fn a_run_with_the_settings_of_the_sources_restores_its_best_epoch_and_evaluates_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let set = [
        "name=sources",
        "model.name=mnist-baseline",
        "model.relu_gradient_at_zero=1",
        "optimizer.update=before-momentum",
        "training.averages=moving",
        "training.batch_size=64",
        "training.iterations=200",
        "training.report_every=10",
        "training.early_stopping.patience=1",
        "training.early_stopping.least_change=1000.0",
        "training.early_stopping.restore_best=true",
        "expect.test_accuracy=0.5",
    ];
    let text = stdout(&train(folder.path(), &set).assert().success());
    assert!(text.contains("ended early at iteration "), "{text}");
    let run = latest(folder.path(), "sources");
    let restored = json(&run.join("run.json"))["summary"]["restored"].clone();
    assert!(text.contains(&format!("the weights of iteration {restored}, the end of the best epoch, are restored\n")));
    let result = json(&run.join("evaluation/result.json"));
    assert_eq!(result["iteration"], restored);
    backproof(folder.path()).args(["evaluate", "runs/sources/latest"]).assert().success();
    assert_eq!(json(&run.join("evaluation/result.json")), result);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    for line in ["gradient_at_zero = 1", "update = \"before-momentum\"", "averages = \"moving\"", "restore_best = true"]
    {
        assert!(config.contains(line), "{line}:\n{config}");
    }
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
    assert_eq!(first["averages"], "moving");
}

#[test]
fn settings_that_cannot_be_are_usage_errors_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    for (set, message) in [
        (
            &["optimizer.kind=adam", "optimizer.update=before-momentum"][..],
            "`update` is not a key of the optimizer `adam`",
        ),
        (&["optimizer.update=before"], "unknown value `before` for `update`"),
        (&["model.relu_gradient_at_zero=2"], "`relu_gradient_at_zero` should be 0 or 1, got 2"),
        (
            &["model.batch_norm.momentum=0.01"],
            "`batch_norm` has no effect: `mnist-baseline` has no batch normalisation",
        ),
        (&["training.averages=mean"], "unknown value `mean` for `averages`"),
        (&["training.early_stopping.restore_best=yes"], "`restore_best` should be true or false, got the string"),
    ] {
        let text = stderr(&train(folder.path(), set).assert().code(2));
        assert!(text.contains(message), "{set:?}: {text}");
    }
    assert!(!folder.path().join("runs").exists());
}
