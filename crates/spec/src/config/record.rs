//! A table that has been checked: every key is there, with its value or its default, and of the kind that it should be.

use super::document::Span;
use crate::{LayerSpec, Shape, Size2};

/// A checked table.
#[derive(Debug)]
pub(crate) struct Record {
    /// Where the table stands; the span of nothing when it is absent from the file.
    pub(super) span: Option<Span>,
    pub(super) fields: Vec<Field>,
}

/// A key of a checked table.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: &'static str,
    /// Where the value stands; `None` for a default.
    pub(super) span: Option<Span>,
    pub(super) value: Checked,
}

/// A checked value.
#[derive(Debug)]
pub(super) enum Checked {
    Absent,
    Text(String),
    Texts(Vec<String>),
    Integer(u64),
    Number(f64),
    Numbers(Vec<f64>),
    Counts(Vec<usize>),
    Flag(bool),
    Size(Size2),
    Shape(Shape),
    Record(Record),
    Records(Vec<Record>),
    Variant(Chosen),
    Layers(Vec<Chosen>),
}

/// A checked table with a `type`.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) variant: &'static str,
    pub(crate) record: Record,
}

impl Chosen {
    /// The layer that it is.
    pub(super) fn layer(&self) -> LayerSpec {
        LayerSpec::read(self.variant, &self.record)
    }
}

/// The readers below panic when the description of the config has no such key of such a kind, which no input can bring
/// about: every key is read by every test that resolves a config.
impl Record {
    pub(super) fn field(&self, key: &str) -> &Field {
        self.fields
            .iter()
            .find(|field| field.key == key)
            .unwrap_or_else(|| panic!("the description of a config has no key `{key}`"))
    }

    /// Whether `key` has a value.
    pub(super) fn is_there(&self, key: &str) -> bool {
        !matches!(self.field(key).value, Checked::Absent)
    }

    /// Where the value of `key` stands, or else the table.
    pub(super) fn span_of(&self, key: &str) -> Option<Span> {
        self.field(key).span.or(self.span)
    }

    pub(super) fn optional_text(&self, key: &str) -> Option<&str> {
        match &self.field(key).value {
            Checked::Text(text) => Some(text),
            Checked::Absent => None,
            other => unexpected(key, other),
        }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.optional_text(key).unwrap_or_else(|| unexpected(key, &Checked::Absent))
    }

    pub(super) fn integer(&self, key: &str) -> u64 {
        match self.field(key).value {
            Checked::Integer(integer) => integer,
            ref other => unexpected(key, other),
        }
    }

    pub(crate) fn optional_count(&self, key: &str) -> Option<usize> {
        match self.field(key).value {
            Checked::Absent => None,
            _ => Some(self.count(key)),
        }
    }

    pub(crate) fn count(&self, key: &str) -> usize {
        usize::try_from(self.integer(key)).unwrap_or(usize::MAX) // as good as 2⁶⁴ where addresses have 32 bits
    }

    pub(crate) fn number(&self, key: &str) -> f64 {
        match self.field(key).value {
            Checked::Number(number) => number,
            ref other => unexpected(key, other),
        }
    }

    pub(super) fn optional_number(&self, key: &str) -> Option<f64> {
        self.is_there(key).then(|| self.number(key))
    }

    pub(super) fn optional_flag(&self, key: &str) -> Option<bool> {
        self.is_there(key).then(|| self.flag(key))
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        match self.field(key).value {
            Checked::Flag(flag) => flag,
            ref other => unexpected(key, other),
        }
    }

    pub(crate) fn optional_size(&self, key: &str) -> Option<Size2> {
        match self.field(key).value {
            Checked::Absent => None,
            Checked::Size(size) => Some(size),
            ref other => unexpected(key, other),
        }
    }

    pub(crate) fn size(&self, key: &str) -> Size2 {
        self.optional_size(key).unwrap_or_else(|| unexpected(key, &Checked::Absent))
    }

    /// The numbers of an array; nothing where it is a word.
    pub(super) fn numbers(&self, key: &str) -> Option<&[f64]> {
        match &self.field(key).value {
            Checked::Numbers(numbers) => Some(numbers),
            Checked::Absent | Checked::Text(_) => None,
            other => unexpected(key, other),
        }
    }

    /// Whole numbers; none where the key is absent.
    pub(super) fn counts(&self, key: &str) -> Vec<usize> {
        match &self.field(key).value {
            Checked::Counts(counts) => counts.clone(),
            Checked::Absent => Vec::new(),
            other => unexpected(key, other),
        }
    }

    pub(super) fn optional_shape(&self, key: &str) -> Option<Shape> {
        match self.field(key).value {
            Checked::Absent => None,
            Checked::Shape(shape) => Some(shape),
            ref other => unexpected(key, other),
        }
    }

    pub(super) fn optional_table(&self, key: &str) -> Option<&Record> {
        match &self.field(key).value {
            Checked::Absent => None,
            Checked::Record(record) => Some(record),
            other => unexpected(key, other),
        }
    }

    pub(super) fn table(&self, key: &str) -> &Record {
        self.optional_table(key).unwrap_or_else(|| unexpected(key, &Checked::Absent))
    }

    /// The tables of an array, none where it is absent.
    pub(super) fn tables(&self, key: &str) -> &[Record] {
        match &self.field(key).value {
            Checked::Absent => &[],
            Checked::Records(records) => records,
            other => unexpected(key, other),
        }
    }

    pub(super) fn texts(&self, key: &str) -> &[String] {
        match &self.field(key).value {
            Checked::Texts(texts) => texts,
            other => unexpected(key, other),
        }
    }

    /// The one of `all` that is named; the description of the config admits no other names.
    pub(super) fn choice<T: Copy>(&self, key: &str, all: &[T], name: impl Fn(T) -> &'static str) -> T {
        let text = self.text(key);
        all.iter()
            .copied()
            .find(|&it| name(it) == text)
            .unwrap_or_else(|| panic!("the description of a config has a `{key}` too many: `{text}`"))
    }

    pub(super) fn chosen(&self, key: &str) -> &Chosen {
        match &self.field(key).value {
            Checked::Variant(chosen) => chosen,
            other => unexpected(key, other),
        }
    }

    pub(crate) fn optional_chosen(&self, key: &str) -> Option<&Chosen> {
        match &self.field(key).value {
            Checked::Absent => None,
            Checked::Variant(chosen) => Some(chosen),
            other => unexpected(key, other),
        }
    }

    /// The layers of a list that has to be there.
    pub(crate) fn layers(&self, key: &str) -> Vec<LayerSpec> {
        self.word_or_layers(key).err().unwrap_or_else(|| unexpected(key, &Checked::Absent))
    }

    /// A word, or, as an error, the layers that are there in its place.
    pub(crate) fn word_or_layers(&self, key: &str) -> Result<&str, Vec<LayerSpec>> {
        match &self.field(key).value {
            Checked::Text(text) => Ok(text),
            Checked::Layers(list) => Err(list.iter().map(Chosen::layer).collect()),
            other => unexpected(key, other),
        }
    }

    pub(super) fn optional_list(&self, key: &str) -> Option<&[Chosen]> {
        match &self.field(key).value {
            Checked::Absent => None,
            Checked::Layers(list) => Some(list),
            other => unexpected(key, other),
        }
    }
}

fn unexpected<T>(key: &str, value: &Checked) -> T
where
    T: Sized,
{
    panic!("the description of a config has another kind for `{key}`: {value:?}")
}
