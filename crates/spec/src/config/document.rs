//! A TOML text as a tree in which every key and value knows where it stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A range of bytes in one of the sources: 0 is the file, n the n-th override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub(super) source: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Number(f64),
    Flag(bool),
    /// A date or a time, or a number that does not fit: nothing that a config has a use for.
    Other(&'static str),
    Array(Vec<Node>),
    Table(Table),
}

/// The entries of a table, in the order of the file.
pub(super) type Table = Vec<Entry>;

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
}

/// What the parser says, and where.
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) span: Span,
}

/// Parses `text` as source number `source`. Byte `i` of `text` is byte `i + offset` of that source; `offset` may be
/// negative, when `text` has something put in front of it.
pub(super) fn parse(text: &str, source: usize, offset: isize) -> Result<Table, SyntaxError> {
    let place = Place { source, offset };
    match DeTable::parse(text) {
        Ok(table) => Ok(place.table(table.into_inner())),
        Err(error) => {
            let range = error.span().unwrap_or(0..0);
            Err(SyntaxError { message: one_line(error.message()), span: place.span(range) })
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    source: usize,
    offset: isize,
}

impl Place {
    fn span(self, range: std::ops::Range<usize>) -> Span {
        Span {
            source: self.source,
            start: range.start.saturating_add_signed(self.offset),
            end: range.end.saturating_add_signed(self.offset),
        }
    }

    fn table(self, table: DeTable<'_>) -> Table {
        let mut entries: Table = table
            .into_iter()
            .map(|(key, value)| Entry {
                key_span: self.span(key.span()),
                key: key.into_inner().into_owned(),
                node: self.node(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        entries
    }

    fn node(self, value: Spanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Value::Other("an integer out of range"), Value::Integer),
            DeValue::Float(float) => {
                float.as_str().parse().map_or(Value::Other("a number out of range"), Value::Number)
            }
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(_) => Value::Other("a date or time"),
            DeValue::Array(array) => Value::Array(array.into_iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node { span, value }
    }
}

/// The parser's messages may have several lines.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

impl Node {
    /// Whether this is text without quotes around it, as an override may have it: quotes would be part of the span.
    pub(super) fn is_bare_text(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text.len() == self.span.end - self.span.start)
    }

    /// A value as an error shows it: `the string "abc"`, `-1`, `a table`.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the string {text:?}"),
            Value::Integer(integer) => integer.to_string(),
            Value::Number(number) => format!("{number:?}"),
            Value::Flag(flag) => flag.to_string(),
            Value::Other(what) => (*what).to_owned(),
            Value::Array(items) => described(items),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// An array with its first items: `[1, 2, …]`.
fn described(items: &[Node]) -> String {
    const SHOWN: usize = 4;
    let is_plain = |item: &Node| !matches!(item.value, Value::Array(_) | Value::Table(_));
    if !items.iter().all(is_plain) {
        return "an array".to_owned();
    }
    let bare = |item: &Node| match &item.value {
        Value::Text(text) => format!("{text:?}"),
        _ => item.describe(),
    };
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(bare).collect();
    if items.len() > SHOWN {
        shown.push("…".to_owned());
    }
    format!("[{}]", shown.join(", "))
}
