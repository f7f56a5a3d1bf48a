//! Figures and tables for papers, as typed: `--figures`, `--no-title`, `--dpi`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use backproof_tests::sweeps::{folder_with, sweep, sweep_folder};
use backproof_tests::{backproof, copy_folder, json, latest, stderr, stdout};
use roxmltree::Document;
use tempfile::TempDir;

/// Each figure, and whether it holds images.
const FIGURES: [(&str, bool); 17] = [
    ("accuracy", false),
    ("calibration", false),
    ("classes", false),
    ("confusion-counts", false),
    ("confusion-percent", false),
    ("dead-units", false),
    ("kernels", true),
    ("layer-gradients", false),
    ("layer-updates", false),
    ("learning-rate", false),
    ("loss", false),
    ("loss-with-weight-decay", false),
    ("misclassified", true),
    ("precision-recall", false),
    ("roc", false),
    ("training-true-positives", false),
    ("true-positives", false),
];
const TABLES: [&str; 5] = ["classes.tex", "confusion.tex", "metrics.csv", "parameters.tex", "results.tex"];
/// In millimetres.
const WIDTHS: [f64; 2] = [84.0, 174.0];
const POINTS_IN_A_MILLIMETRE: f64 = 72.0 / 25.4;

/// A run of twenty iterations with all of it, made once.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let mut train = backproof(folder.path());
    let assert = train.args(["train", "--smoke", "--figures", "pdf,svg,png", "--dpi", "150"]).assert().success();
    let text = stdout(&assert);
    assert!(text.contains("for a paper  ") && text.contains("  tables     metrics.csv, results.tex"), "{text}");
    for (name, _) in FIGURES {
        assert!(text.replace('\n', " ").contains(name), "{name} is not named in\n{text}");
    }
    folder
});

