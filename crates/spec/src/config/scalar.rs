//! Values that are no tables: what a key of each kind takes.

use super::document::{Node, Value};
use super::format::{Kind, Range};
use super::record::Checked;
use crate::{Color, Shape, Size2};

/// The value of `node` for a key of that kind, or nothing if the key does not take it.
pub(super) fn scalar(kind: &Kind, node: &Node) -> Option<Checked> {
    match (kind, &node.value) {
        (Kind::Name | Kind::DataSet, Value::Text(text)) if is_name(text) => Some(Checked::Text(text.clone())),
        (Kind::Path, Value::Text(text)) if !text.is_empty() => Some(Checked::Text(text.clone())),
        (Kind::Flag, Value::Flag(flag)) => Some(Checked::Flag(*flag)),
        (Kind::Integer { least }, Value::Integer(integer)) => {
            u64::try_from(*integer).ok().filter(|integer| integer >= least).map(Checked::Integer)
        }
        (Kind::OneOf(numbers), Value::Integer(integer)) => {
            u64::try_from(*integer).ok().filter(|integer| numbers.contains(integer)).map(Checked::Integer)
        }
        (Kind::Color, Value::Text(text)) => Color::parse(text).map(|color| Checked::Text(color.to_string())),
        (Kind::Number(range), _) => number(*range, node).map(Checked::Number),
        (Kind::Size { least }, Value::Integer(integer)) => {
            dimension(*integer, *least).map(|side| Checked::Size(Size2::square(side)))
        }
        (Kind::Size { least }, Value::Array(items)) => match dimensions(items, *least)?[..] {
            [height, width] => Some(Checked::Size(Size2::new(height, width))),
            _ => None,
        },
        (Kind::ClassWeights, Value::Text(text)) if text == BALANCED => Some(Checked::Text(text.clone())),
        (Kind::ClassWeights, Value::Array(items)) if !items.is_empty() => weights(items).map(Checked::Numbers),
        (Kind::Patterns, Value::Text(text)) if !text.is_empty() => Some(Checked::Texts(vec![text.clone()])),
        (Kind::Patterns, Value::Array(items)) if !items.is_empty() => texts(items).map(Checked::Texts),
        (Kind::Iterations, Value::Array(items)) => {
            dimensions(items, 0).filter(|counts| counts.is_sorted_by(|one, next| one < next)).map(Checked::Counts)
        }
        (Kind::Shape, Value::Array(items)) => Shape::from_dimensions(&dimensions(items, 1)?).map(Checked::Shape),
        _ => None,
    }
}

/// The word for weights that make all classes count equally.
pub(super) const BALANCED: &str = "balanced";

fn weights(items: &[Node]) -> Option<Vec<f64>> {
    items.iter().map(|item| number(Range::POSITIVE, item)).collect()
}

fn texts(items: &[Node]) -> Option<Vec<String>> {
    let text = |item: &Node| match &item.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect()
}

fn number(range: Range, node: &Node) -> Option<f64> {
    let number = match node.value {
        Value::Number(number) => number,
        Value::Integer(integer) => integer as f64,
        _ => return None,
    };
    range.contains(number).then_some(number)
}

fn dimensions(items: &[Node], least: u64) -> Option<Vec<usize>> {
    items
        .iter()
        .map(|item| match item.value {
            Value::Integer(integer) => dimension(integer, least),
            _ => None,
        })
        .collect()
}

fn dimension(integer: i128, least: u64) -> Option<usize> {
    usize::try_from(integer).ok().filter(|&side| side as u64 >= least)
}

/// A name is a folder's name on every system: letters, digits, `-`, `_` and `.`, the last not in front.
pub(super) fn is_name(text: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(valid) && !text.starts_with('.') && !text.ends_with('.')
}
