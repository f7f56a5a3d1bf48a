//! What is reported, and by which configs it is reproduced: the file of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use backproof_data::data_sets;
use backproof_spec::{Architecture, Experiment, published};
use serde::Deserialize;

use super::measure::Measure;
use crate::ReportError;

/// `docs/reproduction.toml`, and the configs that it names.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) file: ResultsFile,
    /// By the name in the file.
    pub(super) configs: BTreeMap<String, Experiment>,
}

/// The file as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsFile {
    /// The folder of the configs, relative to the file.
    pub(super) configs: String,
    /// How many runs a config should have, each with a seed of its own.
    pub(super) seeds: usize,
    /// Why a config may stay below what is reported, by the config's name.
    #[serde(default)]
    pub(super) below: BTreeMap<String, String>,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) document: String,
    pub(super) results: Vec<PublishedResult>,
}

/// One result of a source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedResult {
    /// The data, and what is special.
    pub(super) what: String,
    /// The figures as the source words them.
    pub(super) reported: BTreeMap<Measure, String>,
    /// Where the figures are not of the end: after so many epochs.
    pub(super) epoch: Option<f64>,
    /// The names of configs, ours first.
    pub(super) configs: Vec<String>,
    /// The published network, where there is no config.
    pub(super) network: Option<String>,
    /// What else is to be said.
    pub(super) remark: Option<String>,
}

impl Published {
    /// Reads the file and every config that it names.
    pub(super) fn load(path: &Path) -> Result<Self, ReportError> {
        let fault = |reason: String| ReportError::Results { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let file: ResultsFile =
            toml::from_str(&text).map_err(|error| fault(error.to_string().trim_end().to_owned()))?;
        let folder = path.parent().unwrap_or(Path::new("")).join(&file.configs);
        let mut configs = BTreeMap::new();
        for result in file.results() {
            let place = || format!("the result `{}`", result.what);
            for (measure, words) in &result.reported {
                measure.parse(words).map_err(|reason| fault(format!("{}: {reason}", place())))?;
                if *measure == Measure::Test && result.epoch.is_some() {
                    return Err(fault(format!(
                        "{}: the test images are evaluated at the end, not at an epoch",
                        place()
                    )));
                }
            }
            match &result.network {
                None if result.configs.is_empty() => {
                    return Err(fault(format!("{} has neither `configs` nor a `network`", place())));
                }
                Some(name) if published::by_name(name).is_none() => {
                    return Err(fault(format!("{}: there is no network `{name}`", place())));
                }
                _ => {}
            }
            for name in &result.configs {
                if !configs.contains_key(name) {
                    let experiment = Experiment::load(&folder.join(format!("{name}.toml")), &[], &data_sets())?;
                    if experiment.name != *name {
                        let found = experiment.name;
                        return Err(fault(format!("the config {name}.toml calls its experiment `{found}`")));
                    }
                    configs.insert(name.clone(), experiment);
                }
            }
        }
        let known: BTreeSet<&String> = configs.keys().collect();
        if let Some(name) = file.below.keys().find(|name| !known.contains(name)) {
            return Err(fault(format!("`{name}` under [below] is no config of any result")));
        }
        Ok(Self { file, configs })
    }
}

impl ResultsFile {
    fn results(&self) -> impl Iterator<Item = &PublishedResult> {
        self.sources.iter().flat_map(|source| &source.results)
    }
}

impl PublishedResult {
    /// The network that the source describes, where no config has it.
    pub(super) fn untrained(&self) -> Option<Architecture> {
        published::by_name(self.network.as_deref()?)
    }
}
