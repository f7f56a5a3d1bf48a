//! Each published figure with what the runs of its configs came to, once for each part of the page.

use std::cmp::Ordering;

use super::collect::{Collection, outcome};
use super::measure::{Measure, Number};
use super::published::{Part, Published};
use super::schema::{PublishedResult, Source};
use crate::mean_and_deviation;

/// The results of a source.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) source: &'a Source,
    pub(super) part: Part,
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
    /// Absent of what is not trained with these settings.
    pub(super) config: Option<&'a str>,
    /// Mean and sample deviation over the runs.
    pub(super) ours: Option<(f64, Option<f64>)>,
    pub(super) difference: Option<String>,
    /// How many runs the mean is of.
    pub(super) runs: usize,
}

/// How a reported figure compares with ours; the later the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// There is no number to compare with.
    NotCompared,
    NotRun,
    /// One run has no deviation.
    OneRun,
    /// The reported figure is less than ours by more than two deviations.
    ReportedBelow,
    /// The reported figure is more than ours by more than two deviations.
    ReportedAbove,
    /// Within two deviations of ours.
    Within,
    /// Ours is below what is reported; of a loss, above.
    Missed,
    Reached,
}

impl Verdict {
    /// Whether the figure counts in the first sentence of the page.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Within | Self::Reached)
    }

    fn of(part: Part, measure: Measure, ours: Option<(f64, Option<f64>)>, number: Option<Number>) -> Self {
        match (part, ours, number) {
            (_, _, None) => Self::NotCompared,
            (_, None, _) => Self::NotRun,
            (Part::Ours, Some((mean, _)), Some(number)) if measure.is_reached(mean, number.value) => Self::Reached,
            (Part::Ours, ..) => Self::Missed,
            (Part::Theirs, Some((_, None)), _) => Self::OneRun,
            (Part::Theirs, Some((mean, Some(deviation))), Some(number)) => match number.against(mean, deviation) {
                Ordering::Less => Self::ReportedBelow,
                Ordering::Equal => Self::Within,
                Ordering::Greater => Self::ReportedAbove,
            },
        }
    }
}

/// A section for each source; without those that have nothing to show.
pub(super) fn sections<'a>(published: &'a Published, collection: &Collection, part: Part) -> Vec<Section<'a>> {
    let section = |source: &'a Source| {
        let mut section = Section { source, part, rows: Vec::new(), notes: Vec::new(), verdicts: Vec::new() };
        for result in &source.results {
            section.add(result, collection);
        }
        section.add_reasons(published);
        section
    };
    published.file.sources.iter().map(section).filter(|section| !section.rows.is_empty()).collect()
}

impl<'a> Section<'a> {
    fn add(&mut self, result: &'a PublishedResult, collection: &Collection) {
        let first = self.rows.len();
        for (&measure, reported) in &result.reported {
            let before = self.rows.len();
            for name in result.configs_of(self.part) {
                self.rows.push(row(self.part, result, measure, reported, Some(name), collection));
            }
            let without = row(self.part, result, measure, reported, None, collection);
            let is_told = without.verdict == Verdict::NotRun || self.part == Part::Ours && result.untrained().is_some();
            if self.rows.len() == before && is_told {
                self.rows.push(without);
            }
            let best = self.rows[before..].iter().map(|row| row.verdict).max();
            self.verdicts.extend(best.filter(|best| *best != Verdict::NotCompared));
        }
        for name in result.configs_of(self.part) {
            let rows = self.rows[first..].iter().filter(|row| row.config == Some(name));
            let sentences = sentences(name, &rows.collect::<Vec<_>>(), collection);
            if !sentences.is_empty() && !self.notes.contains(&sentences) {
                self.notes.push(sentences);
            }
        }
        if self.rows.len() > first {
            let of_ours = result.remark_on_ours.iter().filter(|_| self.part == Part::Ours);
            let remarks = result.remark.iter().chain(of_ours);
            self.notes.extend(remarks.map(|remark| format!("{}: {remark}", result.what)));
        }
    }

    /// Why configs may stay below, each reason once with all of its configs.
    fn add_reasons(&mut self, published: &'a Published) {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for row in &self.rows {
            let Some(config) = row.config else { continue };
            let below = published.file.below.get(config);
            let Some(reason) = below.filter(|_| row.verdict == Verdict::Missed) else { continue };
            let name = format!("`{config}`");
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        self.notes.extend(reasons.into_iter().map(|(reason, names)| format!("{}: {reason}", names.join(", "))));
    }
}

fn row<'a>(
    part: Part,
    result: &'a PublishedResult,
    measure: Measure,
    reported: &'a str,
    config: Option<&'a str>,
    collection: &Collection,
) -> Row<'a> {
    let runs = config.map_or_else(Vec::new, |name| collection.of_config(name));
    let figures: Vec<f64> = runs.iter().filter_map(|run| run.figure(measure, result.epoch)).collect();
    let ours = mean_and_deviation(&figures);
    // What is no number was refused when the file was read.
    let number = measure.parse(reported).unwrap_or_default();
    Row {
        verdict: Verdict::of(part, measure, ours, number),
        result,
        measure,
        reported,
        config,
        ours,
        difference: ours.zip(number).map(|((mean, _), number)| measure.difference(mean, number.value)),
        runs: figures.len(),
    }
}

/// What is to be said of a config's `rows`: what has no figure, and what has come to nothing.
fn sentences(config: &str, rows: &[&Row<'_>], collection: &Collection) -> String {
    let mut sentences = Vec::new();
    if rows.iter().any(|row| row.runs > 0) {
        let without = rows.iter().filter(|row| row.runs == 0);
        sentences.extend(without.map(|row| format!("Its runs have no figure for {}.", row.measure.name())));
    }
    for lost in collection.lost.iter().filter(|lost| lost.config == config) {
        sentences.push(format!("The run with seed {} {} and is not in the mean.", lost.seed, outcome(lost.status)));
    }
    if sentences.is_empty() { String::new() } else { format!("`{config}`: {}", sentences.join(" ")) }
}
