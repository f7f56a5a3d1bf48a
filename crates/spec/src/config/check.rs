//! A tree from a file against the description of a config: what does not agree is reported, what is absent gets its
//! default.

use super::document::{Entry, Node, Span, Table, Value};
use super::format::{Key, Kind, Literal, Presence, Section, Variant, Variants};
use super::record::{Checked, Chosen, Field, Record};
use super::scalar::scalar;
use super::{replacement, suggest};
use crate::layers::LAYERS;
use crate::{DataSets, ShapeError};

/// Something wrong with a config, at a span or at none.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) span: Option<Span>,
    pub(super) help: Option<String>,
    /// For a missing key, its name and its table's path.
    missing: Option<[&'static str; 2]>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, span: Option<Span>) -> Self {
        Self { message: message.into(), span, help: None, missing: None }
    }

    /// A misfit of a network.
    pub(super) fn of_shape(error: ShapeError, span: Option<Span>) -> Self {
        let fault = Self::new(error.to_string(), span);
        match error.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Collects every fault; a checked value that comes with faults is never used.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    data_sets: &'a DataSets,
    faults: Vec<Fault>,
    /// The keys and tables that unknown keys were probably meant to be.
    meant: Vec<&'static str>,
}

/// Where a key is, in words: ` in [data]`, ` in a `conv2d` layer`.
#[derive(Clone, Copy)]
enum Place {
    /// With its kind, in a table that has kinds and whose `kind` is one of them.
    Section(&'static Section, Option<&'static Variant>),
    Variant(&'static Variants, &'static Variant),
}

