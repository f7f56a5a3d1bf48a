//! `report` and `compare-runs`, as typed: every file, from whole run folders and from damaged ones.

mod comparison;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use backproof_tests::{backproof, copy_folder, json, latest, stderr, stdout};
use roxmltree::{Document, ParsingOptions};
use tempfile::TempDir;

const FIGURES: [&str; 17] = [
    "accuracy",
    "calibration",
    "classes",
    "confusion-counts",
    "confusion-percent",
    "dead-units",
    "kernels",
    "layer-gradients",
    "layer-updates",
    "learning-rate",
    "loss",
    "loss-with-weight-decay",
    "misclassified",
    "precision-recall",
    "roc",
    "training-true-positives",
    "true-positives",
];

/// A run of twenty iterations, made once.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    folder
});

/// A copy of the run, for a test to change.
fn run() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("run");
    copy_folder(&latest(RUN.path(), "quickstart"), &copy);
    (folder, copy)
}

fn edit(path: PathBuf, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "{} was not changed", path.display());
    fs::write(path, changed).unwrap();
}

/// The report of `run`, made anew: its page, and the warnings.
fn report(run: &Path) -> (String, String) {
    let _ = fs::remove_file(run.join("report.html"));
    let assert = backproof(run).args(["report", ".", "--data-dir", "no-data"]).assert().success();
    (page(&run.join("report.html")), stderr(&assert))
}

/// A page that is well-formed, so that no tag is left open, has each id once, and fetches nothing.
fn page(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options).unwrap_or_else(|error| panic!("{error}"));
    let mut ids = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for attribute in node.attributes() {
            let value = attribute.value();
            if matches!(attribute.name(), "src" | "href" | "action" | "srcset" | "data") {
                let is_inside = value.starts_with('#') || value.starts_with("data:image/png;base64,");
                // A comparison leads to reports beside it; only a click fetches them.
                let leads_to_a_report =
                    node.has_tag_name("a") && value.ends_with("/report.html") && !value.contains(':');
                assert!(is_inside || leads_to_a_report, "{value} is fetched");
            }
            assert!(!attribute.name().starts_with("on"), "{} is a script", attribute.name());
            if attribute.name() == "id" {
                ids.push(value);
            }
        }
        if node.has_tag_name("img") || node.attribute("role") == Some("img") {
            let said = node.attribute("alt").or(node.attribute("aria-labelledby"));
            assert!(said.is_some_and(|said| !said.is_empty()), "a picture says nothing to a screen reader");
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
    for word in ["@import", "url(http", "url(//", "fetch(", "XMLHttpRequest"] {
        assert!(!text.contains(word), "{word} fetches something");
    }
    text
}

