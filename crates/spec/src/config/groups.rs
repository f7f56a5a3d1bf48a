//! What a group of parameters takes over from `[optimizer]`, in the tree, so that it obeys the same rules.

use super::document::{Entry, Node, Span, Table, Value};
use super::keys::{GROUP, OPTIMIZER};

/// Puts into each `[[optimizer.groups]]` what it does not say: the kind, the learning rate, the warm-up and the
/// schedule of `[optimizer]`; and where the kind is the same, the numbers that go with it.
pub(super) fn inherit(root: &mut Table) {
    let Some(optimizer) = root.iter_mut().find(|entry| entry.key == OPTIMIZER.path) else { return };
    let Value::Table(optimizer) = &mut optimizer.node.value else { return };
    let kind = kind_of(optimizer).unwrap_or_else(default_kind);
    let base: Table = optimizer.iter().filter(|entry| entry.key != "kind").cloned().collect();
    let Some(groups) = optimizer.iter_mut().find(|entry| entry.key == "groups") else { return };
    let Value::Array(groups) = &mut groups.node.value else { return };
    for group in groups {
        let Value::Table(group) = &mut group.value else { continue };
        if kind_of(group).is_none() {
            group.push(kind.clone());
        }
        let same = kind_of(group).map(|own| text(&own)) == Some(text(&kind));
        let of_kind = OPTIMIZER.kind(&text(&kind)).map_or(&[][..], |kind| kind.keys);
        let taken = base.iter().filter(|entry| {
            let is = |keys: &[super::Key]| keys.iter().any(|key| key.name == entry.key);
            is(GROUP.keys) || (same && is(of_kind))
        });
        for entry in taken {
            if !group.iter().any(|own| own.key == entry.key) {
                group.push(entry.clone());
            }
        }
    }
}

fn kind_of(table: &Table) -> Option<Entry> {
    table.iter().find(|entry| entry.key == "kind").cloned()
}

fn text(entry: &Entry) -> String {
    match &entry.node.value {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn default_kind() -> Entry {
    let nowhere = Span { source: 0, start: 0, end: 0 };
    let name = OPTIMIZER.default_kind().map_or("", |kind| kind.name);
    let node = Node { span: nowhere, value: Value::Text(name.to_owned()) };
    Entry { key: "kind".to_owned(), key_span: nowhere, node }
}
