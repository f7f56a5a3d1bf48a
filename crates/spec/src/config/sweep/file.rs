//! The keys of a sweep's file, as axes.

use crate::DataSets;
use crate::config::check::Fault;
use crate::config::document::{self, Entry, Node, Span, Table, Value};
use crate::config::format::Kind;
use crate::config::keys::EXPERIMENT;
use crate::config::overrides::{DEEPEST, Override, Segment, is_key, kind_at};
use crate::config::scalar::is_name;
use crate::config::{default_name, replacement, suggest};

use super::texts::{SWEEP, is_value};

/// The keys that a sweep's file may have.
pub(super) const SWEEP_KEYS: [&str; 6] = ["name", "base", "seeds", "set", "grid", "points"];

/// What a sweep's file says, before any run is made of it.
pub(super) struct Declared {
    pub(super) name: String,
    /// What points start from that name no base of their own. `None` only where every point names one.
    pub(super) base: Option<Base>,
    /// What holds for every run.
    pub(super) set: Vec<Override>,
    /// What varies. The last varies fastest.
    pub(super) axes: Vec<Axis>,
    /// Whether the last axis is the seeds.
    pub(super) has_seeds: bool,
}

/// The path of an experiment's config, relative to the sweep's file.
#[derive(Clone)]
pub(super) struct Base {
    pub(super) path: String,
    pub(super) span: Span,
}

/// One thing that varies. Never empty.
pub(super) struct Axis {
    pub(super) choices: Vec<Choice>,
    /// Whether these are [[points]], which may have bases of their own.
    pub(super) is_points: bool,
}

/// One of the values of an axis.
pub(super) struct Choice {
    /// Of a point that starts from another experiment than the sweep.
    pub(super) base: Option<Base>,
    pub(super) overrides: Vec<Override>,
    /// What the file calls a value of the grid, if it does.
    pub(super) called: Option<String>,
    pub(super) span: Span,
}

impl Declared {
    pub(super) fn read(file_name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let root = document::parse(text, SWEEP, 0)?;
        let mut reader = Reader::default();
        let mut declared = Self {
            name: default_name(file_name, "sweep"),
            base: None,
            set: Vec::new(),
            axes: Vec::new(),
            has_seeds: false,
        };
        for entry in &root {
            reader.known(entry);
        }
        let field = |key: &str| root.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
        if let Some(node) = field("name") {
            match &node.value {
                Value::Text(text) if is_name(text) => declared.name.clone_from(text),
                _ => {
                    reader.wrong("name", "a name of 1 to 64 letters, digits, `-`, `_` or `.`", node);
                    if let Some(fault) = reader.faults.last_mut() {
                        fault.help = replacement::of(&Kind::Name, node, &DataSets::any());
                    }
                }
            }
        }
        if let Some(node) = field("base") {
            declared.base = reader.base(node);
        }
        if let Some(node) = field("set") {
            declared.set = reader.table("set", node);
        }
        if let Some(node) = field("grid") {
            declared.axes.extend(reader.grid(node));
        }
        if let Some(node) = field("points") {
            declared.axes.extend(reader.points(node));
        }
        if field("base").is_none() && reader.faults.is_empty() {
            reader.every_point_has_a_base(&declared.axes);
        }
        if declared.axes.is_empty() && field("seeds").is_none() && reader.faults.is_empty() {
            reader.faults.push(
                Fault::new("nothing varies in this sweep", None)
                    .help("add `seeds`, a table [grid] or tables [[points]]"),
            );
        }
        if let Some(node) = field("seeds") {
            let axis = reader.seeds(node);
            declared.has_seeds = axis.is_some();
            declared.axes.extend(axis);
        }
        reader.one_axis_a_key(&declared.axes);
        if reader.faults.is_empty() { Ok(declared) } else { Err(reader.faults) }
    }

    /// Every base, each path once, in the order of the file.
    pub(super) fn bases(&self) -> Vec<&Base> {
        let of_points = self.axes.iter().flat_map(|axis| &axis.choices).filter_map(|choice| choice.base.as_ref());
        let mut bases: Vec<&Base> = Vec::new();
        for base in self.base.iter().chain(of_points) {
            if !bases.iter().any(|known| known.path == base.path) {
                bases.push(base);
            }
        }
        bases
    }
}

