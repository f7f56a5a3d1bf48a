//! Pages in a browser.

use std::path::PathBuf;
use std::process::Command;

use backproof_tests::sweeps::{folder_with, sweep, sweep_folder};
use backproof_tests::{backproof, latest, root};

/// axe-core finds nothing in a report, in a comparison and in the page of a sweep: wide and narrow, light and dark. The
/// tables of the last two sort, filter and highlight, and the curves of the report show their values.
pub(crate) fn axe_finds_no_violation_in_any_page() {
    let folder = folder_with(
        "[set]\ntraining.iterations = 40\ntraining.report_every = 10\n\
                              expect.test_accuracy = 0\n[grid]\noptimizer.learning_rate = [0.01, 0.05]\n",
    );
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let first = latest(folder.path(), "quickstart").canonicalize().unwrap();
    let set = ["--set", "training.iterations=300", "--set", "expect.test_accuracy=0", "--set", "engine=compiled"];
    backproof(folder.path()).arg("train").args(set).assert().success();
    let second = latest(folder.path(), "quickstart").canonicalize().unwrap();
    backproof(folder.path()).arg("compare-runs").args([&first, &second]).assert().success();
    // With the section of the gradients too.
    let mut command = backproof(folder.path());
    command.args(["compare-gradients", "--layer", "linear", "--cases", "2", "--hard-cases", "0", "--json"]);
    command.arg(second.join("gradients.json")).assert().success();
    backproof(folder.path()).arg("report").arg(&second).assert().success();
    sweep(folder.path()).assert().success();
    let pages = [
        second.join("report.html"),
        folder.path().join("comparison/comparison.html"),
        sweep_folder(folder.path()).join("comparison.html"),
    ];
    let (well, text) = axe(&pages);
    assert!(well && text.contains("3 pages, 12 looks, 0 violations"), "{text}");
    let (well, text) = browse("comparison.mjs", &pages[1..]);
    assert!(well && text.matches("2 rows").count() == 2, "{text}");
    let (well, text) = browse("report.mjs", &pages[..1]);
    assert!(well && text.contains("1 pages, 0 faults"), "{text}");

    // It finds what is there: an image without words, and a heading on a ground of nearly its colour.
    let bad = folder.path().join("bad.html");
    let page = std::fs::read_to_string(&pages[1]).unwrap();
    let page = page.replace(
        "<h2 ",
        "<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"/><h2 style=\"color: #999; background: #888\" ",
    );
    std::fs::write(&bad, page).unwrap();
    let (well, text) = axe(&[bad]);
    assert!(!well && text.contains("image-alt") && text.contains("color-contrast"), "{text}");
}

/// Pages of `explain`: every number is the sum of its terms, a walk through the backward pass has no wrong verdict, and
/// touch, keys, address and answers do what they say; axe-core finds nothing.
pub(crate) fn an_explanation_is_right_and_can_be_touched() {
    let folder = tempfile::tempdir().unwrap();
    let small = "model.layers=[{ type = \"conv2d\", out_channels = 4, kernel = 5 }, \"batch_norm\", \"gelu\", \
                 { type = \"max_pool2d\", kernel = 2 }, { type = \"residual\", body = [{ type = \"conv2d\", \
                 out_channels = 4, kernel = 3, padding = 1 }, \"relu\"], shortcut = \"identity\" }, \"flatten\", \
                 { type = \"linear\", out_features = 10 }]";
    let mut pages = Vec::new();
    for (name, more) in [("published", &[][..]), ("own", &["--set", "model.input=[1, 28, 28]", "--set", small])] {
        let mut command = backproof(folder.path());
        command
            .args(["train", "--smoke", "--name", name, "--set", "training.keep=[0, 10]"])
            .args(more)
            .assert()
            .success();
        let run = latest(folder.path(), name);
        backproof(folder.path()).arg("explain").arg(&run).arg("--batch-statistics").assert().success();
        pages.push(run.join("explain.html"));
    }
    for script in ["explain.mjs", "accessibility.mjs"] {
        let (well, text) = browse(script, &pages);
        assert!(well, "{text}");
        assert!(script != "explain.mjs" || text.matches(" 0 wrong").count() == 2, "{text}");
    }
}

/// Whether the accessibility of pages is well, and what the script prints.
fn axe(pages: &[PathBuf]) -> (bool, String) {
    browse("accessibility.mjs", pages)
}

/// Whether a script ends well, and what it prints.
fn browse(script: &str, pages: &[PathBuf]) -> (bool, String) {
    let mut command = Command::new("node");
    command.arg(root().join("tests/browser").join(script));
    let output = command.arg(std::env::var_os("BACKPROOF_TEST_BROWSER").unwrap()).args(pages).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}
