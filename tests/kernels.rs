//! Which layers are on the CPU kernels, as typed: what is said of those that are not, and that the activations are.

use std::fs;
use std::path::Path;

use backproof_kernels::Isa;
use backproof_tests::{backproof, json, latest, stderr, stdout, train, xtask};

/// A config of the bundled digits with these layers, in a file of the folder.
fn config(folder: &Path, name: &str, layers: &str) {
    let text = format!(
        "[data]\ndataset = \"mnist-sample\"\n[model]\ninput = [1, 28, 28]\nlayers = [{layers}]\n[optimizer]\n\
         learning_rate = 0.05\n[training]\niterations = 20\nbatch_size = 8\nreport_every = 1\n"
    );
    fs::write(folder.join(name), text).unwrap();
}

const HEAD: &str = r#""flatten", { type = "linear", out_features = 10 }"#;

/// Every activation with a kernel, after convolutions and a linear layer.
const ACTIVATIONS: &str = r#"
    { type = "conv2d", out_channels = 4, kernel = 3, stride = 2 }, "gelu",
    { type = "conv2d", out_channels = 5, kernel = 3 }, "batch_norm", { type = "gelu", approximate = "tanh" },
    { type = "max_pool2d", kernel = 2 }, "silu",
    { type = "conv2d", out_channels = 6, kernel = 2 }, "elu", "softplus", "prelu",
    "flatten", { type = "linear", out_features = 12 }, "tanh", "leaky_relu", "sigmoid",
    { type = "linear", out_features = 10 },
"#;

#[test]
fn config_check_names_the_layers_without_a_kernel() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), "all.toml", ACTIVATIONS);
    config(folder.path(), "norms.toml", &format!(r#"{{ type = "group_norm", groups = 1 }}, "layer_norm", {HEAD}"#));
    let check = |set: &[&str], files: &[&str]| {
        let mut command = xtask();
        command.args(["config", "check"]).args(files.iter().map(|file| folder.path().join(file)));
        command.args(set.iter().flat_map(|set| ["--set", set]));
        command.assert()
    };
    let text = stdout(&check(&[], &["all.toml", "norms.toml"]).success());
    let said: Vec<&str> = text.lines().map(|line| line.split_once(".toml: ").unwrap().1).collect();
    let slow = "there is no CPU kernel for norm1 (group norm, 1 group), norm2 (layer norm): operations of Burn compute \
                them, which is slow";
    assert_eq!(said, ["all is valid", "norms is valid", slow]);
    // Nobody wants kernels then.
    assert!(!stdout(&check(&["kernels=off"], &["norms.toml"]).success()).contains("no CPU kernel"));
    let text = stderr(&check(&["engine=compiled"], &["norms.toml"]).code(2));
    let refused =
        "norms.toml: engine = \"compiled\" cannot train this: there is no kernel for norm1 (group norm, 1 group)";
    assert!(text.contains(refused) && text.contains("help: `engine = \"manual\"` trains it"), "{text}");
    // A sweep says it once, however many of its runs it holds for.
    let sweep = "base = 'norms.toml'\n[grid]\noptimizer.learning_rate = [0.01, 0.02]\n";
    fs::write(folder.path().join("sweep.toml"), sweep).unwrap();
    let text = stdout(&check(&[], &["sweep.toml"]).success());
    assert!(text.contains("sweep is valid: 2 runs at 2 points\n") && text.matches(slow).count() == 1, "{text}");
}

#[test]
fn train_warns_of_a_layer_without_a_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let layers = format!(r#"model.layers=["layer_norm", {HEAD}]"#);
    let warns = |set: &str| {
        let set = ["model.input=[1, 28, 28]", &layers, "training.iterations=2", "expect.test_accuracy=0", set];
        let assert = train(folder.path(), &set).assert().success();
        let log = fs::read_to_string(latest(folder.path(), "quickstart").join("log.txt")).unwrap();
        let warning =
            "warning: there is no CPU kernel for norm1 (layer norm): operations of Burn compute it, which is slow";
        let said = stderr(&assert).contains(warning);
        assert_eq!(log.contains(warning), said, "{log}");
        said
    };
    assert!(warns("kernels=auto"));
    assert!(!warns("kernels=off") && !warns("engine=manual"), "no kernels are wanted");
}

#[test]
fn a_network_of_all_activations_is_proven_on_the_kernels_and_trains_as_by_autodiff() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), "all.toml", ACTIVATIONS);
    let arguments = ["compare-gradients", "-c", "all.toml", "--json", "found.json"];
    backproof(folder.path()).args(arguments).assert().success();
    let found = json(&folder.path().join("found.json"));
    let rows = found["checks"][0]["report"]["rows"].as_array().unwrap().clone();
    for isa in Isa::available() {
        let source = format!("kernels {isa}");
        let of_slope = rows.iter().find(|row| row["source"] == source && row["tensor"] == "prelu1.weight");
        assert!(of_slope.is_some(), "{source} has no gradient of the slope");
    }
    let losses = |engine: &str| -> Vec<f64> {
        let set = format!("engine={engine}");
        backproof(folder.path()).args(["train", "-c", "all.toml", "--set", &set]).assert().success();
        let text = fs::read_to_string(latest(folder.path(), "all").join("metrics.jsonl")).unwrap();
        let loss = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["classification_loss"].as_f64();
        text.lines().map(|line| loss(line).unwrap()).collect()
    };
    let (compiled, autodiff) = (losses("compiled"), losses("autodiff"));
    assert_eq!(compiled.len(), 20);
    for (step, (c, a)) in compiled.iter().zip(&autodiff).enumerate() {
        assert!((c - a).abs() < 1e-4 * a, "step {step}: {c} by the plan, {a} by autodiff");
    }
}