impl Choice {
    fn of_key(path: &[Segment], node: &Node, called: Option<String>) -> Self {
        let overrides = vec![Override { path: path.to_vec(), node: node.clone() }];
        Self { base: None, overrides, called, span: node.span }
    }
}

/// Whether a table is no part of the value of the key at `path`, but values with a name for each.
fn has_names(path: &[Segment], table: &Table) -> bool {
    let keys = || table.iter().map(|entry| entry.key.split('.').next().unwrap_or_default());
    match kind_at(&EXPERIMENT, path) {
        None | Some(Kind::Section(_) | Kind::Sections(_)) => false,
        // Keys below such a table change it: `schedule.every = [10, 20]`, `layers.0.out_channels = [8, 16]`.
        Some(Kind::Variant(variants)) => {
            let is_key = |name: &str| variants.variants.iter().flat_map(|it| it.keys).any(|key| key.name == name);
            !keys().any(is_key)
        }
        Some(Kind::Layers | Kind::LayersOr(_)) => !keys().any(|key| key.parse::<usize>().is_ok()),
        Some(_) => true,
    }
}

#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn known(&mut self, entry: &Entry) {
        if SWEEP_KEYS.contains(&entry.key.as_str()) {
            return;
        }
        let help = suggest::nearest(&entry.key, &SWEEP_KEYS).unwrap_or_else(|| match suggest::elsewhere(&entry.key) {
            Some(_) => {
                format!("a key of every run belongs in [set], one that varies in [grid], as a list: `{}`", entry.key)
            }
            None => suggest::list("a sweep's keys", &SWEEP_KEYS),
        });
        self.faults
            .push(Fault::new(format!("unknown key `{}` of a sweep", entry.key), Some(entry.key_span)).help(help));
    }

    fn wrong(&mut self, key: &str, expected: &str, node: &Node) {
        self.faults.push(Fault::new(format!("`{key}` should be {expected}, got {}", node.describe()), Some(node.span)));
    }

    fn base(&mut self, node: &Node) -> Option<Base> {
        let Value::Text(path) = &node.value else {
            self.wrong("base", "the path of an experiment's config", node);
            return None;
        };
        Some(Base { path: path.clone(), span: node.span })
    }

    /// What is left to say where the sweep itself names no base.
    fn every_point_has_a_base(&mut self, axes: &[Axis]) {
        let help = "add `base = \"../quickstart.toml\"`, for example: the experiment to vary, relative to this file";
        let of_points: Vec<&Choice> =
            axes.iter().filter(|axis| axis.is_points).flat_map(|axis| &axis.choices).collect();
        if of_points.iter().all(|choice| choice.base.is_none()) {
            self.faults.push(Fault::new("missing key `base`", None).help(help));
            return;
        }
        for choice in of_points.iter().filter(|choice| choice.base.is_none()) {
            self.faults
                .push(Fault::new("this point has no `base`, and the sweep has none", Some(choice.span)).help(help));
        }
    }

    fn seeds(&mut self, node: &Node) -> Option<Axis> {
        let Value::Array(items) = &node.value else {
            self.wrong("seeds", "a list of integers, [1, 2, 3]", node);
            return None;
        };
        if items.is_empty() {
            self.faults
                .push(Fault::new("`seeds` is empty", Some(node.span)).help("without the key, the base's seed is used"));
            return None;
        }
        let path = vec![Segment { name: "seed".to_owned(), span: node.span }];
        let choices = items.iter().map(|item| Choice::of_key(&path, item, None));
        Some(Axis { choices: choices.collect(), is_points: false })
    }

    /// An axis for each key, with a choice for each of its values.
    fn grid(&mut self, node: &Node) -> Vec<Axis> {
        let keys = self.table("grid", node);
        if keys.is_empty() && self.faults.is_empty() {
            self.faults.push(
                Fault::new("the grid is empty", Some(node.span))
                    .help("`optimizer.learning_rate = [0.01, 0.02]` tries both, for example"),
            );
        }
        let mut axes = Vec::new();
        for Override { path, node } in keys {
            let key = Override { path: path.clone(), node: node.clone() }.key();
            match &node.value {
                Value::Array(items) if !items.is_empty() => axes.push(Axis {
                    choices: items.iter().map(|item| Choice::of_key(&path, item, None)).collect(),
                    is_points: false,
                }),
                Value::Table(named) if has_names(&path, named) => axes.push(Axis {
                    choices: named.iter().map(|it| Choice::of_key(&path, &it.node, Some(it.key.clone()))).collect(),
                    is_points: false,
                }),
                Value::Array(_) => self.faults.push(Fault::new(format!("`{key}` has no values"), Some(node.span))),
                _ => self.faults.push(
                    Fault::new(
                        format!(
                            "`{key}` in [grid] should be a list of values, or a table with a name for each, got {}",
                            node.describe()
                        ),
                        Some(node.span),
                    )
                    .help("a value of every run belongs in [set]"),
                ),
            }
        }
        axes
    }

    /// One axis, with a choice for each point.
    fn points(&mut self, node: &Node) -> Option<Axis> {
        let items = match &node.value {
            Value::Array(items) if !items.is_empty() => items,
            Value::Array(_) => {
                self.faults.push(Fault::new("`points` is empty", Some(node.span)));
                return None;
            }
            _ => {
                self.wrong("points", "tables, [[points]]", node);
                return None;
            }
        };
        let choices: Vec<Choice> = items.iter().map(|item| self.point(item)).collect();
        let mut names: Vec<&str> = Vec::new();
        for given in choices.iter().flat_map(|choice| &choice.overrides) {
            if let Value::Text(name) = &given.node.value
                && given.key() == "name"
            {
                if names.contains(&name.as_str()) {
                    self.faults.push(Fault::new(format!("two points are called `{name}`"), Some(given.node.span)));
                }
                names.push(name);
            }
        }
        Some(Axis { choices, is_points: true })
    }

    /// A point: its base, if it names one, and the values of all other keys.
    fn point(&mut self, node: &Node) -> Choice {
        let mut values = node.clone();
        let mut base = None;
        if let Value::Table(table) = &mut values.value
            && let Some(place) = table.iter().position(|entry| entry.key == "base")
        {
            base = self.base(&table.remove(place).node);
        }
        Choice { base, overrides: self.table("points", &values), called: None, span: node.span }
    }

    /// The values in a table, each with its whole key.
    fn table(&mut self, name: &str, node: &Node) -> Vec<Override> {
        let mut values = Vec::new();
        match &node.value {
            Value::Table(table) => self.flatten(table, &[], &mut values),
            _ => self.wrong(name, &format!("a table, [{name}]"), node),
        }
        for value in &values {
            if value.key() == "seed" {
                let fault = Fault::new(format!("`seed` cannot be in [{name}]"), Some(value.path[0].span));
                self.faults.push(fault.help("`seeds = [1, 2, 3]` at the top makes a run with each"));
            }
        }
        values
    }

    fn flatten(&mut self, table: &Table, above: &[Segment], values: &mut Vec<Override>) {
        for entry in table {
            let mut path = above.to_vec();
            // A key in quotes may have dots too: "optimizer.learning_rate".
            path.extend(
                entry.key.split('.').map(|part| Segment { name: part.trim().to_owned(), span: entry.key_span }),
            );
            if path.len() > DEEPEST || !path.iter().all(|segment| is_key(&segment.name)) {
                self.faults.push(Fault::new(format!("`{}` is not a key", entry.key), Some(entry.key_span)));
                continue;
            }
            match &entry.node.value {
                Value::Table(below) if !is_value(&entry.node.value) && !has_names(&path, below) => {
                    self.flatten(below, &path, values);
                }
                _ => values.push(Override { path, node: entry.node.clone() }),
            }
        }
    }

    /// A key that two axes vary would have one of its values ignored.
    fn one_axis_a_key(&mut self, axes: &[Axis]) {
        let mut seen: Vec<(String, usize)> = Vec::new();
        for (axis, choice) in axes.iter().enumerate().flat_map(|(n, axis)| axis.choices.iter().map(move |it| (n, it))) {
            for given in &choice.overrides {
                let key = given.key();
                if seen.iter().any(|(other, n)| *other == key && *n != axis) {
                    let message = format!("`{key}` is both in [grid] and in a point");
                    self.faults.push(Fault::new(message, given.path.last().map(|segment| segment.span)));
                }
                seen.push((key, axis));
            }
        }
    }
}
