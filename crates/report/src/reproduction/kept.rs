//! Results that are kept: what the page needs of runs whose folders are gone, or on another machine.
//!
//! The file holds one line a run, and the config of the runs once, with every default written out. An entry counts as
//! long as that config is the one of today, compared key by key: a key that a later version adds, with a default that
//! changes nothing, makes no run worthless.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use backproof_spec::{DataSets, Experiment, counted};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::authors::AuthorsResult;
use super::collect::{Collection, OmittedRun};
use super::identity::difference;
use super::published::Published;
use super::run::Run;
use crate::ReportError;

/// The version of the file.
pub(super) const KEPT_SCHEMA: u64 = 1;

/// What of the file is still true.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) runs: Vec<Run>,
    pub(super) authors: Vec<AuthorsResult>,
    pub(super) left_out: Vec<OmittedRun>,
    /// What does not count today, with its settings: another day it may, once a config is as it was.
    pub(super) others: Others,
}

/// Entries of the file that are not on the page.
#[derive(Debug, Default)]
pub(super) struct Others {
    settings: BTreeMap<String, String>,
    runs: Vec<Entry>,
    authors: Vec<AuthorsResult>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFile {
    #[serde(rename = "schema_version")]
    _schema_version: u64,
    /// A resolved config as TOML, by its hash.
    settings: BTreeMap<String, String>,
    runs: Vec<Entry>,
    authors: Vec<AuthorsResult>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// A key of the settings.
    settings: String,
    run: Run,
}

impl Kept {
    /// Reads the file; nothing is kept where there is none.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is damaged or has another schema version.
    pub(super) fn read(path: &Path, published: &Published) -> Result<Self, ReportError> {
        let fault = |reason: String| ReportError::Kept { path: path.to_owned(), reason };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(fault(format!("cannot be read ({error})"))),
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| fault(format!("is damaged ({error})")))?;
        // Looked at before anything else: of what another version has, nothing is known.
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(KEPT_SCHEMA) => {}
            Some(other) => return Err(fault(format!("has schema version {other}; expected version {KEPT_SCHEMA}"))),
            None => return Err(fault(format!("has no schema version; expected version {KEPT_SCHEMA}"))),
        }
        // Of the text and not of the value, so that an error has its line.
        let file: KeptFile = serde_json::from_str(&text).map_err(|error| fault(format!("is damaged ({error})")))?;
        let mut settings = BTreeMap::new();
        for (key, text) in &file.settings {
            settings.insert(key, Experiment::from_toml("a kept config", text, &[], &DataSets::any()));
        }
        let mut kept = Self::default();
        kept.others.settings = file.settings.clone();
        let mut omitted: BTreeMap<(String, String), usize> = BTreeMap::new();
        for Entry { settings: key, run } in file.runs {
            let reason = match (settings.get(&key), published.configs.get(&run.config)) {
                (None, _) => {
                    return Err(fault(format!("is damaged (a run of {} has no settings {key})", run.config)));
                }
                (Some(Ok(experiment)), _) if experiment.name != run.config => {
                    let of = &experiment.name;
                    return Err(fault(format!("is damaged (a run of {} has the settings of {of})", run.config)));
                }
                (_, None) => Some("is no config of the results".to_owned()),
                // As another version wrote them, with a key or a value that is gone.
                (Some(Err(error)), _) => {
                    let error = error.to_string();
                    Some(format!("has settings that are no longer valid: {}", error.lines().next().unwrap_or_default()))
                }
                (Some(Ok(experiment)), Some(config)) => {
                    difference(experiment, config).map(|it| format!("has other settings: {it}"))
                }
            };
            match reason {
                None => kept.runs.push(run),
                Some(reason) => {
                    *omitted.entry((run.config.clone(), reason)).or_default() += 1;
                    kept.others.runs.push(Entry { settings: key, run });
                }
            }
        }
        for network in file.authors {
            match network.differs(published) {
                None => kept.authors.push(network),
                Some(reason) => {
                    *omitted.entry((network.file.clone(), reason)).or_default() += 1;
                    kept.others.authors.push(network);
                }
            }
        }
        let say = |((name, reason), count)| OmittedRun {
            folder: path.to_owned(),
            reason: format!("{} of {name}: {reason}", counted(count, "result")),
        };
        kept.left_out = omitted.into_iter().map(say).collect();
        Ok(kept)
    }
}

/// The file with all runs of the page and those that did not count, one a line, so that a change of it can be read.
pub(super) fn text(
    published: &Published,
    collection: &Collection,
    authors: &[AuthorsResult],
    others: &Others,
) -> String {
    let mut settings = BTreeMap::new();
    let mut lines = Vec::new();
    for run in collection.runs.iter().chain(&collection.lost) {
        let experiment = &published.configs[&run.config];
        settings.insert(experiment.hash(), experiment.to_toml());
        lines.push(json(&Entry { settings: experiment.hash(), run: run.clone() }));
    }
    for entry in &others.runs {
        settings.insert(entry.settings.clone(), others.settings[&entry.settings].clone());
        lines.push(json(entry));
    }
    let settings: Vec<String> = settings.iter().map(|(key, toml)| format!("{}: {}", json(key), json(toml))).collect();
    // Of a file that was evaluated now, the older evaluation is worth nothing.
    let older = others.authors.iter().filter(|older| authors.iter().all(|newer| newer.file != older.file));
    let authors: Vec<String> = authors.iter().chain(older).map(json).collect();
    let list = |lines: &[String]| if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join(",\n")) };
    format!(
        "{{\n\"schema_version\": {KEPT_SCHEMA},\n\"settings\": {{{}}},\n\"runs\": [{}],\n\"authors\": [{}]\n}}\n",
        list(&settings),
        list(&lines),
        list(&authors)
    )
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our types have string keys only")
}
