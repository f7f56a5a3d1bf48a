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
mod format;
mod keys;
mod model;
mod overrides;
mod record;
mod replacement;
mod resolve;
mod rules;
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
pub(crate) use record::Record;
pub use schema::schema;
pub use suggest::closest as nearest;
pub use sweep::sweep_schema;
pub(crate) use write::{Entries, experiment as write};

pub(crate) fn read(
    source_name: &str,
    text: &str,
    overrides: &[String],
    data_sets: &DataSets,
) -> Result<Experiment, ConfigError> {
    let sources = Sources::new(vec![(source_name, text)], overrides);
    resolve(source_name, text, overrides, data_sets).map_err(|faults| sources.error(faults))
}

pub(crate) fn load(path: &Path, overrides: &[String], data_sets: &DataSets) -> Result<Experiment, ConfigError> {
    let source_name = path.display().to_string();
    let text = read_file(path)?;
    read(&source_name, &text, overrides, data_sets)
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

/// What of `experiment`, as it is written out, does not go with `data_set`.
pub(crate) fn check_data_set(experiment: &Experiment, data_set: &DataSet) -> Result<(), ConfigError> {
    let text = write(experiment);
    let faults = || -> Result<(), Vec<Fault>> {
        let root = document::parse(&text, 0, 0)?;
        let data_sets = DataSets::any();
        let mut checker = Checker::new(&data_sets);
        let record = checker.section(&keys::EXPERIMENT, &root, None);
        let mut faults = checker.into_faults();
        if faults.is_empty() {
            faults = rules::check_data_set(experiment, data_set, &record, &data_sets);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    };
    let name = format!("{}, as config.toml of the run would have it", experiment.name);
    faults().map_err(|faults| Sources::new(vec![(&name, &text)], &[]).error(faults))
}

fn resolve(
    source_name: &str,
    text: &str,
    overrides: &[String],
    data_sets: &DataSets,
) -> Result<Experiment, Vec<Fault>> {
    let mut root = document::parse(text, 0, 0)?;
    for (index, text) in overrides.iter().enumerate() {
        Override::parse(text, index + 1)?.apply(&mut root)?;
    }
    experiment(&root, &default_name(source_name, "experiment"), data_sets)
}

/// The experiment that a tree describes.
fn experiment(root: &Table, default_name: &str, data_sets: &DataSets) -> Result<Experiment, Vec<Fault>> {
    let mut checker = Checker::new(data_sets);
    let record = checker.section(&keys::EXPERIMENT, root, None);
    let faults = checker.into_faults();
    if faults.is_empty() { resolve::experiment(&record, default_name, data_sets) } else { Err(faults) }
}

/// What is not TOML is the only fault that is told: nothing can be said of the rest.
impl From<SyntaxError> for Vec<Fault> {
    fn from(error: SyntaxError) -> Self {
        vec![Fault::new(error.message, Some(error.span))]
    }
}

/// The file's name without its extension, where that is a name at all.
fn default_name(source_name: &str, otherwise: &str) -> String {
    Path::new(source_name)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|stem| check::is_name(stem))
        .unwrap_or(otherwise)
        .to_owned()
}
