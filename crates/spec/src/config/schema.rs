//! The JSON Schema of a config, made from the description that checks it.

use super::format::{Key, Kind, Presence, Range, Section, Variant, Variants};
use super::keys::EXPERIMENT;
use super::scalar::BALANCED;
use crate::DataSets;
use crate::layers::LAYERS;

/// The JSON Schema (draft 2020-12) of a config, for editors that complete and check TOML by one. Ends in a newline.
///
/// The data set is one of `data_sets`. The schema says what each key alone may hold. What needs more than one key, a
/// network's shapes above all, only reading checks.
pub fn schema(data_sets: &DataSets) -> String {
    let mut root = vec![
        ("$schema", string("https://json-schema.org/draft/2020-12/schema")),
        ("title", string("Backproof experiment")),
    ];
    root.extend(section(&EXPERIMENT, data_sets));
    root.push(definitions(data_sets));
    let mut out = String::new();
    Json::Object(root).write(&mut out, 0);
    out + "\n"
}

/// As much of JSON as a schema needs.
pub(super) enum Json {
    /// A number, a flag or a string, as JSON.
    Literal(String),
    Array(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth + 1);
        match self {
            Self::Literal(text) => *out += text,
            Self::Array(items) => {
                *out += "[";
                for (index, item) in items.iter().enumerate() {
                    *out += if index > 0 { ",\n" } else { "\n" };
                    *out += &indent;
                    item.write(out, depth + 1);
                }
                *out += &format!("\n{}]", "  ".repeat(depth));
            }
            Self::Object(entries) if entries.is_empty() => *out += "{}",
            Self::Object(entries) => {
                *out += "{";
                for (index, (key, value)) in entries.iter().enumerate() {
                    *out += if index > 0 { ",\n" } else { "\n" };
                    *out += &format!("{indent}\"{key}\": ");
                    value.write(out, depth + 1);
                }
                *out += &format!("\n{}}}", "  ".repeat(depth));
            }
        }
    }
}

