//! The templates, part of the program, and their filters. Everything is escaped as HTML unless a template says `safe`.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::ReportError;

/// Name and text of each file of `templates/`.
macro_rules! templates {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../templates/", $name)))),*] };
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // By the kind of text and not by the name of the file: SVG needs the same escapes as HTML.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.add_filter("thousands", backproof_spec::thousands);
    environment.add_filter("percent", |share: f64| format!("{:.2}", 100.0 * share));
    environment.add_filter("percent1", |share: f64| format!("{:.1}", 100.0 * share));
    environment.add_filter("fixed", |number: f64, decimals: usize| format!("{number:.decimals$}"));
    for (name, text) in templates![
        "figure.svg",
        "theme.css",
        "paper.css",
        "axes.svg",
        "grid.svg",
        "curves.js",
        "chart.svg",
        "confusion.svg",
        "kernels.svg",
        "mistakes.svg",
        "mistakes-paper.svg",
        "class-bars.svg",
        "share-chart.svg",
        "calibration.svg",
        "steps.svg",
        "page.css",
        "page.js",
        "page.html",
        "macros.html",
        "report.html",
        "comparison.html",
        "comparison.js",
        "tables.js",
        "scatter.svg",
        "rate-range.svg",
        "judged.html",
        "class.html",
        "sections/training.html",
        "sections/test.html",
        "sections/probabilities.html",
        "sections/mistakes.html",
        "sections/samples.html",
        "sections/layers.html",
        "sections/looks_at.html",
        "sections/kernels.html",
        "sections/network.html",
        "sections/gradients.html",
        "sections/provenance.html",
        "explain.css",
        "explain.html",
        "attribution.svg",
        "explained.html",
    ] {
        environment.add_template(name, text).expect("the tests render every template");
    }
    environment
});

/// The template `name` filled in with `context`; NUL and the like are left out.
pub(crate) fn render(name: &str, context: impl Serialize) -> Result<String, ReportError> {
    Ok(printable(&ENVIRONMENT.get_template(name)?.render(Value::from(Serde(context)))?))
}

/// `text` without the characters that XML cannot hold.
pub(crate) fn printable(text: &str) -> String {
    let is_printable = |c: &char| matches!(c, '\t' | '\n') || !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(is_printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(printable("a\0\u{1b}[1mb\u{ffff}\n<é>"), "a[1mb\n<é>");
    }
}
