//! The section on what the write-ups got wrong.

use backproof_spec::counted;

use super::collect::Collection;
use super::schema::{Comparison, Mistake};
use super::steps::paired;
use super::steps_page::{interval, points};
use super::words::{cell, p_value};
use crate::markdown_code;
use crate::paired::LEVEL;

pub(super) fn section(mistakes: &[Mistake], collection: &Collection) -> String {
    if mistakes.is_empty() {
        return String::new();
    }
    let mut text =
        "\n## What other write-ups got wrong\n\nMistakes in the documents, each with the commands that show it here.\n"
            .to_owned();
    for mistake in mistakes {
        text += &format!("\n### {}\n\n{}\n", cell(&mistake.what), cell(&mistake.why));
        if let Some(comparison) = &mistake.comparison {
            text += &format!("\n{}\n", compared(comparison, collection));
        }
        if !mistake.checks.is_empty() {
            text += &format!("\n```sh\n{}\n```\n", mistake.checks.join("\n"));
        }
    }
    text
}

fn compared(comparison: &Comparison, collection: &Collection) -> String {
    let Comparison { name, from, to } = comparison;
    let (from, to, name) = (markdown_code(from), markdown_code(to), cell(name));
    let Some(paired) = paired(comparison, collection) else {
        return format!("{name}: {from} and {to} have no common seeds yet.");
    };
    let verdict = if paired.p < LEVEL { "The difference is real." } else { "It is not told apart from noise." };
    format!(
        "{name}: the test accuracy with {to} less that with {from} is {} percentage points (95 % interval {}, paired over \
         {}, p {}). {verdict}",
        points(paired.mean),
        interval(&paired),
        counted(paired.differences.len(), "seed"),
        p_value(paired.p)
    )
}
