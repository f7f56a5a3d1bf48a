//! The colours of verdicts on a terminal.

use std::io::IsTerminal;

use backproof_gradcheck::Verdict;
use comfy_table::Color;

use crate::terminal::{GREEN, RED, RESET, YELLOW};

/// What is proven is green, what is wrong is red, and what is neither is yellow.
pub(super) fn colour(verdict: &str) -> Color {
    match Verdict::ALL.into_iter().find(|known| known.to_string() == verdict) {
        Some(verdict) if verdict.proven() => Color::Green,
        Some(verdict) if verdict.is_fault() => Color::Red,
        _ => Color::Yellow,
    }
}

/// The text with its verdicts in colour, where stdout is a terminal that wants it.
pub(super) fn painted(text: &str) -> String {
    if !backproof::error::colour(std::io::stdout().is_terminal()) {
        return text.to_owned();
    }
    // A verdict is a word in capitals, between spaces or before a line's end.
    let verdicts: Vec<String> = Verdict::ALL.iter().map(Verdict::to_string).collect();
    let word = |word: &str| match verdicts.iter().any(|verdict| verdict == word) {
        true => format!("{}{word}{RESET}", escape(colour(word))),
        false => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn escape(colour: Color) -> &'static str {
    match colour {
        Color::Green => GREEN,
        Color::Red => RED,
        _ => YELLOW,
    }
}