#[test]
fn training_ends_with_a_report_of_every_part() {
    let run = latest(RUN.path(), "quickstart");
    let text = page(&run.join("report.html"));
    for id in ["training", "test", "probabilities", "mistakes", "first-convolution", "network", "repeat", "config"] {
        assert!(text.contains(&format!("<h2 id=\"{id}\">")), "there is no section {id}");
    }
    assert!(!text.contains("lacks something"));
    for words in [
        "14,682",
        "backproof train --smoke",
        "conv 16, 5×5, padding 2",
        "learning_rate = 0.05",
        "<td>flex (CPU",
        "<td>engine autodiff, instruction set ",
        "<td>kernel</td>",
        "faster for 10 outputs</td>",
    ] {
        assert!(text.contains(words), "{words} is not there");
    }
    assert!(text.contains("data:image/png;base64,"), "there are no images");
    for name in FIGURES {
        let svg = fs::read_to_string(run.join(format!("figures/{name}.svg"))).unwrap();
        assert!(text.contains(&format!("id=\"{name}\"")) || name.starts_with("confusion") || name == "misclassified");
        Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        let png = fs::read(run.join(format!("figures/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 4_000, "{name}.png is empty");
    }
    assert_eq!(fs::read_dir(run.join("figures")).unwrap().count(), 2 * FIGURES.len());
}

#[test]
fn the_same_run_gives_the_same_report() {
    let (_folder, run) = run();
    assert_eq!(report(&run).0, report(&run).0);
}

#[test]
fn strings_of_a_run_folder_are_text_and_never_markup() {
    let (_folder, run) = run();
    let evil = "<script>alert('evil')</script><img src=x onerror=alert(1)>|`c`";
    edit(run.join("run.json"), |text| {
        text.replace("\"quickstart\"", &format!("\"{evil}\"")).replace("\"train\"", &format!("\"{evil}\""))
    });
    edit(run.join("evaluation/result.json"), |text| {
        text.replace("\"class\": \"7\"", &format!("\"class\": \"{evil}\\u0000\""))
    });
    edit(run.join("config.toml"), |text| text + &format!("# {evil} ]]>\n"));
    fs::write(
        run.join("gradients.json"),
        format!(
            r#"{{"proven": true, "summary": "{evil}", "subjects": [{{"subject": "{evil}", "verdict": "{evil}"}}]}}"#
        ),
    )
    .unwrap();
    let (text, _) = report(&run);
    assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "a string became markup");
    // Heading, title, and at least a cell for the class in each table.
    assert!(text.matches("&lt;script&gt;alert").count() > 10);
    for name in FIGURES {
        let svg = fs::read_to_string(run.join(format!("figures/{name}.svg"))).unwrap();
        assert!(!svg.contains("<script") && !svg.contains("<img"), "{name}.svg");
        Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_proof_of_a_run_s_gradients_is_part_of_its_report() {
    let (_folder, run) = run();
    assert!(!report(&run).0.contains("Gradient proof"));
    backproof(&run).args(["compare-gradients", "-c", "config.toml", "--json", "gradients.json"]).assert().success();
    let (text, _) = report(&run);
    assert!(text.contains("Gradient proof") && text.contains(">Proven</b>"), "{text}");
    // A row for each tensor, a column for each source, and each gradient against its difference.
    for words in
        [">autodiff</th>", ">manual</th>", "<th scope=\"row\">conv1.weight</th>", "id=\"gradients-differences\""]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_config_may_ask_for_the_proof_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof_tests::train(folder.path(), &["check.gradients=true"]).arg("--smoke").assert().success();
    let text = stdout(&assert);
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no `{words}`: {text}"));
    assert!(
        place("gradients    proven: 42 of 42 gradients") < place("iteration"),
        "before the first iteration: {text}"
    );
    let run = latest(folder.path(), "quickstart");
    assert_eq!(json(&run.join("gradients.json"))["proven"], true);
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("Gradient proof"));
    assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("[check]\ngradients = true"));

    // A run that was killed before the file was written makes up for it.
    fs::remove_file(run.join("gradients.json")).unwrap();
    backproof(folder.path()).arg("resume").arg(&run).args(["--iterations", "25"]).assert().success();
    assert_eq!(json(&run.join("gradients.json"))["proven"], true);
}

#[test]
fn an_unfinished_run_has_a_report_of_what_is_there() {
    let (_folder, run) = run();
    fs::remove_dir_all(run.join("evaluation")).unwrap();
    edit(run.join("run.json"), |text| text.replace("\"done\"", "\"running\""));
    edit(run.join("metrics.jsonl"), |text| text[..text.len() - 20].to_owned());
    let (text, warnings) = report(&run);
    assert!(warnings.contains("warning: The run is not finished"), "{warnings}");
    assert!(text.contains("The last line of metrics.jsonl was cut"), "{text}");
    assert!(text.contains("id=\"loss\"") && !text.contains("id=\"test\""));
}

#[test]
fn what_is_damaged_is_named_and_the_rest_is_shown() {
    let cut = |text: String| text[..text.len() / 2].to_owned();
    let garbage = |_: String| "\u{0}<script>garbage".to_owned();
    type Damage<'a> = (&'a str, &'a dyn Fn(String) -> String, &'a str);
    let damages: [Damage<'_>; 8] = [
        ("evaluation/predictions.csv", &cut, "The confusion matrix and the misclassified images are missing"),
        ("evaluation/predictions.csv", &garbage, "The confusion matrix and the misclassified images are missing"),
        ("evaluation/result.json", &cut, "The test result is missing"),
        ("metrics.jsonl", &|text| text.replacen('{', "[", 2), "The curves are missing"),
        ("metrics.jsonl", &|_| String::new(), "no figures were reported"),
        ("config.toml", &cut, "The parameter table is missing"),
        ("config.toml", &garbage, "The parameter table is missing"),
        ("gradients.json", &|_| "{}".to_owned(), "The gradient proof is missing"),
    ];
    for (file, damage, sentence) in damages {
        let (_folder, run) = run();
        let path = run.join(file);
        fs::write(&path, damage(fs::read_to_string(&path).unwrap_or_default())).unwrap();
        let (text, warnings) = report(&run);
        assert!(warnings.contains(sentence), "{file}: {warnings}");
        assert!(text.contains(sentence) && text.contains("id=\"repeat\""), "{file}");
    }
}

/// A folder where a file is expected cannot be read by anybody, whatever the permissions.
#[test]
fn a_file_that_cannot_be_read_is_not_said_to_be_missing() {
    for (file, sentence, never) in [
        ("evaluation/result.json", "The test result is missing: cannot read", "is not there"),
        ("metrics.jsonl", "The curves are missing: cannot read", "no figures were reported"),
        ("gradients.json", "gradients.json cannot be read", "is damaged"),
    ] {
        let (folder, run) = run();
        let _ = fs::remove_file(run.join(file));
        fs::create_dir(run.join(file)).unwrap();
        let (text, warnings) = report(&run);
        assert!(warnings.contains(sentence) && !warnings.contains(never), "{file}: {warnings}");
        assert!(text.contains(sentence) && !text.contains(never), "{file}");
        let mut compare = backproof(folder.path());
        let warnings = stderr(&compare.arg("compare-runs").args([&run, &run]).assert().success());
        assert!(warnings.contains("warning: quickstart (run): ") && warnings.contains(sentence), "{file}: {warnings}");
        let page = fs::read_to_string(folder.path().join("comparison/comparison.html")).unwrap();
        assert!(page.contains(sentence) && !page.contains(never), "{file}");
    }
    let (folder, run) = run();
    edit(run.join("evaluation/result.json"), |text| text[..9].to_owned());
    let warnings = stderr(&backproof(folder.path()).arg("compare-runs").args([&run, &run]).assert().success());
    assert!(warnings.contains("warning: quickstart (run): The test result is missing: "), "{warnings}");
    assert!(!warnings.contains("is not there"), "{warnings}");
}

#[test]
fn a_log_that_cannot_be_read_is_not_said_to_be_silent() {
    let (_folder, run) = run();
    edit(run.join("run.json"), |text| text.replace("\"status\": \"done\"", "\"status\": \"failed\""));
    fs::remove_file(run.join("log.txt")).unwrap();
    fs::create_dir(run.join("log.txt")).unwrap();
    let (_, warnings) = report(&run);
    assert!(warnings.contains("The run failed: log.txt, which says why, cannot be read ("), "{warnings}");
}

/// No data set here has so many; the files of a run folder may say so all the same.
#[test]
fn a_thousand_classes_have_a_report_of_what_can_be_read() {
    let (_folder, run) = run();
    let result = run.join("evaluation/result.json");
    let mut value = backproof_tests::json(&result);
    let class = |class: usize| {
        let mut of = value["classes"][class % 10].clone();
        of["class"] = format!("class {class}").into();
        of
    };
    value["classes"] = (0..1_000).map(class).collect();
    fs::write(&result, value.to_string()).unwrap();
    let predictions = run.join("evaluation/predictions.csv");
    let rest = ",0.0".repeat(990);
    edit(predictions, |text| {
        let heads: String = (10..1_000).map(|class| format!(",p(class {class})")).collect();
        let mut lines = text.lines();
        let head = lines.next().unwrap().to_owned() + &heads + "\n";
        head + &lines.map(|line| format!("{line}{rest}\n")).collect::<String>()
    });
    let (text, warnings) = report(&run);
    assert!(warnings.contains("The confusion matrix of 1,000 classes is not drawn"), "{warnings}");
    assert!(text.contains("class 999") && text.contains("id=\"mistakes\"") && text.len() < 3_000_000, "{}", text.len());
    for words in [
        "The 20 of 1,000 classes with the lowest F1",
        "<summary>All 1,000 classes</summary>",
        "The pairs of classes that are confused most often",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!run.join("figures/confusion-counts.png").exists());
    assert!(run.join("figures/misclassified.png").exists());
}

#[test]
fn imbalanced_classes_have_a_balanced_accuracy_at_the_head() {
    let (_folder, run) = run();
    let result = run.join("evaluation/result.json");
    let keys = ["balanced_accuracy", "macro_precision", "macro_f1", "top_5_accuracy", "expected_calibration_error"];
    let value = json(&result);
    assert!(keys.iter().all(|key| value[key].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share))), "{value}");
    let (text, _) = report(&run);
    assert!(text.contains("Top-5 accuracy</dt>") && text.contains("Calibration error</dt>"));
    assert!(!text.contains("Balanced accuracy</dt>"), "the digits are balanced");
    // A file of an earlier version has none of these; the page has them all the same.
    let mut value = value;
    keys.iter().for_each(|key| drop(value.as_object_mut().unwrap().remove(*key)));
    value["classes"][0]["support"] = 2.into();
    fs::write(&result, value.to_string()).unwrap();
    let (text, _) = report(&run);
    assert!(text.contains("Top-5 accuracy</dt>") && text.contains("Balanced accuracy</dt>"), "{text}");
}

