//! Sweeps: a base experiment, and what varies between its runs.
//!
//! [`file`] reads the sweep's own keys into axes; a grid key is an axis with a choice a value, the list of points is one, the
//! seeds are one. [`product`] makes every combination, applies it to the base as `--set` would, and checks it as a config is
//! checked. A fault is shown where it stands, in the sweep's file, in the base or in an override.

mod file;
mod product;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::document::Value;
use super::sources::Sources;
use super::{check::Fault, document, overrides::Override};
use crate::{ConfigError, Sweep};
use file::Declared;

/// Numbers of the texts that spans point into; `--set` follows.
const SWEEP: usize = 0;
const BASE: usize = 1;
const FIRST_OVERRIDE: usize = 2;

pub(crate) fn load(path: &Path, overrides: &[String]) -> Result<Sweep, ConfigError> {
    let name = path.display().to_string();
    read(&name, &super::read_file(path)?, overrides, super::read_file)
}

/// As [`load`], with the base from `read_base`.
pub(crate) fn read(
    name: &str,
    text: &str,
    overrides: &[String],
    read_base: impl FnOnce(&Path) -> Result<String, ConfigError>,
) -> Result<Sweep, ConfigError> {
    let alone = Sources::new(vec![(name, text), ("", "")], overrides);
    let declared = Declared::read(name, text).map_err(|faults| alone.error(faults))?;

    let base_path = Path::new(name).parent().unwrap_or(Path::new("")).join(&declared.base);
    let base_name = base_path.display().to_string();
    let base_text = read_base(&base_path).map_err(|error| {
        let diagnostic = &error.diagnostics()[0];
        let mut fault = Fault::new(format!("{} ({base_name})", diagnostic.message), Some(declared.base_span));
        fault.help.clone_from(&diagnostic.help);
        alone.error(vec![fault])
    })?;
    // What is wrong with the base alone is told as of any config.
    super::read(&base_name, &base_text, &[])?;

    let sources = Sources::new(vec![(name, text), (&base_name, &base_text)], overrides);
    let runs = || -> Result<Sweep, Vec<Fault>> {
        let root = document::parse(&base_text, BASE, 0)?;
        let mut last = Vec::new();
        for (index, text) in overrides.iter().enumerate() {
            last.push(Override::parse(text, FIRST_OVERRIDE + index)?);
        }
        product::sweep(&declared, &root, &super::default_name(&base_name, "experiment"), &last, &sources)
    };
    runs().map_err(|faults| sources.error(faults))
}

pub(crate) fn is_sweep(text: &str) -> bool {
    // `name` and `set` say little, and `seeds` may be a misspelt `seed`.
    let own = |key: &str| matches!(key, "base" | "grid" | "points");
    document::parse(text, 0, 0).is_ok_and(|table| table.iter().any(|entry| own(&entry.key)))
}

/// A table that is a value as a whole, `{ type = "cosine" }`, and not keys with dots.
fn is_value(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.iter().any(|entry| entry.key == "type") || table.is_empty(),
        _ => true,
    }
}