impl Place {
    fn keys(self) -> impl Iterator<Item = &'static Key> {
        let (keys, further) = match self {
            Self::Section(section, kind) => (section.keys, kind.map_or(&[][..], |kind| kind.keys)),
            Self::Variant(_, variant) => (variant.keys, &[][..]),
        };
        keys.iter().chain(further)
    }

    fn words(self) -> String {
        match self {
            Self::Section(Section { path: "", .. }, _) => String::new(),
            Self::Section(section, _) => format!(" in [{}]", section.path),
            Self::Variant(variants, variant) => {
                format!(" in a `{}` {}", variant.name, variants.noun)
            }
        }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn new(data_sets: &'a DataSets) -> Self {
        Self { data_sets, faults: Vec::new(), meant: Vec::new() }
    }

    pub(super) fn section(&mut self, section: &'static Section, table: &Table, span: Option<Span>) -> Record {
        let kind = match table.iter().find(|entry| entry.key == "kind").map(|entry| &entry.node.value) {
            Some(Value::Text(name)) => section.kind(name),
            Some(_) => None,
            None => section.default_kind(),
        };
        self.keys(Place::Section(section, kind), table, span)
    }

    /// What was found. That a key is missing is not said when it is there under a misspelt name, or in another table.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        let meant = self.meant;
        // What a group takes over from [optimizer] is wrong once.
        let mut told = std::collections::HashSet::new();
        self.faults.retain(|fault| told.insert((fault.message.clone(), fault.span)));
        self.faults
            .retain(|fault| fault.missing.is_none_or(|missing| !missing.iter().any(|name| meant.contains(name))));
        self.faults
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn keys(&mut self, place: Place, table: &Table, span: Option<Span>) -> Record {
        for entry in table {
            let is_type = matches!(place, Place::Variant(..)) && entry.key == "type";
            if !is_type && !place.keys().any(|key| key.name == entry.key) {
                self.unknown_key(place, entry);
            }
        }
        let fields = place
            .keys()
            .map(|key| {
                let find = |name: &str| table.iter().find(|entry| entry.key == name);
                let entry = find(key.name);
                let other = match key.presence {
                    Presence::Either(other, _) => find(other),
                    _ => None,
                };
                let value = match (entry, other) {
                    (None, Some(_)) => Checked::Absent,
                    (None, None) => self.absent(place, key, span),
                    (Some(entry), other) => {
                        if let Some(other) = other {
                            let message = format!("there are both `{}` and `{}`{}", key.name, other.key, place.words());
                            let help = "leave out one of them";
                            self.fault(Fault::new(message, Some(other.key_span)).help(help));
                        }
                        self.value(key, &entry.node)
                    }
                };
                Field { key: key.name, span: entry.map(|entry| entry.node.span), value }
            })
            .collect();
        Record { span, fields }
    }

    fn unknown_key(&mut self, place: Place, entry: &Entry) {
        if let Place::Section(section, kind) = place
            && let kinds = section.kinds_with(&entry.key)
            && !kinds.is_empty()
        {
            // Which keys there are cannot be said of an unknown kind, which is a fault of its own.
            self.faults.extend(kind.map(|kind| key_of_other_kind(section, kind, &kinds, entry)));
            return;
        }
        let names: Vec<&'static str> = place.keys().map(|key| key.name).collect();
        self.meant.extend(suggest::closest(&entry.key, &names));
        let help = suggest::nearest(&entry.key, &names)
            .or_else(|| {
                let (section, key) = suggest::elsewhere(&entry.key)?;
                self.meant.push(key);
                Some(if section.is_empty() {
                    format!("`{key}` belongs at the top, before the first table")
                } else {
                    format!("`{key}` belongs in [{section}]")
                })
            })
            .unwrap_or_else(|| match (place, names.is_empty()) {
                (Place::Variant(_, variant), true) => {
                    format!("`{}` has no keys but its type", variant.name)
                }
                _ => suggest::list("valid keys", &names),
            });
        self.fault(
            Fault::new(format!("unknown key `{}`{}", entry.key, place.words()), Some(entry.key_span)).help(help),
        );
    }

    fn absent(&mut self, place: Place, key: &'static Key, span: Option<Span>) -> Checked {
        match key.presence {
            Presence::Required(example) | Presence::Either(_, example) => {
                let help = match place {
                    Place::Section(section, _) if span.is_none() => {
                        format!("add a table [{}] with `{} = {example}`", section.path, key.name)
                    }
                    _ => format!("add `{} = {example}`, for example", key.name),
                };
                let or = match key.presence {
                    Presence::Either(other, _) => format!(" or `{other}`"),
                    _ => String::new(),
                };
                let message = format!("missing key `{}`{or}{}", key.name, place.words());
                let path = match place {
                    Place::Section(section, _) => section.path,
                    Place::Variant(..) => "",
                };
                let mut fault = Fault::new(message, span).help(help);
                fault.missing = Some([key.name, path]);
                self.fault(fault);
                Checked::Absent
            }
            Presence::Optional(_) => Checked::Absent,
            Presence::Table => match key.kind {
                Kind::Section(section) => Checked::Record(self.section(section, &Vec::new(), None)),
                _ => Checked::Absent,
            },
            Presence::Default(literal) => self.default(key, literal),
        }
    }

    /// The default goes through the same checks as a value from a file.
    fn default(&mut self, key: &'static Key, literal: Literal) -> Checked {
        let value = match literal {
            Literal::Integer(integer) => Value::Integer(i128::from(integer)),
            Literal::Number(number) => Value::Number(number),
            Literal::Flag(flag) => Value::Flag(flag),
            Literal::Word(text) | Literal::Toml(text) => Value::Text(text.to_owned()),
        };
        let nowhere = Span { source: 0, start: 0, end: 0 };
        self.value(key, &Node { span: nowhere, value })
    }

    fn value(&mut self, key: &'static Key, node: &Node) -> Checked {
        match (&key.kind, &node.value) {
            (Kind::Section(section), Value::Table(table)) => {
                Checked::Record(self.section(section, table, Some(node.span)))
            }
            (Kind::Sections(section), Value::Array(items)) => {
                let records = items.iter().filter_map(|item| self.table(section, item));
                Checked::Records(records.collect())
            }
            (Kind::Variant(variants), Value::Table(_) | Value::Text(_)) => {
                self.chosen(variants, node).map_or(Checked::Absent, Checked::Variant)
            }
            (Kind::Layers | Kind::LayersOr(_), Value::Array(items)) => {
                Checked::Layers(items.iter().filter_map(|item| self.item(&LAYERS, item)).collect())
            }
            (Kind::Choice(words) | Kind::LayersOr(words), Value::Text(text)) => {
                self.choice(key.name, words, text, node)
            }
            (Kind::DataSet, Value::Text(text)) if let Some(names) = self.data_sets.names() => {
                self.choice(key.name, &names, text, node)
            }
            (kind, _) => match scalar(kind, node) {
                Some(checked) => checked,
                None => {
                    self.wrong_value(key, node);
                    Checked::Absent
                }
            },
        }
    }

    fn choice(&mut self, key: &str, words: &[&str], text: &str, node: &Node) -> Checked {
        if !words.contains(&text) {
            let help = suggest::nearest(text, words).unwrap_or_else(|| suggest::list("valid values", words));
            let message = format!("unknown value `{text}` for `{key}`");
            self.fault(Fault::new(message, Some(node.span)).help(help));
        }
        Checked::Text(text.to_owned())
    }

    fn wrong_value(&mut self, key: &Key, node: &Node) {
        let mut fault = Fault::new(
            format!("`{}` should be {}, got {}", key.name, describe(&key.kind, self.data_sets), node.describe()),
            Some(node.span),
        );
        if let Some(help) = replacement::of(&key.kind, node, self.data_sets) {
            fault = fault.help(help);
        }
        self.fault(fault);
    }

    fn table(&mut self, section: &'static Section, item: &Node) -> Option<Record> {
        if let Value::Table(table) = &item.value {
            return Some(self.section(section, table, Some(item.span)));
        }
        let message = format!("an item of `{}` should be a table, got {}", section.path, item.describe());
        self.fault(Fault::new(message, Some(item.span)));
        None
    }

    fn item(&mut self, variants: &'static Variants, item: &Node) -> Option<Chosen> {
        if matches!(item.value, Value::Table(_) | Value::Text(_)) {
            return self.chosen(variants, item);
        }
        self.fault(Fault::new(
            format!("a {} should be a table with a `type`, got {}", variants.noun, item.describe()),
            Some(item.span),
        ));
        None
    }

    /// A table with a `type`, or a type alone.
    fn chosen(&mut self, variants: &'static Variants, node: &Node) -> Option<Chosen> {
        let nothing = Vec::new();
        let table = match &node.value {
            Value::Table(table) => table,
            _ => &nothing,
        };
        let type_node = match &node.value {
            Value::Text(_) => Some(node),
            _ => table.iter().find(|entry| entry.key == "type").map(|entry| &entry.node),
        };
        let names: Vec<&str> = variants.variants.iter().map(|it| it.name).collect();
        let noun = variants.noun;
        let Some(type_node) = type_node else {
            let types = suggest::list("valid types", &names);
            let message = format!("missing key `type` in a {noun}");
            self.fault(Fault::new(message, Some(node.span)).help(types));
            return None;
        };
        let Value::Text(name) = &type_node.value else {
            self.fault(Fault::new(
                format!("`type` should be a string, got {}", type_node.describe()),
                Some(type_node.span),
            ));
            return None;
        };
        let Some(variant) = variants.variants.iter().find(|it| it.name == name) else {
            let help = suggest::nearest(name, &names).unwrap_or_else(|| suggest::list("valid types", &names));
            let message = format!("unknown {noun} type `{name}`");
            self.fault(Fault::new(message, Some(type_node.span)).help(help));
            return None;
        };
        let place = Place::Variant(variants, variant);
        Some(Chosen { variant: variant.name, record: self.keys(place, table, Some(node.span)) })
    }
}