#[test]
fn the_temperature_is_fitted_on_the_validation_images_once_they_are_evaluated() {
    let (_folder, run) = run();
    assert!(report(&run).0.contains("was fitted on the test images themselves"));
    backproof(&run).args(["evaluate", ".", "--split", "validation"]).assert().success();
    let text = report(&run).0;
    assert!(text.contains("was fitted on the 500 validation images."), "{text}");
    // Those of other weights say nothing of these.
    edit(run.join("evaluation/validation/result.json"), |text| text.replace("\"iteration\": 20", "\"iteration\": 10"));
    assert!(report(&run).0.contains("was fitted on the test images themselves"));
    edit(run.join("evaluation/validation/result.json"), |text| text[..text.len() / 2].to_owned());
    let (text, warnings) = report(&run);
    let sentence = "The temperature is not fitted on the validation images: ";
    assert!(warnings.contains(sentence) && text.contains(sentence), "{warnings}");
}

#[test]
fn without_checkpoints_there_are_no_kernels() {
    let (_folder, run) = run();
    fs::write(run.join("checkpoints/last/weights.safetensors"), "cut").unwrap();
    assert!(report(&run).0.contains("of the best checkpoint"), "the best checkpoint stands in for the last");
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let (text, warnings) = report(&run);
    assert!(warnings.contains("The kernels of the first convolution are missing"), "{warnings}");
    assert!(!text.contains("id=\"kernels\"") && text.contains("id=\"mistakes\""));
}

