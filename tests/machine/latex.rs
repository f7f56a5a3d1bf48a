//! Tables and figures of a run in a document of LaTeX.

use std::fs;
use std::process::Command;

use backproof_tests::{backproof, json, latest};

/// Names of classes with all that LaTeX reads as a command, set by pdfLaTeX on a page with two columns.
pub(crate) fn every_table_and_figure_compiles_whatever_classes_are_called() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let result = run.join("evaluation/result.json");
    let mut value = json(&result);
    let evil = [
        r"a & b % c $ d # e _ f { g } h ~ i ^ j \ k",
        r"\input{/etc/passwd}",
        "[x] *y* -- ?` !` ``q''",
        "<|>\"",
        "Ångström, naïve, Łódź, Œuvre",
        "–—…±×·−→°µ",
        "α to ω",
        "}",
        "\\",
        "%",
    ];
    for (class, name) in evil.into_iter().enumerate() {
        value["classes"][class]["class"] = name.into();
    }
    fs::write(&result, value.to_string()).unwrap();
    backproof(&run).args(["report", ".", "--figures", "pdf"]).assert().success();
    let figures = run.join("figures");
    let mut document = "\\documentclass[twocolumn]{article}\n\\usepackage[T1]{fontenc}\n".to_owned();
    document += "\\usepackage{booktabs,graphicx}\n\\begin{document}\n";
    for table in ["results", "classes", "confusion", "parameters"] {
        document += &format!("\\begin{{table*}}\\centering\\tiny\\input{{{table}}}\\end{{table*}}\n");
    }
    document += "\\includegraphics{loss-84mm}\\includegraphics{misclassified-84mm}\n\\end{document}\n";
    fs::write(figures.join("page.tex"), document).unwrap();
    let arguments = ["-interaction=nonstopmode", "-halt-on-error", "page.tex"];
    let output = Command::new("pdflatex").args(arguments).current_dir(&figures).output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && figures.join("page.pdf").is_file(), "{log}");
    assert!(!log.contains("Missing character") && !log.contains("undefined"), "{log}");
}
