//! Each published figure with what the runs of its configs came to.

use backproof_spec::Architecture;
use backproof_train::RunStatus;

use super::collect::Collection;
use super::measure::Measure;
use super::published::{Published, PublishedResult, Source};
use super::run::Run;
use crate::{mean_and_deviation, median};

/// The results of a source.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) source: &'a Source,
    pub(super) rows: Vec<Row<'a>>,
    /// Sentences.
    pub(super) notes: Vec<String>,
    /// Of each figure that is a number, by the best of its configs.
    pub(super) verdicts: Vec<Verdict>,
}

/// A figure by one config.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) verdict: Verdict,
    pub(super) result: &'a PublishedResult,
    pub(super) measure: Measure,
    /// As the source words it.
    pub(super) reported: &'a str,
    pub(super) network: Network,
    /// Absent of what is not trained here.
    pub(super) config: Option<Trained<'a>>,
    /// Mean and sample deviation over the runs.
    pub(super) ours: Option<(f64, Option<f64>)>,
    pub(super) difference: Option<String>,
    /// How many runs the mean is of.
    pub(super) runs: usize,
    /// Median of the time of training.
    pub(super) seconds: Option<f64>,
}

/// What a config says of a run.
#[derive(Debug)]
pub(super) struct Trained<'a> {
    pub(super) name: &'a str,
    pub(super) iterations: usize,
    pub(super) batch_size: usize,
}

#[derive(Debug)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) trainable: usize,
    pub(super) running_statistics: usize,
}

/// How ours compares with what is reported; the later the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// There is no number to compare with.
    NotCompared,
    NotRun,
    Below,
    /// At or above what is reported; of a loss, at or below.
    Reached,
}

/// A section for each source.
pub(super) fn sections<'a>(published: &'a Published, collection: &Collection) -> Vec<Section<'a>> {
    let section = |source: &'a Source| {
        let mut section = Section { source, rows: Vec::new(), notes: Vec::new(), verdicts: Vec::new() };
        for result in &source.results {
            section.add(result, published, collection);
        }
        section.add_reasons(published);
        section
    };
    published.file.sources.iter().map(section).collect()
}

impl<'a> Section<'a> {
    /// Why configs may stay below, each reason once with all of its configs.
    fn add_reasons(&mut self, published: &'a Published) {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.verdict == Verdict::Below) {
            let Some(config) = &row.config else { continue };
            let Some(reason) = published.file.below.get(config.name) else { continue };
            let name = format!("`{}`", config.name);
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        self.notes.extend(reasons.into_iter().map(|(reason, names)| format!("{}: {reason}", names.join(", "))));
    }

    fn add(&mut self, result: &'a PublishedResult, published: &'a Published, collection: &Collection) {
        let first = self.rows.len();
        for (&measure, reported) in &result.reported {
            let before = self.rows.len();
            let untrained = result.untrained().filter(|_| result.configs.is_empty());
            self.rows.extend(untrained.map(|network| untrained_row(result, measure, reported, &network)));
            for name in &result.configs {
                self.rows.push(row(result, measure, reported, name, published, collection));
            }
            let best = self.rows[before..].iter().map(|row| row.verdict).max();
            self.verdicts.extend(best.filter(|best| *best != Verdict::NotCompared));
        }
        for name in &result.configs {
            let rows = self.rows[first..].iter().filter(|row| row.config.as_ref().is_some_and(|it| it.name == name));
            let sentences = sentences(name, &rows.collect::<Vec<_>>(), collection);
            if !sentences.is_empty() && !self.notes.contains(&sentences) {
                self.notes.push(sentences);
            }
        }
        self.notes.extend(result.remark.iter().map(|remark| format!("{}: {remark}", result.what)));
    }
}

fn row<'a>(
    result: &'a PublishedResult,
    measure: Measure,
    reported: &'a str,
    name: &'a str,
    published: &'a Published,
    collection: &Collection,
) -> Row<'a> {
    let experiment = &published.configs[name];
    let runs = collection.of_config(name);
    let figures: Vec<f64> = runs.iter().filter_map(|run: &&Run| measure.of(run, result.epoch)).collect();
    let seconds: Vec<f64> = runs.iter().map(|run| run.training_seconds).collect();
    let ours = mean_and_deviation(&figures);
    // What is no number was refused when the file was read.
    let number = measure.parse(reported).unwrap_or_default();
    let verdict = match (ours, number) {
        (_, None) => Verdict::NotCompared,
        (None, _) => Verdict::NotRun,
        (Some((mean, _)), Some(number)) if measure.is_reached(mean, number) => Verdict::Reached,
        (Some(_), Some(_)) => Verdict::Below,
    };
    let training = &experiment.training;
    Row {
        verdict,
        result,
        measure,
        reported,
        network: Network::of(&experiment.model),
        config: Some(Trained { name, iterations: training.iterations, batch_size: training.batch_size }),
        ours,
        difference: ours.zip(number).map(|((mean, _), number)| measure.difference(mean, number)),
        runs: figures.len(),
        seconds: median(&seconds),
    }
}

fn untrained_row<'a>(
    result: &'a PublishedResult,
    measure: Measure,
    reported: &'a str,
    network: &Architecture,
) -> Row<'a> {
    Row {
        verdict: Verdict::NotCompared,
        result,
        measure,
        reported,
        network: Network::of(network),
        config: None,
        ours: None,
        difference: None,
        runs: 0,
        seconds: None,
    }
}

impl Network {
    fn of(architecture: &Architecture) -> Self {
        // The architecture of a config has been traced when it was read, and so has each published one by the tests.
        let layers = architecture.trace().unwrap_or_default();
        Self {
            name: architecture.name.clone(),
            trainable: layers.iter().map(|layer| layer.weights + layer.biases).sum(),
            running_statistics: layers.iter().map(|layer| layer.running_statistics).sum(),
        }
    }
}

/// What is to be said of a config's `rows`: what has not been run, what has come to nothing, what is below.
fn sentences(config: &str, rows: &[&Row<'_>], collection: &Collection) -> String {
    let mut sentences = Vec::new();
    if rows.iter().all(|row| row.runs == 0) {
        sentences.push("not run.".to_owned());
    } else if let Some(row) = rows.iter().find(|row| row.runs == 0) {
        sentences.push(format!("its runs have no figure for {}.", row.measure.name()));
    }
    for lost in collection.lost.iter().filter(|lost| lost.config == config) {
        let how = if lost.status == RunStatus::Diverged { "diverged" } else { "failed" };
        sentences.push(format!("The run with seed {} {how} and is not in the mean.", lost.seed));
    }
    let below: Vec<String> = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Below)
        .filter_map(|row| Some(format!("{} ({})", row.measure.name(), row.difference.as_ref()?)))
        .collect();
    if !below.is_empty() {
        sentences.push(format!("misses {}.", below.join(", ")));
    }
    if sentences.is_empty() { String::new() } else { format!("`{config}`: {}", sentences.join(" ")) }
}