fn figures() -> PathBuf {
    latest(RUN.path(), "quickstart").join("figures")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(figures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A copy of the run, for a test to change.
fn run() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("run");
    copy_folder(&latest(RUN.path(), "quickstart"), &copy);
    (folder, copy)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What stands between the first `before` in a file and the next `after`.
fn between(file: &[u8], before: &str, after: &str) -> String {
    let text = String::from_utf8_lossy(file);
    let rest = text.split_once(before).unwrap_or_else(|| panic!("there is no {before}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

fn count(file: &[u8], words: &str) -> usize {
    String::from_utf8_lossy(file).matches(words).count()
}

#[test]
fn a_figure_as_pdf_is_one_page_of_its_width_with_its_font_and_no_pixels_but_images() {
    for (name, has_images) in FIGURES {
        for width in WIDTHS {
            let file = bytes(&format!("{name}-{width}mm.pdf"));
            assert!(file.starts_with(b"%PDF-1."), "{name}");
            assert_eq!((count(&file, "/Type/Page/"), between(&file, "/Type/Pages/Count ", "/").as_str()), (1, "1"));
            let corners = between(&file, "/MediaBox[", "]");
            let corners: Vec<f64> = corners.split(' ').map(|number| number.parse().unwrap()).collect();
            assert_eq!(corners[..2], [0.0, 0.0]);
            assert!((corners[2] / POINTS_IN_A_MILLIMETRE - width).abs() < 0.1, "{name}: {corners:?}");
            assert!(corners[3] < 180.0 * POINTS_IN_A_MILLIMETRE, "{name} is higher than a page: {corners:?}");
            // A subset has six letters before its name.
            let font = between(&file, "/FontName/", "/");
            assert!(font.len() == 19 && font.ends_with("+Ubuntu-Light"), "{font}");
            assert_eq!((count(&file, "/Type/FontDescriptor"), count(&file, "/FontFile2 ")), (1, 1), "{name}");
            assert_eq!(count(&file, "/Subtype/Image") > 0, has_images, "{name}");
            assert_eq!(count(&file, "/Interpolate true"), 0, "{name}: a viewer would blur it");
        }
    }
}

#[test]
fn a_figure_as_svg_has_all_text_in_8_points_and_its_width_in_millimetres() {
    for (name, _) in FIGURES {
        for width in WIDTHS {
            let text = fs::read_to_string(figures().join(format!("{name}-{width}mm.svg"))).unwrap();
            let document = Document::parse(&text).unwrap();
            let svg = document.root_element();
            assert_eq!(svg.attribute("width"), Some(format!("{width:.3}mm").as_str()));
            let view = svg.attribute("viewBox").unwrap().split(' ').nth(2).unwrap().parse::<f64>().unwrap();
            let points = 13.0 * width * POINTS_IN_A_MILLIMETRE / view;
            assert!((points - 8.0).abs() < 0.01, "{name}: {points}");
            // The last rule for the size of text is for all, and no element has another.
            let style = document.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
            let last = style.rsplit_once("font-size").unwrap();
            assert!(last.0.ends_with(".fig text, .fig .title, .fig .small { ") && last.1.starts_with(": 13px;"));
            for node in document.descendants() {
                let said = [node.attribute("style"), node.attribute("transform")].into_iter().flatten();
                said.for_each(|said| {
                    assert!(!said.contains("font-size") && !said.contains("scale("), "{name}: {said}")
                });
            }
            assert!(!style.contains("prefers-color-scheme"), "{name} is dark for some");
        }
    }
}

#[test]
fn a_figure_as_png_has_its_pixels_and_says_how_many_there_are_to_a_metre() {
    for (name, _) in FIGURES {
        for width in WIDTHS {
            let file = bytes(&format!("{name}-{width}mm.png"));
            let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
            assert_eq!(f64::from(number(16)), (width / 25.4 * 150.0).round(), "{name}");
            let at = file.windows(4).position(|it| it == b"pHYs").unwrap() + 4;
            // 150 / 0.0254 m, along and up; 1 is for metres.
            assert_eq!((number(at), number(at + 4), file[at + 8]), (5906, 5906, 1), "{name}");
        }
    }
}

#[test]
fn a_report_has_the_formats_that_were_asked_for_and_no_others() {
    let (_folder, run) = run();
    let report = |arguments: &[&str]| {
        backproof(&run).args(["report", "."]).args(arguments).assert().success();
        names(&run.join("figures"))
    };
    assert_eq!(report(&[]).len(), 2 * FIGURES.len());
    let with_pdf = report(&["--figures", "pdf", "--no-title"]);
    assert_eq!(with_pdf.len(), 4 * FIGURES.len() + TABLES.len());
    assert!(TABLES.iter().all(|table| with_pdf.contains(&(*table).to_owned())), "{with_pdf:?}");
    assert!(with_pdf.contains(&"loss-84mm.pdf".to_owned()) && !with_pdf.contains(&"loss-84mm.png".to_owned()));
    // The same, without the line of the title: 20 units of which 13 are 8 points.
    let height =
        |file: &[u8]| -> f64 { between(file, "/MediaBox[0 0 ", "]").split(' ').nth(1).unwrap().parse().unwrap() };
    let [with, without] = [bytes("loss-84mm.pdf"), fs::read(run.join("figures/loss-84mm.pdf")).unwrap()];
    assert!((height(&with) - height(&without) - 20.0 * 8.0 / 13.0).abs() < 0.01);
    let from_variable = backproof(&run).env("BACKPROOF_FIGURES", "svg,png").args(["report", "."]).assert().success();
    assert!(stdout(&from_variable).contains("as png, svg"), "{}", stdout(&from_variable));
}

#[test]
fn the_same_run_gives_the_same_files() {
    let (_folder, run) = run();
    backproof(&run).args(["report", ".", "--figures", "pdf,svg,png", "--dpi", "150"]).assert().success();
    for name in names(&figures()) {
        let file = fs::read(run.join("figures").join(&name)).unwrap();
        // Tables name the run's folder.
        assert!(file == bytes(&name) || name.ends_with(".tex"), "{name} differs");
    }
}

#[test]
fn metrics_csv_has_every_number_of_metrics_jsonl() {
    let text = String::from_utf8(bytes("metrics.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let reports = fs::read_to_string(latest(RUN.path(), "quickstart").join("metrics.jsonl")).unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    assert_eq!(rows.len(), reports.lines().count());
    for (row, report) in rows.iter().zip(reports.lines()) {
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
        assert!(keys.iter().all(|key| head.contains(&key.as_str())), "{keys:?} and {head:?}");
        for (name, cell) in head.iter().zip(row) {
            match &report[*name] {
                serde_json::Value::Number(number) => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{name}"),
                serde_json::Value::Null if *name == "averages" => assert_eq!(*cell, "plain"),
                other => assert!(other.is_null() && cell.is_empty(), "{name}: {other} and {cell}"),
            }
        }
    }
    let started = "iteration,epoch,learning_rate,classification_loss,weight_decay_loss,total_loss,training_accuracy,";
    assert!(text.starts_with(started), "{text}");
}

/// The cells of the rows of a table; what is escaped is no separator.
fn cells(table: &str) -> Vec<Vec<String>> {
    let rows = table.lines().filter_map(|line| line.strip_suffix(r" \\"));
    rows.map(|row| row.replace(r"\&", "AND").split(" & ").map(str::to_owned).collect()).collect()
}

#[test]
fn tables_say_what_the_run_says_and_escape_the_names_of_classes() {
    let (_folder, run) = run();
    let result = run.join("evaluation/result.json");
    let mut value = json(&result);
    for (class, name) in ["a & b", r"50% of $5 #1_x {y} ~z ^u \v", "naïve\n<b>", "[c]", "猫"].into_iter().enumerate()
    {
        value["classes"][class]["class"] = name.into();
    }
    fs::write(&result, value.to_string()).unwrap();
    let assert = backproof(&run).args(["report", ".", "--figures", "svg"]).assert().success();
    let warning = "warning: The font of the figures for papers has no 猫: these letters are boxes.";
    assert!(stderr(&assert).contains(warning), "{}", stderr(&assert));
    let table = |name: &str| fs::read_to_string(run.join("figures").join(name)).unwrap();
    for (name, columns) in [("classes.tex", 7), ("confusion.tex", 11), ("parameters.tex", 4), ("results.tex", 2)] {
        let text = table(name);
        assert!(cells(&text).iter().all(|row| row.len() == columns), "{name}: {text}");
        let escaped = text.replace(r"\{", "").replace(r"\}", "");
        assert_eq!(escaped.matches('{').count(), escaped.matches('}').count(), "{name}: {text}");
        for rule in [r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}"] {
            assert!(text.contains(rule), "{name} has no {rule}");
        }
    }
    let classes = table("classes.tex");
    for written in [
        r"a \& b & ",
        r"50\% of \$5 \#1\_x \{y\} \textasciitilde{}z \textasciicircum{}u \textbackslash{}v & ",
        r"naïve \textless{}b\textgreater{} & ",
        "{[}c{]} & ",
        "% that has all letters of the table",
    ] {
        assert!(classes.contains(written), "{written} is not in\n{classes}");
    }
    let results = cells(&table("results.tex"));
    let of = |name: &str| &results.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name}"))[1];
    assert_eq!(*of(r"accuracy (\%)"), format!("{:.2}", 100.0 * value["accuracy"].as_f64().unwrap()));
    for (name, key) in [
        (r"balanced accuracy (\%)", "balanced_accuracy"),
        (r"top-5 accuracy (\%)", "top_5_accuracy"),
        (r"macro precision (\%)", "macro_precision"),
        (r"macro F1 (\%)", "macro_f1"),
        (r"expected calibration error (\%)", "expected_calibration_error"),
    ] {
        assert_eq!(*of(name), format!("{:.2}", 100.0 * value[key].as_f64().unwrap()), "{name}");
    }
    assert_eq!(*of("loss"), format!("{:.4}", value["loss"].as_f64().unwrap()));
    assert_eq!((of("parameters").as_str(), of("iterations").as_str()), ("14,682", "20"));
    let confusion = cells(&table("confusion.tex"));
    let images: usize =
        confusion[1..].iter().flat_map(|row| &row[1..]).map(|cell| cell.parse::<usize>().unwrap()).sum();
    assert_eq!(images, 500);
}

#[test]
fn a_run_without_a_test_result_has_the_figures_and_tables_of_its_training() {
    let (_folder, run) = run();
    fs::remove_dir_all(run.join("evaluation")).unwrap();
    let assert = backproof(&run).args(["report", ".", "--figures", "pdf"]).assert().success();
    assert!(stderr(&assert).contains("warning: There is no test result"), "{}", stderr(&assert));
    assert!(stdout(&assert).contains("  tables     metrics.csv, parameters.tex\n"), "{}", stdout(&assert));
    let names = names(&run.join("figures"));
    assert!(names.contains(&"loss-84mm.pdf".to_owned()) && !names.iter().any(|name| name.starts_with("confusion")));
}

#[test]
fn a_hundred_classes_have_a_matrix_of_shades_in_print() {
    let (_folder, run) = run();
    let result = run.join("evaluation/result.json");
    let mut value = json(&result);
    let class = |class: usize| {
        let mut of = value["classes"][class % 10].clone();
        of["class"] = format!("a long name, class {class}").into();
        of
    };
    value["classes"] = (0..100).map(class).collect();
    fs::write(&result, value.to_string()).unwrap();
    let predictions = run.join("evaluation/predictions.csv");
    let text = fs::read_to_string(&predictions).unwrap();
    let rest = ",0.0".repeat(90);
    let heads: String = (10..100).map(|class| format!(",p({class})")).collect();
    let lines = text.lines().enumerate();
    let lines: Vec<String> =
        lines.map(|(line, text)| format!("{text}{}", if line == 0 { &heads } else { &rest })).collect();
    fs::write(&predictions, lines.join("\n") + "\n").unwrap();
    let assert = backproof(&run).args(["report", ".", "--figures", "svg"]).assert().success();
    assert!(stderr(&assert).contains("The confusion matrix of 100 classes is not drawn on the page"));
    for width in WIDTHS {
        let text = fs::read_to_string(run.join(format!("figures/confusion-percent-{width}mm.svg"))).unwrap();
        let document = Document::parse(&text).unwrap();
        let of = |class: &str| document.descendants().filter(|it| it.attribute("class") == Some(class)).count();
        assert!(of("right") + of("wrong") > 10 && of("middle") == 0, "a cell has a number");
        assert!(text.contains("a long name") && !text.contains("id=\"confusion-counts\""));
    }
    assert!(!run.join("figures/confusion.tex").exists() && run.join("figures/classes.tex").exists());
}

#[test]
fn compared_runs_have_their_figures_and_a_table_with_deviations() {
    let (folder, run) = run();
    let seed = folder.path().join("seed");
    copy_folder(&run, &seed);
    for (file, from, to) in [("config.toml", "seed = 1", "seed = 2"), ("run.json", "\"seed\": 1", "\"seed\": 2")] {
        let text = fs::read_to_string(seed.join(file)).unwrap();
        fs::write(seed.join(file), text.replace(from, to)).unwrap();
    }
    let mut compare = backproof(folder.path());
    let assert = compare.args(["compare-runs", "run", "seed", "--figures", "pdf"]).assert().success();
    assert!(stdout(&assert).contains("  tables     comparison.tex\n"), "{}", stdout(&assert));
    let made = folder.path().join("comparison/figures");
    let file = fs::read(made.join("validation-accuracy-84mm.pdf")).unwrap();
    assert!(file.starts_with(b"%PDF-1.") && count(&file, "/Subtype/Image") == 0);
    let table = fs::read_to_string(made.join("comparison.tex")).unwrap();
    assert!(table.contains("sample standard deviation over the seeds") && table.contains(r" $\pm$ 0.00 & "), "{table}");
    assert!(
        cells(&table)[1][..2] == ["1", "quickstart"] && cells(&table)[0].len() == cells(&table)[1].len(),
        "{table}"
    );
}

#[test]
fn the_page_of_a_sweep_has_figures_too() {
    let folder = folder_with(
        "seeds = [1, 2]\n[set]\ntraining.iterations = 20\nexpect.test_accuracy = 0\n\
         [grid]\noptimizer.momentum = [0.8, 0.9]\n",
    );
    let assert = sweep(folder.path()).args(["--figures", "pdf"]).assert().success();
    assert!(stdout(&assert).contains("  tables     comparison.tex\n"), "{}", stdout(&assert));
    let made = sweep_folder(folder.path()).join("figures");
    assert!(made.join("training-loss-174mm.pdf").is_file());
    let table = fs::read_to_string(made.join("comparison.tex")).unwrap();
    assert!(table.starts_with("% Sweep ") && table.matches(r" $\pm$ ").count() >= 4, "{table}");
}

#[test]
fn what_cannot_be_made_is_refused_with_what_can() {
    let run = latest(RUN.path(), "quickstart");
    for (arguments, words) in [
        (["--figures", "gif"], "possible values: pdf, svg, png"),
        (["--figures", ""], "possible values: pdf, svg, png"),
        (["--dpi", "0"], "0 is not in 36..=1200"),
        (["--dpi", "many"], "invalid digit found in string"),
        (["--dpi", "-300"], "-300 is not in 36..=1200"),
    ] {
        let assert = backproof(&run).args(["report", "."]).args(arguments).assert().code(2);
        assert!(stderr(&assert).contains(words), "{arguments:?}: {}", stderr(&assert));
    }
    // No folder can be made under a file, whoever asks.
    let arguments = ["compare-runs", ".", ".", "--figures", "pdf", "--output", "run.json/comparison"];
    let assert = backproof(&run).args(arguments).assert().code(1);
    let text = stderr(&assert);
    assert!(text.contains("error: cannot write ") && text.contains("run.json/comparison"), "{text}");
}
