//! What a run says of its layers: of a healthy one nothing, of broken ones what is wrong.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, latest, stderr};

/// Eight sigmoids in a row, each with a slope of a quarter or less.
const SIGMOIDS: &str = r#"
name = "sigmoids"
[data]
dataset = "mnist-sample"
[model]
input = [1, 28, 28]
layers = [
    "flatten",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 32 }, "sigmoid",
    { type = "linear", out_features = 10 },
]
[optimizer]
learning_rate = 0.01
[training]
iterations = 200
"#;

/// Trains, and gives the warnings, in one line, and the report.
fn train(folder: &Path, arguments: &[&str], name: &str) -> (String, String) {
    let assert = backproof(folder).arg("train").args(arguments).assert().success();
    let page = fs::read_to_string(latest(folder, name).join("report.html")).unwrap();
    (stderr(&assert).split_whitespace().collect::<Vec<_>>().join(" "), page)
}

#[test]
fn a_healthy_run_draws_its_layers_and_warns_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "training.iterations=300", "--set", "expect.test_accuracy=0"];
    let (warnings, page) = train(folder.path(), &set, "quickstart");
    assert!(!warnings.contains("warning"), "{warnings}");
    let section = section(&page, "layers");
    assert!(section.contains("id=\"layer-gradients\"") && section.contains("id=\"dead-units\""), "{section}");
    assert!(section.contains("class=\"marked\"") && !section.contains("class=\"wrong\""), "{section}");
    // Iterations 1, 100, 200 and 300.
    assert!(section.contains("\"iterations\":[1,100,200,300]"), "{section}");
    let looks_at = self::section(&page, "looks-at");
    assert_eq!(looks_at.matches("alt=\"saliency of test image").count(), 6);
    assert_eq!(looks_at.matches("alt=\"Grad-CAM of test image").count(), 6);
    assert!(looks_at.len() < 500_000);
}

#[test]
fn gradients_that_vanish_in_sigmoids_are_told_in_the_terminal_and_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sigmoids.toml");
    fs::write(&config, SIGMOIDS).unwrap();
    let (warnings, page) = train(folder.path(), &["-c", config.to_str().unwrap()], "sigmoids");
    assert!(warnings.contains("warning: linear1's gradient is 10"), "{warnings}");
    assert!(warnings.contains("times smaller than linear9's: it vanishes on its way back"), "{warnings}");
    assert!(section(&page, "layers").contains("it vanishes on its way back"));
    assert!(section(&page, "looks-at").contains("The network has no convolution, so there is no Grad-CAM."));
}

#[test]
fn relus_that_a_learning_rate_kills_are_told_in_the_terminal_and_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["optimizer.learning_rate=2", "training.iterations=300", "expect.test_accuracy=0"];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let (warnings, page) = train(folder.path(), &set, "quickstart");
    assert!(warnings.contains(" % of relu2's channels are dead"), "{warnings}");
    assert!(warnings.contains("are dead: zero for all 256 images of the probe."), "{warnings}");
    assert!(section(&page, "layers").contains("are dead: zero for all 256 images of the probe."));
}

#[test]
fn both_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--smoke", "--set", "training.layers_every=0", "--set", "evaluation.explained_images=0"];
    let (_, page) = train(folder.path(), &set, "quickstart");
    assert!(!page.contains("id=\"layers\"") && !page.contains("id=\"looks-at\""));
    let run = latest(folder.path(), "quickstart");
    assert!(!run.join("layers.jsonl").exists() && !run.join("evaluation/explained.safetensors").exists());
}

/// A section of a page.
fn section(page: &str, id: &str) -> String {
    let start = page.find(&format!("<section aria-labelledby=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    let end = page[start..].find("</section>").unwrap();
    page[start..start + end].to_owned()
}