/// The texts of the description have no character that JSON escapes but the quotation mark and the backslash.
pub(super) fn string(text: &str) -> Json {
    Json::Literal(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

pub(super) fn literal(value: impl std::fmt::Display) -> Json {
    Json::Literal(value.to_string())
}

pub(super) type Entries = Vec<(&'static str, Json)>;

fn section(section: &'static Section, data_sets: &DataSets) -> Entries {
    let mut entries = vec![("description", string(section.doc))];
    match section.kinds {
        None => entries.extend(object(section.keys.iter(), None, data_sets)),
        // The kind may stand elsewhere: then any key of any kind may be here.
        Some(kinds) if section.default_kind().is_none() => {
            let of_kinds = kinds.variants.iter().flat_map(|kind| kind.keys);
            let mut names = std::collections::BTreeSet::new();
            let keys = section.keys.iter().chain(of_kinds).filter(|key| names.insert(key.name));
            entries.extend(object(keys, None, data_sets));
        }
        Some(kinds) => entries
            .push(("oneOf", Json::Array(kinds.variants.iter().map(|it| kind_of(section, it, data_sets)).collect()))),
    }
    entries
}

/// The table `section` with the keys of one of its kinds; the default kind need not be said.
fn kind_of(section: &'static Section, kind: &'static Variant, data_sets: &DataSets) -> Json {
    let keys = section.keys.iter().filter(|key| key.name != "kind").chain(kind.keys);
    let is_default = section.default_kind().is_some_and(|default| default.name == kind.name);
    let tag = Tag { key: "kind", value: kind.name, required: !is_default };
    let mut entries = vec![("description", string(kind.doc))];
    entries.extend(object(keys, Some(tag), data_sets));
    Json::Object(entries)
}

/// The key that says which of several an object is.
struct Tag {
    key: &'static str,
    value: &'static str,
    required: bool,
}

/// An object with `keys`, and with a tag when it is one of several.
fn object(keys: impl Iterator<Item = &'static Key>, tag: Option<Tag>, data_sets: &DataSets) -> Entries {
    let mut properties: Entries = Vec::new();
    let (mut required, mut either) = (Vec::new(), Vec::new());
    if let Some(tag) = tag {
        properties.push((tag.key, Json::Object(vec![("const", string(tag.value))])));
        if tag.required {
            required.push(string(tag.key));
        }
    }
    for key in keys {
        properties.push((key.name, property(key, data_sets)));
        if is_required(key) {
            required.push(string(key.name));
        }
        if let Presence::Either(other, _) = key.presence {
            let one = |name| Json::Object(vec![("required", Json::Array(vec![string(name)]))]);
            either.push(("oneOf", Json::Array([key.name, other].map(one).into())));
        }
    }
    let mut entries = vec![
        ("type", string("object")),
        ("additionalProperties", literal(false)),
        ("properties", Json::Object(properties)),
    ];
    if !required.is_empty() {
        entries.push(("required", Json::Array(required)));
    }
    entries.extend(either);
    entries
}

/// A table is required when something in it is.
fn is_required(key: &Key) -> bool {
    match (key.presence, &key.kind) {
        (Presence::Required(_), _) => true,
        (Presence::Table, Kind::Section(section)) => {
            section.keys.iter().any(|key| is_required(key) || matches!(key.presence, Presence::Either(..)))
        }
        _ => false,
    }
}

fn property(key: &'static Key, data_sets: &DataSets) -> Json {
    if let Kind::Section(below) = key.kind {
        return Json::Object(section(below, data_sets));
    }
    let mut entries = vec![("description", string(&key.doc(data_sets)))];
    entries.extend(kind(&key.kind, data_sets));
    if let Presence::Default(default) = key.presence {
        entries.push(("default", literal(default)));
    }
    Json::Object(entries)
}

pub(super) fn kind(kind: &'static Kind, data_sets: &DataSets) -> Entries {
    match kind {
        Kind::DataSet if let Some(names) = data_sets.names() => words(&names),
        Kind::Name | Kind::DataSet => vec![
            ("type", string("string")),
            ("pattern", string("^[A-Za-z0-9_-]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$")),
            ("maxLength", literal(64)),
        ],
        Kind::Path => vec![("type", string("string")), ("minLength", literal(1))],
        Kind::Integer { least } => integer(*least),
        Kind::OneOf(numbers) => vec![("enum", Json::Array(numbers.iter().map(literal).collect()))],
        Kind::Color => vec![("type", string("string")), ("pattern", string("^(white|black|#[0-9A-Fa-f]{6})$"))],
        Kind::Number(range) => number(*range),
        Kind::Flag => vec![("type", string("boolean"))],
        Kind::Choice(words) => self::words(words),
        Kind::Size { least } => {
            vec![("anyOf", Json::Array(vec![Json::Object(integer(*least)), Json::Object(integers(*least, 2))]))]
        }
        Kind::Shape => vec![("anyOf", Json::Array(vec![Json::Object(integers(1, 3)), Json::Object(integers(1, 1))]))],
        Kind::ClassWeights => {
            let weights = vec![
                ("type", string("array")),
                ("items", Json::Object(number(Range::POSITIVE))),
                ("minItems", literal(1)),
            ];
            vec![("anyOf", Json::Array(vec![Json::Object(words(&[BALANCED])), Json::Object(weights)]))]
        }
        Kind::Patterns => {
            let pattern = || vec![("type", string("string")), ("minLength", literal(1))];
            let array = vec![("type", string("array")), ("items", Json::Object(pattern())), ("minItems", literal(1))];
            vec![("anyOf", Json::Array(vec![Json::Object(pattern()), Json::Object(array)]))]
        }
        Kind::Iterations => {
            vec![("type", string("array")), ("items", Json::Object(integer(0))), ("uniqueItems", literal(true))]
        }
        Kind::Section(section) => self::section(section, data_sets),
        Kind::Sections(section) => {
            vec![("type", string("array")), ("items", Json::Object(self::section(section, data_sets)))]
        }
        Kind::Variant(variants) => one_of(variants, data_sets),
        Kind::Layers => layers(),
        Kind::LayersOr(words) => {
            vec![("anyOf", Json::Array(vec![Json::Object(self::words(words)), Json::Object(layers())]))]
        }
    }
}

/// An array of layers, each as [`definitions`] has it.
fn layers() -> Entries {
    let layer = vec![("$ref", string("#/$defs/layer"))];
    vec![("type", string("array")), ("items", Json::Object(layer))]
}

/// What a schema refers to by name: a layer, in which there may be layers.
pub(super) fn definitions(data_sets: &DataSets) -> (&'static str, Json) {
    ("$defs", Json::Object(vec![("layer", Json::Object(one_of(&LAYERS, data_sets)))]))
}

fn words(words: &[&str]) -> Entries {
    vec![("enum", Json::Array(words.iter().map(|word| string(word)).collect()))]
}

fn integer(least: u64) -> Entries {
    vec![("type", string("integer")), ("minimum", literal(least))]
}

fn integers(least: u64, count: usize) -> Entries {
    vec![
        ("type", string("array")),
        ("items", Json::Object(integer(least))),
        ("minItems", literal(count)),
        ("maxItems", literal(count)),
    ]
}

fn number(range: Range) -> Entries {
    let mut entries = vec![("type", string("number"))];
    if range.least.is_finite() {
        let key = if range.least_open { "exclusiveMinimum" } else { "minimum" };
        entries.push((key, literal(range.least)));
    }
    if range.most.is_finite() {
        let key = if range.most_open { "exclusiveMaximum" } else { "maximum" };
        entries.push((key, literal(range.most)));
    }
    entries
}

/// A type alone, where it needs no key, or a table with a type.
fn one_of(variants: &'static Variants, data_sets: &DataSets) -> Entries {
    let alone = variants
        .variants
        .iter()
        .filter(|variant| !variant.keys.iter().any(is_required))
        .map(|variant| string(variant.name))
        .collect();
    let mut choices = vec![Json::Object(vec![("enum", Json::Array(alone))])];
    for variant in variants.variants {
        let mut entries = vec![("description", string(variant.doc))];
        let tag = Tag { key: "type", value: variant.name, required: true };
        entries.extend(object(variant.keys.iter(), Some(tag), data_sets));
        choices.push(Json::Object(entries));
    }
    vec![("oneOf", Json::Array(choices))]
}
