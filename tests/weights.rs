//! Weights and logits that go to other frameworks and come back, as typed.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_tests::{backproof, json, latest, root, stderr, stdout};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/weights").join(name)
}

/// A short run of the fixture's network, which has batch normalisation.
fn run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "-c"]).arg(fixture("config.toml")).assert().success();
    folder
}

fn evaluate(folder: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["evaluate", "runs/small/latest"]).args(arguments);
    command
}

/// The f32 elements of a tensor.
fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let bytes = file.tensor(name).unwrap().data().to_vec();
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn integers(file: &SafeTensors<'_>, name: &str) -> Vec<i64> {
    let bytes = file.tensor(name).unwrap().data().to_vec();
    bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()
}

#[test]
fn logits_are_those_of_the_probabilities_and_images_those_of_the_network() {
    let folder = run();
    evaluate(folder.path(), &["--logits", "logits.safetensors"]).assert().success();
    let bytes = fs::read(folder.path().join("logits.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shapes = ["indices", "labels", "logits", "images"].map(|name| file.tensor(name).unwrap().shape().to_vec());
    assert_eq!(shapes, [vec![500], vec![500], vec![500, 10], vec![64, 1, 28, 28]]);

    let csv = fs::read_to_string(latest(folder.path(), "small").join("evaluation/predictions.csv")).unwrap();
    let (logits, indices, labels) = (floats(&file, "logits"), integers(&file, "indices"), integers(&file, "labels"));
    for (n, row) in csv.lines().skip(1).enumerate() {
        let fields: Vec<f64> = row.split(',').map(|field| field.parse().unwrap()).collect();
        assert_eq!((indices[n] as f64, labels[n] as f64), (fields[0], fields[1]));
        let exponentials: Vec<f64> = logits[10 * n..][..10].iter().map(|&logit| f64::from(logit).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        for (expected, found) in fields[3..].iter().zip(exponentials) {
            assert!((expected - found / sum).abs() < 1e-9, "row {n}");
        }
    }
    // The background of a digit is black, so the smallest number is (0 − mean) / std.
    let normalizer = json(&latest(folder.path(), "small").join("normalizer.json"));
    let number = |name: &str| normalizer[name][0].as_f64().unwrap();
    let black = f64::from(floats(&file, "images").into_iter().fold(f32::INFINITY, f32::min));
    assert!((black + number("mean") / number("std")).abs() < 1e-6, "{black}");
}

#[test]
fn a_checkpoints_weights_are_a_weights_file_and_give_the_same_logits() {
    let folder = run();
    evaluate(folder.path(), &["--logits", "one.safetensors"]).assert().success();
    let weights = "runs/small/latest/checkpoints/last/weights.safetensors";
    evaluate(folder.path(), &["--logits", "two.safetensors", "--weights", weights]).assert().success();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("one.safetensors") == read("two.safetensors"));
}

#[test]
fn weights_that_pytorch_saved_are_evaluated_and_leave_the_run_as_it_was() {
    let folder = run();
    let result = latest(folder.path(), "small").join("evaluation/result.json");
    let before = json(&result);
    let weights = fixture("pytorch.safetensors");
    let text = stdout(&evaluate(folder.path(), &["--json", "--weights", weights.to_str().unwrap()]).assert().success());
    let printed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(printed["iteration"], Value::Null);
    assert_ne!(printed["loss"], before["loss"]);
    assert_eq!(json(&result), before);
    let digit = root().join("tests/fixtures/digits/0.png");
    let mut predict = backproof(folder.path());
    predict.args(["predict", "runs/small/latest", "--weights"]).arg(&weights).arg(digit).assert().success();
}

/// The tensors of `pytorch.safetensors`, except the counters, in bfloat16: an f32 without its lower half. `name` says
/// what each is called.
fn in_half_precision(name: impl Fn(usize, &str) -> String) -> Vec<u8> {
    let bytes = fs::read(fixture("pytorch.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.iter().filter(|(_, view)| view.dtype() == Dtype::F32).enumerate();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|(index, (tensor, view))| {
            let halves = view.data().as_chunks().0.iter().flat_map(|&[_, _, low, high]| [low, high]);
            (name(index, tensor), view.shape().to_vec(), halves.collect())
        })
        .collect();
    let views =
        tensors.iter().map(|(name, shape, bytes)| (name, TensorView::new(Dtype::BF16, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn weights_in_half_precision_with_the_prefix_of_a_wrapper_are_read_and_the_prefix_is_said() {
    let folder = run();
    let file = folder.path().join("half.safetensors");
    fs::write(&file, in_half_precision(|_, tensor| format!("module._orig_mod.{tensor}"))).unwrap();
    let note = "note: removed the prefix `module._orig_mod.` from the name of every tensor\n";
    let accuracy = |weights: &Path| {
        let assert = evaluate(folder.path(), &["--json", "--weights", weights.to_str().unwrap()]).assert().success();
        let printed: Value = serde_json::from_str(&stdout(&assert)).unwrap();
        (printed["loss"].as_f64().unwrap(), stderr(&assert))
    };
    let ((half, said), (full, silent)) = (accuracy(&file), accuracy(&fixture("pytorch.safetensors")));
    // Eight bits that count: the loss is close, and is another.
    assert!((half - full).abs() < 0.02 * full && half != full, "{half} and {full}");
    assert!(said.contains(note) && !silent.contains("prefix"), "{said}{silent}");

    let mut predict = backproof(folder.path());
    predict.args(["predict", "runs/small/latest", "--weights", "half.safetensors"]);
    let digit = root().join("tests/fixtures/digits/0.png");
    assert!(stderr(&predict.arg(digit).assert().success()).contains(note));

    let mut train = backproof(folder.path());
    train.args(["train", "--smoke", "--name", "warm", "--set", "model.init_from=half.safetensors", "-c"]);
    train.arg(fixture("config.toml")).assert().success();
    let log = fs::read_to_string(latest(folder.path(), "warm").join("log.txt")).unwrap();
    assert!(
        log.contains("removed the prefix `module._orig_mod.` from the name of every tensor\nloaded conv1"),
        "{log}"
    );
    let record = json(&latest(folder.path(), "warm").join("run.json"));
    assert_eq!(record["warm_start"]["removed_prefix"], "module._orig_mod.");
    assert_eq!(record["warm_start"]["skipped"], Value::Array(Vec::new()));
}

#[test]
fn a_prefix_that_only_some_tensors_have_is_refused_with_the_file() {
    let folder = run();
    let mixed =
        in_half_precision(|index, tensor| if index == 0 { tensor.to_owned() } else { format!("model.{tensor}") });
    fs::write(folder.path().join("mixed.safetensors"), mixed).unwrap();
    let mut train = backproof(folder.path());
    train.args(["train", "--smoke", "--set", "model.init_from=mixed.safetensors", "-c"]).arg(fixture("config.toml"));
    for mut command in [train, evaluate(folder.path(), &["--weights", "mixed.safetensors"])] {
        let text = stderr(&command.assert().code(1));
        assert!(text.contains("mixed.safetensors does not fit the network"), "{text}");
        assert!(text.contains("caused by: only some tensors have the prefix `model.`: model."), "{text}");
    }
}

#[test]
fn a_weights_file_that_does_not_fit_is_refused_by_name() {
    let folder = run();
    fs::write(folder.path().join("text.safetensors"), "not weights").unwrap();
    let assert = evaluate(folder.path(), &["--weights", "text.safetensors"]).assert().code(1);
    assert!(
        stderr(&assert).contains("text.safetensors is no file of tensors; expected safetensors, "),
        "{}",
        stderr(&assert)
    );
    let other = root().join("tests/fixtures/layers/linear.safetensors");
    let assert = evaluate(folder.path(), &["--weights", other.to_str().unwrap()]).assert().code(1);
    let text = stderr(&assert);
    assert!(text.contains("linear.safetensors does not fit the network"), "{text}");
    assert!(text.contains("caused by: the weights lack conv1.weight, norm1.weight"), "{text}");
    evaluate(folder.path(), &["--weights", "none.safetensors"]).assert().code(1);
    evaluate(folder.path(), &["--weights", "text.safetensors", "--checkpoint", "best"]).assert().code(2);
}
