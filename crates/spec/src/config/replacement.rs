//! What was probably meant instead of a value of the wrong kind.

use super::document::{self, Node, Value};
use super::format::Kind;
use super::scalar::scalar;
use crate::DataSets;

/// The value as it is to be written, in words. It is parsed and checked first: only what the key takes is suggested.
pub(super) fn of(kind: &Kind, node: &Node, data_sets: &DataSets) -> Option<String> {
    let (words, written) = match &node.value {
        Value::Text(text) => {
            (if node.is_bare_text() { "write it as" } else { "without quotes:" }, unquoted(text.trim()))
        }
        Value::Integer(integer) if *integer > i128::from(u64::MAX) => ("the largest is", vec![u64::MAX.to_string()]),
        Value::Number(number) if number.fract() == 0.0 => ("write it as", vec![format!("{number:.0}")]),
        _ => ("", Vec::new()),
    };
    if let Some(written) = written.iter().find(|written| takes(kind, written, data_sets)) {
        return Some(format!("{words} {written}"));
    }
    match node.value {
        Value::Integer(_) | Value::Number(_) | Value::Flag(_) => {
            let quoted = format!("\"{}\"", node.describe());
            takes(kind, &quoted, data_sets).then(|| format!("in quotes: {quoted}"))
        }
        _ => None,
    }
}

/// What a text may be as a value: itself, or what TOML writes otherwise (`.01`, `007`, `True`).
fn unquoted(text: &str) -> Vec<String> {
    let integer = text.parse().ok().map(|number: i128| number.to_string());
    let number = text.parse().ok().map(|number: f64| format!("{number:?}"));
    // What follows a `#` would be a comment, and in a table on one line so would the rest of the table.
    let itself = Some(text.to_owned()).filter(|text| !text.contains('#'));
    [itself, integer, number, Some(text.to_lowercase())].into_iter().flatten().collect()
}

/// Whether a key of that kind takes what is `written`.
fn takes(kind: &Kind, written: &str, data_sets: &DataSets) -> bool {
    let Ok(table) = document::parse(&format!("v = {written}"), 0, 0) else { return false };
    let [entry] = &table[..] else { return false };
    match (kind, &entry.node.value) {
        (Kind::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
        (Kind::DataSet, Value::Text(text)) if let Some(names) = data_sets.names() => names.contains(&text.as_str()),
        _ => scalar(kind, &entry.node).is_some(),
    }
}
