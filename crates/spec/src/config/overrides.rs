//! `--set key.path=value`: changes to the tree before it is checked, so that they obey the same rules as the file.

use super::document::{self, Entry, Node, Span, SyntaxError, Table, Value};
use super::format::{Kind, Section};
use super::keys::{EXPERIMENT, OPTIMIZER};
use crate::published;

/// A value for a key, wherever it was written.
#[derive(Debug, Clone)]
pub(super) struct Override {
    /// From the top of the config; items of an array by number, from 0.
    pub(super) path: Vec<Segment>,
    pub(super) node: Node,
}

/// One part of a key with dots.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) span: Span,
}

impl Override {
    /// Reads `key.path=value`, source number `source`.
    pub(super) fn parse(text: &str, source: usize) -> Result<Self, SyntaxError> {
        let whole = Span { source, start: 0, end: text.len() };
        let Some(equals) = text.find('=') else {
            return Err(SyntaxError {
                message: "an override is `key.path=value`, and this has no `=`".to_owned(),
                span: whole,
            });
        };
        let path = parse_path(&text[..equals], source)?;
        let node = parse_value(text, equals + 1, source, holds_text(&path))?;
        Ok(Self { path, node })
    }

    /// Puts the values into `root`. Keys that are not there are made, and refused later if no config may have them.
    ///
    /// `model.name` replaces a network that is spelled out, and `model.layers` or `model.input` drops the name of the
    /// one that they change. `training.iterations` and `training.epochs` drop each other. `optimizer.kind` drops the
    /// keys of the file that the new kind does not have. Among the overrides themselves the last of two that exclude
    /// each other counts, and a network's own name, layers and input may come in any order.
    pub(super) fn apply_all<'a>(
        overrides: impl IntoIterator<Item = &'a Self, IntoIter: Clone>,
        root: &mut Table,
    ) -> Result<(), SyntaxError> {
        let overrides = overrides.into_iter();
        for given in overrides.clone() {
            match given.names()[..] {
                ["model", "name"] => drop_from(root, "model", &["layers", "input"]),
                ["model", "layers" | "input", ..] => drop_from(root, "model", &["name"]),
                ["optimizer", "kind"] => drop_keys_of_other_kinds(root, &given.node),
                _ => {}
            }
        }
        for given in overrides {
            match given.names()[..] {
                ["model", "name"] if is_published(&given.node) => drop_from(root, "model", &["layers", "input"]),
                ["model", "layers" | "input", ..] => drop_published_name(root),
                ["training", "iterations"] => drop_from(root, "training", &["epochs"]),
                ["training", "epochs"] => drop_from(root, "training", &["iterations"]),
                _ => {}
            }
            insert(root, &given.path, given.node.clone())?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.path.iter().map(|segment| segment.name.as_str()).collect()
    }

    /// The key as one writes it, `optimizer.learning_rate`.
    pub(super) fn key(&self) -> String {
        self.names().join(".")
    }
}

/// No config goes this deep, and recursion that far is safe.
pub(super) const DEEPEST: usize = 16;

fn parse_path(text: &str, source: usize) -> Result<Vec<Segment>, SyntaxError> {
    let mut start = 0;
    let mut path = Vec::new();
    for part in text.split('.') {
        let name = part.trim();
        let name_start = start + (part.len() - part.trim_start().len());
        let span = Span { source, start: name_start, end: name_start + name.len() };
        if !is_key(name) {
            return Err(SyntaxError { message: format!("`{name}` is not a key"), span });
        }
        if path.len() == DEEPEST {
            return Err(SyntaxError { message: format!("a key has at most {DEEPEST} parts"), span });
        }
        path.push(Segment { name: name.to_owned(), span });
        start += part.len() + 1;
    }
    Ok(path)
}

