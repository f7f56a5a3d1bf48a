//! What is reported, and by which configs it is reproduced: the file of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use backproof_data::data_sets;
use backproof_spec::{Architecture, Experiment, published};

use super::measure::{Measure, Number};
use super::schema::{AuthorsNetwork, Comparison, PublishedResult, ResultsFile};
use crate::ReportError;

/// `docs/reproduction.toml`, and the configs that it names.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) file: ResultsFile,
    /// Where it is.
    pub(super) path: PathBuf,
    /// By the name in the file.
    pub(super) configs: BTreeMap<String, Experiment>,
}

/// Whose settings a config has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The source's.
    Theirs,
    Ours,
}

impl Part {
    /// By the name of the config.
    pub(super) fn of(config: &str) -> Self {
        if config.ends_with("-as-published") { Self::Theirs } else { Self::Ours }
    }
}

impl Published {
    /// Reads the file and every config that it names.
    pub(super) fn load(path: &Path) -> Result<Self, ReportError> {
        let fault = |reason: String| ReportError::Results { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let file: ResultsFile =
            toml::from_str(&text).map_err(|error| fault(error.to_string().trim_end().to_owned()))?;
        for result in file.results() {
            check(result).map_err(fault)?;
        }
        let mut published = Self { file, path: path.to_owned(), configs: BTreeMap::new() };
        for name in published.file.config_names() {
            let experiment = published.config(&name, &[])?;
            if experiment.name != name {
                let found = experiment.name;
                return Err(fault(format!("the config {name}.toml calls its experiment `{found}`")));
            }
            published.configs.insert(name, experiment);
        }
        published.check().map_err(fault)?;
        Ok(published)
    }

    /// A config of the folder with other settings, each as `--set` takes it.
    pub(super) fn config(&self, name: &str, set: &[String]) -> Result<Experiment, ReportError> {
        let folder = self.beside(&self.file.configs);
        Ok(Experiment::load(&folder.join(format!("{name}.toml")), set, &data_sets())?)
    }

    /// A path that is relative to the file.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    /// Where results are kept.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.file.kept.as_ref().map(|name| self.beside(name))
    }

    /// What cannot be seen in a result alone.
    fn check(&self) -> Result<(), String> {
        let of_results: BTreeSet<&String> = self.file.results().flat_map(|result| &result.configs).collect();
        for (section, notes) in [("taken", &self.file.taken), ("below", &self.file.below)] {
            if let Some(name) = notes.keys().find(|name| !of_results.contains(name)) {
                return Err(format!("`{name}` under [{section}] is no config of any result"));
            }
        }
        if let Some(steps) = &self.file.steps {
            for Comparison { name, from, to } in &steps.comparisons {
                for config in [from, to] {
                    if self.reported_test(&steps.source, config).is_none() {
                        let source = &steps.source;
                        return Err(format!("the step `{name}`: {source} reports no test accuracy of `{config}`"));
                    }
                }
            }
        }
        for network in self.file.networks() {
            network.check(&self.configs[&network.config])?;
        }
        Ok(())
    }

    /// The accuracy on the test images that a source reports, of the result that names this config; a share.
    pub(super) fn reported_test(&self, source: &str, config: &str) -> Option<f64> {
        let source = self.file.sources.iter().find(|it| it.name == source)?;
        let result = source.results.iter().find(|result| result.configs.iter().any(|name| name == config))?;
        let number: Option<Number> = Measure::Test.parse(result.reported.get(&Measure::Test)?).ok()?;
        Some(number?.value)
    }
}

impl AuthorsNetwork {
    /// Whether printed columns have an entry for each class.
    fn check(&self, config: &Experiment) -> Result<(), String> {
        let classes = config.model.classes().unwrap_or_default();
        for evaluation in &self.evaluations {
            for (name, column) in [("precision", &evaluation.precision), ("recall", &evaluation.recall)] {
                if !column.is_empty() && column.len() != classes {
                    let found = column.len();
                    return Err(format!(
                        "{}: `{name}` has {found} numbers; expected {classes}, one a class",
                        self.file
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a result, in words.
fn check(result: &PublishedResult) -> Result<(), String> {
    let place = format!("the result `{}`", result.what);
    for (measure, words) in &result.reported {
        measure.parse(words).map_err(|reason| format!("{place}: {reason}"))?;
        if *measure == Measure::Test && result.epoch.is_some() {
            return Err(format!("{place}: the test images are evaluated at the end, not at an epoch"));
        }
    }
    match &result.network {
        None if result.configs.is_empty() => Err(format!("{place} has neither `configs` nor a `network`")),
        Some(name) if published::by_name(name).is_none() => Err(format!("{place}: there is no network `{name}`")),
        _ => Ok(()),
    }
}

impl PublishedResult {
    /// The network that the source describes, where no config has it.
    pub(super) fn untrained(&self) -> Option<Architecture> {
        published::by_name(self.network.as_deref()?).filter(|_| self.configs.is_empty())
    }

    /// Its configs with these settings.
    pub(super) fn configs_of(&self, part: Part) -> impl Iterator<Item = &String> {
        self.configs.iter().filter(move |name| Part::of(name) == part)
    }
}
