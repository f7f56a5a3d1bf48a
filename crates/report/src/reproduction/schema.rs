//! The file of the results as it is, `docs/reproduction.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::measure::Measure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsFile {
    /// What a reader who knows nothing of the sources should know, in Markdown.
    pub(super) introduction: Option<String>,
    /// The folder of the configs, relative to the file.
    pub(super) configs: String,
    /// The file of kept results, relative to the file.
    pub(super) kept: Option<String>,
    /// The sweeps that make the runs, relative to the file.
    #[serde(default)]
    pub(super) sweeps: Vec<String>,
    /// How many runs a config should have, each with a seed of its own.
    pub(super) seeds: Seeds,
    /// What a config takes where its source does not say something, by the config's name.
    #[serde(default, deserialize_with = "by_config")]
    pub(super) taken: BTreeMap<String, String>,
    /// Why a config may stay below what is reported, likewise.
    #[serde(default)]
    pub(super) below: BTreeMap<String, String>,
    pub(super) sources: Vec<Source>,
    pub(super) steps: Option<Steps>,
    pub(super) authors: Option<Authors>,
    #[serde(default)]
    pub(super) mistakes: Vec<Mistake>,
}

/// A note that several configs share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    configs: Vec<String>,
    words: String,
}

fn by_config<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let notes = Vec::<Note>::deserialize(from)?;
    let of_each = |Note { configs, words }: Note| configs.into_iter().map(move |config| (config, words.clone()));
    Ok(notes.into_iter().flat_map(of_each).collect())
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seeds {
    /// Of a config with the settings of its source.
    pub(super) as_published: usize,
    /// Of the others.
    pub(super) ours: usize,
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
    /// The recall of each class on the validation images, in percent, by label.
    #[serde(default)]
    pub(super) recall: Vec<f64>,
    /// The names of configs.
    pub(super) configs: Vec<String>,
    /// The published network, where there is no config.
    pub(super) network: Option<String>,
    /// What else is to be said.
    pub(super) remark: Option<String>,
    /// What else is to be said of the configs with our settings.
    pub(super) remark_on_ours: Option<String>,
}

/// Changes of one thing at a time, and whether they are more than noise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steps {
    /// The source whose single runs they are, by its name.
    pub(super) source: String,
    pub(super) comparisons: Vec<Comparison>,
}

/// Two configs that differ in one thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    /// What differs, in a few words.
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// Networks that a source published with their weights.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authors {
    /// The source, by its name.
    pub(super) source: String,
    /// What the evaluations show.
    #[serde(default)]
    pub(super) findings: Vec<String>,
    pub(super) networks: Vec<AuthorsNetwork>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorsNetwork {
    /// The name of the weights file.
    pub(super) file: String,
    /// Of that file; where absent, any file is taken.
    pub(super) sha256: Option<String>,
    /// Its data, in a word or two.
    pub(super) what: String,
    /// The config that has the network and the data.
    pub(super) config: String,
    pub(super) evaluations: Vec<AuthorsEvaluation>,
}

/// One way to evaluate it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorsEvaluation {
    /// How pixels become numbers, in words.
    pub(super) prepared: String,
    /// The same as settings over the config's, each as `--set` takes it.
    pub(super) set: Vec<String>,
    /// The accuracy that is printed, in the source's words.
    pub(super) reported: Option<String>,
    /// The printed table of precision and recall by class that it is held against; shown if there is one.
    pub(super) table: Option<String>,
    /// The printed columns, shares by label; empty where they are not at hand.
    #[serde(default)]
    pub(super) precision: Vec<f64>,
    #[serde(default)]
    pub(super) recall: Vec<f64>,
}

/// What a write-up got wrong, and what shows it here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mistake {
    pub(super) what: String,
    pub(super) why: String,
    /// Commands that show it.
    pub(super) checks: Vec<String>,
    /// What it changes, by two configs.
    pub(super) comparison: Option<Comparison>,
}

impl ResultsFile {
    pub(super) fn results(&self) -> impl Iterator<Item = &PublishedResult> {
        self.sources.iter().flat_map(|source| &source.results)
    }

    /// The configs that the file names, each once.
    pub(super) fn config_names(&self) -> BTreeSet<String> {
        let comparisons = self.steps.iter().flat_map(|steps| &steps.comparisons);
        let comparisons = comparisons.chain(self.mistakes.iter().filter_map(|it| it.comparison.as_ref()));
        let of_comparisons = comparisons.flat_map(|it| [&it.from, &it.to]);
        let of_authors = self.networks().map(|network| &network.config);
        self.results().flat_map(|it| &it.configs).chain(of_comparisons).chain(of_authors).cloned().collect()
    }

    /// The networks that were published with their weights.
    pub(super) fn networks(&self) -> impl Iterator<Item = &AuthorsNetwork> {
        self.authors.iter().flat_map(|authors| &authors.networks)
    }

    /// The seeds that a config should have.
    pub(super) fn seeds_of(&self, theirs: bool) -> usize {
        if theirs { self.seeds.as_published } else { self.seeds.ours }
    }
}