/// Whether `name` could be a key, or the number of an item.
pub(super) fn is_key(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// What the key at `path` of `section` holds, of a key that is there and no table of keys itself.
pub(super) fn kind_at(section: &'static Section, path: &[Segment]) -> Option<&'static Kind> {
    let [segment, below @ ..] = path else { return None };
    let of_kinds = section.kinds.iter().flat_map(|kinds| kinds.variants).flat_map(|kind| kind.keys);
    match &section.keys.iter().chain(of_kinds).find(|key| key.name == segment.name)?.kind {
        Kind::Section(inner) => kind_at(inner, below),
        kind => below.is_empty().then_some(kind),
    }
}

/// Whether the key at `path` holds a string and nothing else.
fn holds_text(path: &[Segment]) -> bool {
    matches!(kind_at(&EXPERIMENT, path), Some(Kind::Name | Kind::DataSet | Kind::Path | Kind::Choice(_)))
}

/// The value from byte `start` on: as TOML, or else as a bare string. A key that `holds_text` takes `42` and
/// `2024-01-01` as texts. Quotes around the whole value are TOML's in both cases.
fn parse_value(text: &str, start: usize, source: usize, holds_text: bool) -> Result<Node, SyntaxError> {
    const BEFORE: &str = "v = ";
    let value = text[start..].trim();
    let start = start + (text[start..].len() - text[start..].trim_start().len());
    let offset = start as isize - BEFORE.len() as isize;
    let bare = Node { span: Span { source, start, end: start + value.len() }, value: Value::Text(value.to_owned()) };
    if holds_text && !value.starts_with(['"', '\'']) {
        return Ok(bare);
    }
    // More than one entry: the value had a newline and a further key in it.
    match document::parse(&format!("{BEFORE}{value}"), source, offset) {
        Ok(mut table) if table.len() == 1 => Ok(table.remove(0).node),
        Err(error) if value.starts_with(['[', '{', '"', '\'']) => Err(error),
        Ok(_) | Err(_) => Ok(bare),
    }
}

fn drop_from(root: &mut Table, section: &str, keys: &[&str]) {
    if let Some(Value::Table(section)) =
        root.iter_mut().find(|entry| entry.key == section).map(|entry| &mut entry.node.value)
    {
        section.retain(|entry| !keys.contains(&entry.key.as_str()));
    }
}

fn is_published(name: &Node) -> bool {
    matches!(&name.value, Value::Text(name) if name == published::AUTO || published::by_name(name).is_some())
}

/// Of a network that is spelled out after it was named.
fn drop_published_name(root: &mut Table) {
    let model = root.iter().find(|entry| entry.key == "model").map(|entry| &entry.node.value);
    let Some(Value::Table(model)) = model else { return };
    if model.iter().any(|entry| entry.key == "name" && is_published(&entry.node)) {
        drop_from(root, "model", &["name"]);
    }
}

/// Only of the file: a key of another kind among the overrides is a mistake to be told of.
fn drop_keys_of_other_kinds(root: &mut Table, kind: &Node) {
    let Value::Text(kind) = &kind.value else { return };
    if OPTIMIZER.kind(kind).is_none() {
        return; // Which is refused later, as the file would be.
    }
    if let Some(Value::Table(optimizer)) =
        root.iter_mut().find(|entry| entry.key == OPTIMIZER.path).map(|entry| &mut entry.node.value)
    {
        optimizer.retain(|entry| {
            let kinds = OPTIMIZER.kinds_with(&entry.key);
            entry.key_span.source > 0 || kinds.is_empty() || kinds.contains(&kind.as_str())
        });
    }
}

fn insert(table: &mut Table, path: &[Segment], node: Node) -> Result<(), SyntaxError> {
    let [segment, rest @ ..] = path else {
        return Ok(());
    };
    let index = table.iter().position(|entry| entry.key == segment.name);
    if rest.is_empty() {
        if let Some(index) = index {
            table.remove(index);
        }
        table.push(Entry { key: segment.name.clone(), key_span: segment.span, node });
        return Ok(());
    }
    let index = index.unwrap_or_else(|| {
        table.push(Entry {
            key: segment.name.clone(),
            key_span: segment.span,
            node: Node { span: segment.span, value: Value::Table(Vec::new()) },
        });
        table.len() - 1
    });
    insert_below(&mut table[index].node, segment, rest, node)
}

fn insert_below(parent: &mut Node, segment: &Segment, rest: &[Segment], node: Node) -> Result<(), SyntaxError> {
    // `schedule = "cosine"` is short for a table with that type.
    if let Value::Text(text) = &parent.value {
        let kind = Node { span: parent.span, value: Value::Text(text.clone()) };
        parent.value = Value::Table(vec![Entry { key: "type".to_owned(), key_span: parent.span, node: kind }]);
    }
    match &mut parent.value {
        Value::Table(table) => insert(table, rest, node),
        Value::Array(items) => {
            let [index, below @ ..] = rest else {
                return Ok(());
            };
            let count = items.len();
            let item = index.name.parse().ok().and_then(|n: usize| items.get_mut(n));
            let Some(item) = item else {
                return Err(SyntaxError {
                    message: format!(
                        "`{}` has {}, counted from 0; there is no `{}`",
                        segment.name,
                        crate::counted(count, "item"),
                        index.name
                    ),
                    span: index.span,
                });
            };
            if below.is_empty() {
                *item = node;
                return Ok(());
            }
            // What is wrong with the item as a whole is now the override's doing.
            item.span = Span { source: node.span.source, start: 0, end: node.span.end };
            insert_below(item, index, below, node)
        }
        _ => Err(SyntaxError { message: format!("`{}` is a value and has no keys", segment.name), span: segment.span }),
    }
}
