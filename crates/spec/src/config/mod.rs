//! Configs: TOML in and out.
//!
//! Reading has two stages. The text becomes a tree in which every key and value knows where it stands, [`document`], to
//! which the [`overrides`] are applied. [`check`] holds the tree against the description of a config in [`keys`]: every
//! key that no config has, every value of the wrong kind or out of range is reported, and every absent key gets its
//! default. [`mod@resolve`] then makes an [`Experiment`] of it, and [`rules`] applies those rules that need more than one
//! key. serde is not asked to read: inside enums with a tag it forgets where a value stood.
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
mod resolve;
mod rules;
mod schema;
mod suggest;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;

use check::{Checker, Fault};
use document::{Span, SyntaxError};

use crate::Experiment;

pub use defaults::defaults;
pub use error::{ConfigError, Diagnostic, Excerpt, Location};
pub use schema::schema;
pub use suggest::closest as nearest;
pub(crate) use write::experiment as write;

pub(crate) fn read(source_name: &str, text: &str, overrides: &[String]) -> Result<Experiment, ConfigError> {
    resolve(source_name, text, overrides).map_err(|faults| {
        let mut faults = faults;
        faults.sort_by_key(|fault| fault.span);
        let sources = Sources { source_name, text, overrides };
        ConfigError::new(faults.into_iter().map(|fault| sources.diagnostic(fault)).collect())
    })
}

pub(crate) fn load(path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
    let source_name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(vec![Diagnostic {
            message: format!("the config cannot be read: {error}"),
            location: Location::File { source_name: source_name.clone() },
            help: suggest::sibling(path),
        }])
    })?;
    read(&source_name, &text, overrides)
}

fn resolve(source_name: &str, text: &str, overrides: &[String]) -> Result<Experiment, Vec<Fault>> {
    let syntax = |error: SyntaxError| vec![Fault::new(error.message, Some(error.span))];
    let mut root = document::parse(text, 0, 0).map_err(syntax)?;
    for (index, text) in overrides.iter().enumerate() {
        overrides::apply(&mut root, text, index + 1).map_err(syntax)?;
    }
    let mut checker = Checker::default();
    let record = checker.section(&keys::EXPERIMENT, &root, None);
    let faults = checker.into_faults();
    if !faults.is_empty() {
        return Err(faults);
    }
    resolve::experiment(&record, &default_name(source_name))
}

/// The file's name without its extension, where that is a name at all.
fn default_name(source_name: &str) -> String {
    Path::new(source_name)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|stem| check::is_name(stem))
        .unwrap_or("experiment")
        .to_owned()
}

/// The texts that spans point into.
struct Sources<'a> {
    source_name: &'a str,
    text: &'a str,
    overrides: &'a [String],
}

impl Sources<'_> {
    fn diagnostic(&self, fault: Fault) -> Diagnostic {
        Diagnostic { location: self.location(fault.span), message: fault.message, help: fault.help }
    }

    fn location(&self, span: Option<Span>) -> Location {
        let source_name = self.source_name.to_owned();
        let Some(Span { source, start, end }) = span else {
            return Location::File { source_name };
        };
        match source.checked_sub(1) {
            None => {
                let (line, excerpt) = Excerpt::of(self.text, start, end);
                Location::Line { source_name, line, excerpt }
            }
            // One line, whatever the shell let through.
            Some(index) => Location::Override {
                excerpt: Excerpt::of(&self.overrides[index].replace(['\n', '\r'], " "), start, end).1,
            },
        }
    }
}
