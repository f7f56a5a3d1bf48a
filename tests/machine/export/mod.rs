//! Exported networks in the programs that they are for.

mod cases;

use std::path::Path;
use std::process::Command;

use backproof_tests::{backproof, root, stdout};
use serde_json::Value;

use crate::needs::any_python;

/// Every published network and every layer, each exported into a folder, and `script` on all folders.
fn exported_cases_agree(script: &str) {
    cases::check_that_every_layer_has_a_case();
    let folder = tempfile::tempdir().unwrap();
    let cases = cases::cases();
    for (number, case) in cases.iter().enumerate() {
        let own = folder.path().join(&case.name);
        std::fs::create_dir(&own).unwrap();
        case.export(&own, number);
    }
    let text = python(folder.path(), &[root().join(script).to_str().unwrap(), "."]);
    assert!(text.ends_with(&format!("{} exports, all equal\n", cases.len())), "{text}");
    println!("{text}");
}

/// What a script in a folder says.
fn python(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(any_python()).args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// ONNX's own checks, and the logits of ONNX Runtime for batches of 1 and 7.
pub(crate) fn onnx_runtime_computes_the_logits_of_every_network_and_every_layer() {
    exported_cases_agree("tests/onnx/check_exports.py");
}

/// The folders' own `check.py`.
pub(crate) fn pytorch_computes_the_logits_of_every_network_and_every_layer() {
    exported_cases_agree("tests/pytorch/check_exports.py");
}

/// With each loss, the file gives the probabilities that `predict` gives, and the README's five lines the class.
pub(crate) fn a_picture_has_the_probabilities_of_predict_in_onnx_runtime() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, code) = readme.split_once("```python\n").expect("the README has a script");
    let (script, _) = code.split_once("```").unwrap();
    for loss in ["cross-entropy", "mean-squared-error", "binary-cross-entropy"] {
        let folder = tempfile::tempdir().unwrap();
        let set = format!("training.loss={loss}");
        let run = "runs/quickstart/latest";
        let digit = root().join("tests/fixtures/digits/7.png");
        std::fs::copy(&digit, folder.path().join("digit.png")).unwrap();
        backproof(folder.path()).args(["train", "--smoke", "--set", &set]).assert().success();
        let flags = ["export", run, "digits.onnx", "--normalize=u8", "--probabilities"];
        backproof(folder.path()).args(flags).assert().success();
        let predict = ["predict", run, "digit.png", "--top", "10", "--json"];
        let told: Value =
            serde_json::from_str(&stdout(&backproof(folder.path()).args(predict).assert().success())).unwrap();
        let told = &told["predictions"][0];
        let class = told["class"].as_str().unwrap();

        let said = python(folder.path(), &["-c", script]);
        let (found, probability) = said.trim().split_once(' ').unwrap();
        assert_eq!(found, class, "{loss}");
        let expected = told["probability"].as_f64().unwrap();
        assert!((probability.parse::<f64>().unwrap() - expected).abs() < 1e-5, "{loss}: {said}, not {expected}");
    }
}
