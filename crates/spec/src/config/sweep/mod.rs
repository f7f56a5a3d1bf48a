//! Sweeps: one base experiment or several, and what varies between the runs.
//!
//! [`file`] reads the sweep's own keys into axes; a grid key is an axis with a choice a value, the list of points is
//! one, the seeds are one. [`product`] makes every combination, applies it to the base as `--set` would, and checks it
//! as a config is checked. A fault is shown where it stands, in the sweep's file, in the base or in an override.

mod file;
mod product;
mod schema;
mod texts;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::sources::Sources;
use super::{check::Fault, document, overrides::Override};
use crate::{ConfigError, DataSets, Experiment, Sweep};
use file::{Base, Declared};
use texts::{BaseConfig, FIRST_BASE};

pub use schema::sweep_schema;

impl Sweep {
    /// Reads the sweep in the file at `path`. `overrides` are as [`Experiment::load`] takes them; they hold for every
    /// run, and so do `data_sets`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the sweep, with its base, or with any run: unknown keys, wrong values, values that do not
    /// go together, two runs that are the same, too many runs. Each with its line.
    pub fn load(path: &Path, overrides: &[String], data_sets: &DataSets) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        read(&name, &super::read_file(path)?, overrides, data_sets, super::read_file)
    }

    /// Whether the text of a config file describes a sweep, valid or not, and not an experiment.
    pub fn is_sweep(text: &str) -> bool {
        // `name` and `set` say little, and `seeds` may be a misspelt `seed`.
        let own = |key: &str| matches!(key, "base" | "grid" | "points");
        document::parse(text, 0, 0).is_ok_and(|table| table.iter().any(|entry| own(&entry.key)))
    }
}

/// As [`Sweep::load`], with the base from `read_base`.
pub(crate) fn read(
    name: &str,
    text: &str,
    overrides: &[String],
    data_sets: &DataSets,
    read_base: impl Fn(&Path) -> Result<String, ConfigError>,
) -> Result<Sweep, ConfigError> {
    let alone = Sources::new(vec![(name, text)], &[]);
    let declared = Declared::read(name, text).map_err(|faults| alone.error(faults))?;

    let mut base_texts = Vec::new();
    for Base { path, span } in declared.bases() {
        let base_path = Path::new(name).parent().unwrap_or(Path::new("")).join(path);
        let base_name = base_path.display().to_string();
        let base_text = read_base(&base_path).map_err(|error| {
            let diagnostic = &error.diagnostics()[0];
            let mut fault = Fault::new(format!("{} ({base_name})", diagnostic.message), Some(*span));
            fault.help.clone_from(&diagnostic.help);
            alone.error(vec![fault])
        })?;
        // What is wrong with a base alone is told as of any config.
        Experiment::from_toml(&base_name, &base_text, &[], data_sets)?;
        base_texts.push((path.clone(), base_name, base_text));
    }

    let mut files = vec![(name, text)];
    files.extend(base_texts.iter().map(|(_, name, text)| (name.as_str(), text.as_str())));
    let first_override = files.len();
    let sources = Sources::new(files, overrides);
    let runs = || -> Result<Sweep, Vec<Fault>> {
        let mut bases = Vec::new();
        for (index, (path, name, text)) in base_texts.iter().enumerate() {
            let root = document::parse(text, FIRST_BASE + index, 0)?;
            let default_name = super::default_name(name, "experiment");
            bases.push(BaseConfig { path: path.clone(), root, default_name });
        }
        let mut last = Vec::new();
        for (index, text) in overrides.iter().enumerate() {
            last.push(Override::parse(text, first_override + index)?);
        }
        product::sweep(&declared, &bases, &last, data_sets, &sources)
    };
    runs().map_err(|faults| sources.error(faults))
}
