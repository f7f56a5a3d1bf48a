//! Networks with residual layers: the commands as typed.

use std::fs;

use backproof_tests::{backproof, latest, root, stdout, train, xtask};

/// Each shortcut, and one residual layer inside of another.
const LAYERS: &str = r#"model.layers=[
    { type = "conv2d", out_channels = 6, kernel = 3, stride = 2, padding = 1, bias = false },
    "batch_norm",
    "relu",
    { type = "residual", body = [
        { type = "conv2d", out_channels = 6, kernel = 3, padding = 1, bias = false },
        "batch_norm",
        "relu",
        { type = "residual", body = [{ type = "conv2d", out_channels = 6, kernel = 3, padding = 1 }, "relu"] },
    ] },
    "relu",
    { type = "residual", body = [
        { type = "conv2d", out_channels = 9, kernel = 3, stride = 2, padding = 1, bias = false },
        "batch_norm",
    ], shortcut = "zero-padding" },
    { type = "residual", body = [
        "relu",
        { type = "dropout", probability = 0.1 },
        { type = "conv2d", out_channels = 4, kernel = 3, padding = 1 },
    ], shortcut = [{ type = "conv2d", out_channels = 4, kernel = 1 }, "batch_norm"] },
    "flatten",
    { type = "linear", out_features = 10 },
]"#;

#[test]
fn all_three_engines_train_a_residual_network_alike() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |engine: &str| -> Vec<f64> {
        let engine = format!("engine={engine}");
        let set = [
            &engine,
            "model.input=[1, 28, 28]",
            &LAYERS.replace('\n', " "),
            "training.iterations=20",
            "training.report_every=1",
            "expect.test_accuracy=0",
        ];
        train(folder.path(), &set).assert().success();
        let metrics = fs::read_to_string(latest(folder.path(), "quickstart").join("metrics.jsonl")).unwrap();
        let losses = metrics.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        losses.filter_map(|line| line["classification_loss"].as_f64()).collect()
    };
    let autodiff = losses("autodiff");
    assert_eq!(autodiff.len(), 20);
    for engine in ["manual", "compiled"] {
        for (step, (a, m)) in autodiff.iter().zip(losses(engine)).enumerate() {
            assert!((a - m).abs() < 1e-3 * a.abs(), "step {step}: {a} by autodiff, {m} by engine {engine}");
        }
    }
    // The last run has what a report shows, and its config reads back.
    let run = latest(folder.path(), "quickstart");
    backproof(folder.path()).args(["evaluate", "runs/quickstart/latest"]).assert().success();
    backproof(folder.path()).args(["report", "runs/quickstart/latest"]).assert().success();
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("body.residual1") && page.contains("shortcut.conv1"), "the rows of inner layers");
}

#[test]
fn params_shows_inner_layers_below_theirs() {
    let text = stdout(&xtask().args(["params", "resnet-20"]).assert().success());
    let find =
        |line: &str| text.lines().any(|it| it.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(line));
    assert!(find("residual4 residual, zero-padding 32×16×16 – – –"), "{text}");
    assert!(find("body.conv1 conv 32, 3×3, stride 2, padding 1, no bias 32×16×16 4,608 – 4,608"), "{text}");
    assert!(text.contains("269,722\n\nand 1,376 running statistics, not trained\n"), "{text}");
}

#[test]
fn the_gradients_of_a_residual_network_are_proven_and_its_mutants_killed() {
    let config = root().join("tests/fixtures/weights/residual.toml");
    let config = config.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for dtype in ["f64", "f32"] {
        let arguments = ["compare-gradients", "-c", config, "--mutants", "--dtype", dtype];
        let text = stdout(&backproof(folder.path()).args(arguments).assert().success());
        assert!(text.contains("proven") && !text.contains("NOT PROVEN") && !text.contains("survived"), "{text}");
    }
}