#[test]
fn without_the_data_set_mistakes_are_listed_without_pictures() {
    let (_folder, run) = run();
    edit(run.join("config.toml"), |text| text.replace("\"mnist-sample\"", "\"mnist\""));
    let (text, warnings) = report(&run);
    assert!(warnings.contains("4 files of mnist are missing; `cargo xtask data fetch mnist`"), "{warnings}");
    assert!(text.contains("taken for") && !without_kept_images(&text).contains("<img"));
    assert!(run.join("figures/loss.png").is_file());
    assert!(!run.join("figures/misclassified.png").exists(), "the figure of an earlier report is left");
}

#[test]
fn pictures_are_only_shown_of_the_images_that_the_run_saw() {
    let (_folder, run) = run();
    edit(run.join("run.json"), |text| {
        text.replace("\"test-images-idx3-ubyte\": \"", "\"test-images-idx3-ubyte\": \"0")
    });
    let (text, warnings) = report(&run);
    assert!(warnings.contains("are not those that the run read"), "{warnings}");
    assert!(!without_kept_images(&text).contains("<img"));
}

/// A page without the section whose images the run has kept itself.
fn without_kept_images(page: &str) -> String {
    let (before, kept) = page.split_once("<section aria-labelledby=\"looks-at\">").unwrap();
    format!("{before}{}", kept.split_once("</section>").unwrap().1)
}

#[test]
fn a_run_without_a_record_is_refused() {
    let (_folder, run) = run();
    fs::write(run.join("run.json"), "{").unwrap();
    let assert = backproof(&run).args(["report", "."]).assert().code(1);
    assert!(stderr(&assert).contains("run.json cannot be read"), "{}", stderr(&assert));
    let assert = backproof(&run).args(["report", "nowhere"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no run folder nowhere"), "{}", stderr(&assert));
}
