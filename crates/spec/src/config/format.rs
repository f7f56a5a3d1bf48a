//! What a config may say, as data: one description that checks a file, writes the defaults and makes the JSON Schema.

use crate::DataSets;

/// A table of the config.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its path, `data.augmentation`; empty for the file itself.
    pub(crate) path: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    /// The further keys that go with each value of the key `kind`, in a table that has one.
    pub(crate) kinds: Option<&'static Variants>,
}

impl Section {
    /// The default of the key `kind`, in a table with kinds.
    pub(crate) fn default_kind(&self) -> Option<&'static Variant> {
        let key = self.keys.iter().find(|key| key.name == "kind")?;
        match key.presence {
            Presence::Default(Literal::Word(name)) => self.kind(name),
            _ => None,
        }
    }

    /// The kind of that name.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static Variant> {
        self.kinds?.variants.iter().find(|kind| kind.name == name)
    }

    /// The names of the kinds that have the key `name` beyond those of all kinds.
    pub(crate) fn kinds_with(&self, name: &str) -> Vec<&'static str> {
        let kinds = self.kinds.map_or(&[][..], |kinds| kinds.variants);
        kinds.iter().filter(|kind| kind.keys.iter().any(|key| key.name == name)).map(|kind| kind.name).collect()
    }
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) doc: &'static str,
}

pub(crate) const fn key(name: &'static str, kind: Kind, presence: Presence, doc: &'static str) -> Key {
    Key { name, kind, presence, doc }
}

impl Key {
    /// What it says, with the names of the data sets where it is the one that names one.
    pub(crate) fn doc(&self, data_sets: &DataSets) -> String {
        match (&self.kind, data_sets.names()) {
            (Kind::DataSet, Some(names)) => format!("{}: {}.", self.doc.trim_end_matches('.'), names.join(", ")),
            _ => self.doc.to_owned(),
        }
    }
}

/// What a key holds.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A string that can name a folder.
    Name,
    /// The name of a data set.
    DataSet,
    /// A path, as a string that is not empty.
    Path,
    /// A whole number of at least `least`.
    Integer { least: u64 },
    /// One of a few whole numbers.
    OneOf(&'static [u64]),
    /// `"white"`, `"black"` or `"#rrggbb"`.
    Color,
    /// A finite number.
    Number(Range),
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// `5` or `[5, 3]`, each at least `least`.
    Size { least: u64 },
    /// `[1, 28, 28]` or `[784]`.
    Shape,
    /// `"balanced"`, or an array of numbers above 0, one a class.
    ClassWeights,
    /// A pattern over names, or an array of them.
    Patterns,
    /// An array of whole numbers, each larger than the one before.
    Iterations,
    /// A table.
    Section(&'static Section),
    /// An array of tables.
    Sections(&'static Section),
    /// A table whose `type` says which keys it has, or its type alone.
    Variant(&'static Variants),
    /// An array of layers.
    Layers,
    /// One of a few words, or an array of layers.
    LayersOr(&'static [&'static str]),
}

/// The tables that a `type` chooses from.
#[derive(Debug)]
pub(crate) struct Variants {
    /// What one of them is called: `layer`.
    pub(crate) noun: &'static str,
    pub(crate) variants: &'static [Variant],
}

/// One `type` with its other keys.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
}

/// Whether a key must be there, and what holds when it is not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    /// It must be; the literal is an example.
    Required(Literal),
    /// Either it or this other key must be, and not both; the literal is an example.
    Either(&'static str, Literal),
    /// The literal holds when it is absent.
    Default(Literal),
    /// Absence means something of its own; the literal is an example.
    Optional(Literal),
    /// A table that is read as if it were empty when it is absent.
    Table,
}

/// A value as it is written in a config.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Literal {
    Integer(u64),
    Number(f64),
    Flag(bool),
    Word(&'static str),
    /// Anything else, as TOML.
    Toml(&'static str),
}

/// As TOML, which for all but [`Literal::Toml`] is JSON too.
impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Toml(text) => f.write_str(text),
        }
    }
}

/// The numbers between two bounds; a bound is included unless it is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) least: f64,
    pub(crate) least_open: bool,
    pub(crate) most: f64,
    pub(crate) most_open: bool,
}

impl Range {
    /// All finite numbers.
    pub(crate) const FINITE: Self = Self::new(f64::NEG_INFINITY, true, f64::INFINITY, true);
    /// (0, ∞).
    pub(crate) const POSITIVE: Self = Self::new(0.0, true, f64::INFINITY, true);
    /// [0, ∞).
    pub(crate) const NOT_NEGATIVE: Self = Self::new(0.0, false, f64::INFINITY, true);
    /// [0, 1].
    pub(crate) const FRACTION: Self = Self::new(0.0, false, 1.0, false);
    /// [0, 1).
    pub(crate) const BELOW_ONE: Self = Self::new(0.0, false, 1.0, true);
    /// (0, 1].
    pub(crate) const ABOVE_ZERO_TO_ONE: Self = Self::new(0.0, true, 1.0, false);

    const fn new(least: f64, least_open: bool, most: f64, most_open: bool) -> Self {
        Self { least, least_open, most, most_open }
    }

    /// Whether `number` is between the bounds; NaN never is.
    pub(crate) fn contains(self, number: f64) -> bool {
        let above = if self.least_open { number > self.least } else { number >= self.least };
        let below = if self.most_open { number < self.most } else { number <= self.most };
        above && below
    }

    /// `a number above 0`, as errors say it.
    pub(crate) fn describe(self) -> String {
        match (self.least.is_finite(), self.most.is_finite()) {
            (false, _) => "a finite number".to_owned(),
            (true, false) if self.least_open => format!("a number above {}", self.least),
            (true, false) => format!("a number of at least {}", self.least),
            (true, true) => format!(
                "a number in {}{}, {}{}",
                if self.least_open { '(' } else { '[' },
                self.least,
                self.most,
                if self.most_open { ')' } else { ']' },
            ),
        }
    }
}