/// `beta_1` where the kind is `momentum`.
fn key_of_other_kind(section: &Section, kind: &Variant, kinds: &[&str], entry: &Entry) -> Fault {
    let noun = section.kinds.map_or("kind", |kinds| kinds.noun);
    let own: Vec<&str> = kind.keys.iter().map(|key| key.name).collect();
    let message = format!("`{}` is not a key of the {noun} `{}`", entry.key, kind.name);
    Fault::new(message, Some(entry.key_span)).help(format!(
        "it is one of {}; `{}` has {}",
        suggest::quoted(kinds),
        kind.name,
        suggest::quoted(&own)
    ))
}

fn describe(kind: &Kind, data_sets: &DataSets) -> String {
    match kind {
        Kind::DataSet if let Some(names) = data_sets.names() => format!("one of {}", suggest::quoted(&names)),
        Kind::Name | Kind::DataSet => "a name of 1 to 64 letters, digits, `-`, `_` or `.`".to_owned(),
        Kind::Path => "a path".to_owned(),
        Kind::Integer { least } => format!("an integer of at least {least}"),
        Kind::OneOf(numbers) => numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" or "),
        Kind::Color => "\"white\", \"black\" or a colour as \"#rrggbb\"".to_owned(),
        Kind::Number(range) => range.describe(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Choice(words) => format!("one of {}", suggest::quoted(words)),
        Kind::Size { least } => {
            format!("an integer of at least {least}, or two of them, [height, width]")
        }
        Kind::Shape => "[channels, height, width] or [features], each at least 1".to_owned(),
        Kind::ClassWeights => "\"balanced\" or an array of numbers above 0, one a class".to_owned(),
        Kind::Iterations => "an array of whole numbers, each larger than the one before".to_owned(),
        Kind::Patterns => "a pattern like \"conv*.weight\", or an array of them".to_owned(),
        Kind::Section(section) => format!("a table, [{}]", section.path),
        Kind::Sections(section) => format!("tables, each [[{}]]", section.path),
        Kind::Variant(variants) => {
            format!("a {} type or a table with a `type`", variants.noun)
        }
        Kind::Layers => "an array of layers".to_owned(),
        Kind::LayersOr(words) => format!("one of {}, or an array of layers", suggest::quoted(words)),
    }
}
