//! Configs: TOML in and out.
//!
//! Reading has two stages. The text becomes a tree in which every key and value knows where it stands, [`document`], to
//! which the [`overrides`] are applied. [`check`] holds the tree against the description of a config in [`keys`]: every
//! key that no config has, every value of the wrong kind or out of range is reported, and every absent key gets its
//! default. [`mod@resolve`] then makes an [`Experiment`] of it, and [`rules`] applies those rules that need more than
//! one key. serde is not asked to read: inside enums with a tag it forgets where a value stood.
//!
//! The same description writes [`defaults()`] and [`schema()`], so that they cannot disagree with what is read.

mod check;
mod defaults;
mod document;
mod error;
mod folder;
mod format;
mod groups;
mod keys;
mod model;
mod optimizer;
mod overrides;
mod record;
mod replacement;
mod resolve;
mod rules;
mod scalar;
mod schema;
mod sources;
mod suggest;
pub(crate) mod sweep;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;

use check::{Checker, Fault};
use document::{SyntaxError, Table};
use overrides::Override;
use sources::Sources;

use crate::{DataSet, DataSets, Experiment};

pub use defaults::defaults;
pub use error::{ConfigError, Diagnostic, Excerpt, Location};
pub(crate) use format::{Key, Kind, Literal, Presence, Range, Variant, Variants, key};
pub(crate) use record::{Chosen, Record};
pub use schema::schema;
pub use suggest::closest as nearest;
pub use sweep::sweep_schema;
pub(crate) use write::Entries;

impl Experiment {
    /// Reads an experiment from `text`; `source_name` is what errors call it, normally the file's path.
    ///
    /// Each of `overrides` is `key.path=value`, as `--set` takes it. The value is read as TOML, or as a string if it is
    /// not TOML.
    ///
    /// The experiment is checked against what `data_sets` knows of its data set.
    ///
    /// # Errors
    ///
    /// Text that is not TOML, unknown keys, wrong types, impossible values and a network whose shapes do not fit, each
    /// with its line.
    pub fn from_toml(
        source_name: &str,
        text: &str,
        overrides: &[String],
        data_sets: &DataSets,
    ) -> Result<Self, ConfigError> {
        let sources = Sources::new(vec![(source_name, text)], overrides);
        resolve(source_name, text, overrides, data_sets).map_err(|faults| sources.error(faults))
    }

    /// Reads an experiment from the file at `path`, as [`from_toml`](Self::from_toml) does.
    ///
    /// # Errors
    ///
    /// A file that cannot be read as UTF-8; otherwise as [`from_toml`](Self::from_toml).
    pub fn load(path: &Path, overrides: &[String], data_sets: &DataSets) -> Result<Self, ConfigError> {
        let source_name = path.display().to_string();
        let text = read_file(path)?;
        Self::from_toml(&source_name, &text, overrides, data_sets)
    }

    /// Checks the experiment against its data set, once that is known.
    ///
    /// # Errors
    ///
    /// A network that takes other images or tells other classes apart, and numbers of images that the data set does not
    /// have; each with its line in [`to_toml`](Self::to_toml).
    pub fn check_data_set(&self, data_set: &DataSet) -> Result<(), ConfigError> {
        let text = self.to_toml();
        let faults = || -> Result<(), Vec<Fault>> {
            let root = document::parse(&text, 0, 0)?;
            let data_sets = DataSets::any();
            let mut checker = Checker::new(&data_sets);
            let record = checker.section(&keys::EXPERIMENT, &root, None);
            let mut faults = checker.into_faults();
            if faults.is_empty() {
                faults = rules::check_data_set(self, data_set, &record, &data_sets);
            }
            if faults.is_empty() { Ok(()) } else { Err(faults) }
        };
        let name = format!("{}, as config.toml of the run would have it", self.name);
        faults().map_err(|faults| Sources::new(vec![(&name, &text)], &[]).error(faults))
    }

    /// The experiment as TOML with every default written out. [`from_toml`](Self::from_toml) gives an equal one back.
    pub fn to_toml(&self) -> String {
        write::experiment(self)
    }

    /// The first 8 hexadecimal digits of the SHA-256 of [`to_toml`](Self::to_toml): equal for equal experiments.
    pub fn hash(&self) -> String {
        crate::random::short_hash(self.to_toml().as_bytes())
    }
}

/// The text of a config file.
fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(vec![Diagnostic {
            message: format!("the config cannot be read: {error}"),
            location: Location::File { source_name: path.display().to_string() },
            help: suggest::sibling(path),
        }])
    })
}

fn resolve(
    source_name: &str,
    text: &str,
    overrides: &[String],
    data_sets: &DataSets,
) -> Result<Experiment, Vec<Fault>> {
    let mut root = document::parse(text, 0, 0)?;
    let overrides = overrides.iter().enumerate().map(|(index, text)| Override::parse(text, index + 1));
    Override::apply_all(&overrides.collect::<Result<Vec<_>, _>>()?, &mut root)?;
    experiment(&root, &default_name(source_name, "experiment"), data_sets)
}

/// The experiment that a tree describes.
fn experiment(root: &Table, default_name: &str, data_sets: &DataSets) -> Result<Experiment, Vec<Fault>> {
    let mut root = root.clone();
    groups::inherit(&mut root);
    let mut checker = Checker::new(data_sets);
    let record = checker.section(&keys::EXPERIMENT, &root, None);
    let faults = checker.into_faults();
    if faults.is_empty() { resolve::experiment(&record, default_name, data_sets) } else { Err(faults) }
}

/// What is not TOML is the only fault that is told: nothing can be said of the rest.
impl From<SyntaxError> for Vec<Fault> {
    fn from(error: SyntaxError) -> Self {
        vec![Fault::new(error.message, Some(error.span))]
    }
}

/// The file's name without its extension, if that is a valid name.
fn default_name(source_name: &str, otherwise: &str) -> String {
    Path::new(source_name)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|stem| scalar::is_name(stem))
        .unwrap_or(otherwise)
        .to_owned()
}
