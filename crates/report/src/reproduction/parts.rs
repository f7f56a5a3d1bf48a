//! The two parts of the page: what is published beside ours, with the sources' settings and with our own.

use std::collections::BTreeMap;

use backproof_data::data_sets;
use backproof_spec::{Architecture, thousands};

use super::collect::Collection;
use super::published::{Part, Published};
use super::rows::{Row, Section, Verdict};
use super::schema::PublishedResult;
use super::words::{NOTHING, cell, row, seeds, sentence};
use crate::{markdown_code, mean_and_deviation, median};

const HEAD: &str = "| result | figure | reported | ours | difference | seeds | verdict | config |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- |
";

/// The verdict as one sign.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached | Verdict::Within => "✓",
        Verdict::Missed => "✗",
        Verdict::ReportedAbove => "▲",
        Verdict::ReportedBelow => "▼",
        Verdict::NotRun | Verdict::OneRun => NOTHING,
        Verdict::NotCompared => "",
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "reached",
        Verdict::Within => "within",
        Verdict::Missed => "not reached",
        Verdict::ReportedAbove => "reported is above",
        Verdict::ReportedBelow => "reported is below",
        Verdict::NotRun => "not run",
        Verdict::OneRun => "one seed",
        Verdict::NotCompared => "",
    }
}

/// A part: a table for each source, with its notes.
pub(super) fn part(published: &Published, collection: &Collection, sections: &[Section<'_>], part: Part) -> String {
    let mut text = introduction(published, part);
    let taken = Taken::of(published, sections);
    for section in sections {
        let (name, document) = (cell(&section.source.name), cell(&sentence(&section.source.document)));
        text += &format!("\n### {name}, {}\n\n{document}\n\n{HEAD}", whose(part));
        for row in &section.rows {
            text += &line(row, published, part, &taken);
        }
        for result in &section.source.results {
            text += &recall(result, published, collection, part);
        }
        if !section.notes.is_empty() {
            text.push('\n');
        }
        for note in &section.notes {
            text += &format!("- {}\n", cell(note));
        }
    }
    text + &taken.section()
}

/// What the configs take where a source says nothing, each once, in the order of the rows.
struct Taken<'a>(Vec<&'a str>);

impl<'a> Taken<'a> {
    fn of(published: &'a Published, sections: &[Section<'_>]) -> Self {
        let mut notes: Vec<&str> = Vec::new();
        for config in sections.iter().flat_map(|section| &section.rows).filter_map(|row| row.config) {
            let note = published.file.taken.get(config).map(String::as_str);
            notes.extend(note.filter(|note| !notes.contains(note)));
        }
        Self(notes)
    }

    /// The number of a config's note, as a link; nothing of a config without one.
    fn link(&self, config: &str, published: &Published) -> String {
        let note = published.file.taken.get(config);
        let number = note.and_then(|note| self.0.iter().position(|other| other == note));
        number.map_or_else(String::new, |number| {
            format!(" <sup>[{}](#where-a-source-does-not-say-something)</sup>", number + 1)
        })
    }

    fn section(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut text = "\n### Where a source does not say something\n\n".to_owned();
        for (number, note) in self.0.iter().enumerate() {
            text += &format!("{}. {}\n", number + 1, cell(note));
        }
        text
    }
}

fn whose(part: Part) -> &'static str {
    match part {
        Part::Theirs => "with the source's settings",
        Part::Ours => "with our settings",
    }
}

fn introduction(published: &Published, part: Part) -> String {
    match part {
        Part::Theirs => format!(
            "\n## Part 1: With the sources' settings

Each network is trained as its source trained it: images, inputs, initialisation, optimizer and length are the source's. \
The configs end in `-as-published`. Ours is the mean ± sample standard deviation over the seeds, of which at least {} are \
wanted. A source reports one run, so it lies within two deviations of our mean in most cases, even if everything is \
reproduced.

| | the reported figure |
| :-: | --- |
| ✓ | lies within two standard deviations of our mean; “above 70 %” does so if any higher figure does |
| ▲ | is higher than that |
| ▼ | is lower than that |
| {NOTHING} | has no runs to compare with, or only one; without a config, the settings of the source are not known here |

Without a sign, the source has no number. A small number beside a config leads to what it takes where the source does not \
say something.
",
            published.file.seeds.as_published
        ),
        Part::Ours => format!(
            "\n## Part 2: With our settings

What the same networks reach with our learning rates, schedules and inputs, over at least {} seeds.

| | the reported figure |
| :-: | --- |
| ✓ | is reached: our mean is at or above it; of a loss, at or below |
| ✗ | is not reached |
| {NOTHING} | has no runs to compare with |
",
            published.file.seeds.ours
        ),
    }
}

fn line(it: &Row<'_>, published: &Published, part: Part, taken: &Taken<'_>) -> String {
    let nothing = || NOTHING.to_owned();
    let wanted = published.file.seeds_of(part == Part::Theirs);
    let verdict = format!("{} {}", mark(it.verdict), words(it.verdict));
    row(&[
        cell(&it.result.what),
        it.measure.name().to_owned(),
        cell(it.reported),
        it.ours.map_or_else(nothing, |(mean, deviation)| it.measure.show(mean, deviation)),
        it.difference.clone().unwrap_or_else(nothing),
        it.config.map_or_else(nothing, |_| seeds(it.runs, wanted)),
        verdict.trim().to_owned(),
        it.config.map_or_else(nothing, |name| link(name, published) + &taken.link(name, published)),
    ])
}

fn link(config: &str, published: &Published) -> String {
    format!("[{config}]({}/{config}.toml)", published.file.configs)
}

/// The recall of each class on the validation images, where a source has it.
fn recall(result: &PublishedResult, published: &Published, collection: &Collection, part: Part) -> String {
    if result.recall.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    for config in result.configs_of(part) {
        let runs = collection.of_config(config);
        let with: Vec<_> = runs.iter().filter(|run| run.recall.len() == result.recall.len()).collect();
        let what = cell(&result.what);
        if with.is_empty() {
            text += &format!(
                "\nThe source also gives the share of each class that is found (recall) on the validation images of \
                 {what}: {} %. No run of `{config}` was evaluated on them: `cargo xtask evaluate RUN --split \
                 validation` does that.\n",
                result.recall.iter().map(|percent| format!("{percent}")).collect::<Vec<_>>().join(", ")
            );
            continue;
        }
        let of_class = |class: usize| -> Vec<f64> { with.iter().filter_map(|run| run.recall[class]).collect() };
        let ours: Vec<_> = (0..result.recall.len()).map(|class| mean_and_deviation(&of_class(class))).collect();
        let inside = ours.iter().zip(&result.recall).filter(|(ours, reported)| {
            matches!(ours, Some((mean, Some(deviation))) if (100.0 * mean - **reported).abs() <= 200.0 * deviation + 1e-9)
        });
        text += &format!(
            "\nThe share of each class that is found (recall) on the validation images of {what}, by `{config}`, over {}. \
             {} of {} reported shares lie within two standard deviations of ours.\n\n| class | reported | ours | \
             difference |\n| --- | ---: | ---: | ---: |\n",
            backproof_spec::counted(with.len(), "seed"),
            inside.count(),
            result.recall.len()
        );
        for (class, (reported, ours)) in result.recall.iter().zip(&ours).enumerate() {
            let measure = super::measure::Measure::Validation;
            let nothing = || NOTHING.to_owned();
            text += &row(&[
                class_name(published, config, class),
                format!("{reported} %"),
                ours.map_or_else(nothing, |(mean, deviation)| measure.show(mean, deviation)),
                ours.map_or_else(nothing, |(mean, _)| measure.difference(mean, reported / 100.0)),
            ]);
        }
    }
    text
}

fn class_name(published: &Published, config: &str, class: usize) -> String {
    let data_sets = data_sets();
    let known = data_sets.by_name(published.configs[config].data.images.name());
    let name = known.and_then(|data_set| data_set.class_names.get(class));
    name.map_or_else(|| class.to_string(), |name| cell(name))
}

/// A row for each config: its network and its length.
pub(super) fn networks(published: &Published, collection: &Collection) -> String {
    let mut text =
        "\n## The configs\n\nIterations are mini-batches × images in each. Runs that ended early have the median of \
                    their iterations before the largest number.\n\n| config | network | parameters | iterations | runs |\n\
                    | --- | --- | ---: | ---: | ---: |\n"
            .to_owned();
    for (name, experiment) in &published.configs {
        let runs = collection.of_config(name);
        let made: Vec<f64> = runs.iter().map(|run| run.iterations as f64).collect();
        let (most, batch) = (experiment.training.iterations, experiment.training.batch_size);
        let iterations = match median(&made).map(|made| made.round() as usize) {
            Some(made) if made < most => format!("{} of {}", thousands(made), thousands(most)),
            _ => thousands(most),
        };
        text += &row(&[
            link(name, published),
            markdown_code(&experiment.model.name),
            parameters(&experiment.model),
            format!("{iterations} × {batch}"),
            seeds(runs.len(), published.file.seeds_of(Part::of(name) == Part::Theirs)),
        ]);
    }
    let mut untrained: BTreeMap<String, String> = BTreeMap::new();
    for network in published.file.results().filter_map(PublishedResult::untrained) {
        untrained.insert(markdown_code(&network.name), parameters(&network));
    }
    for (network, parameters) in untrained {
        let nothing = || NOTHING.to_owned();
        text += &row(&[nothing(), network, parameters, nothing(), nothing()]);
    }
    text
}

fn parameters(architecture: &Architecture) -> String {
    // The architecture of a config has been traced when it was read, and so has each published one by the tests.
    let layers = architecture.trace().unwrap_or_default();
    let trainable = layers.iter().map(|layer| layer.weights + layer.biases).sum();
    match layers.iter().map(|layer| layer.running_statistics).sum() {
        0 => thousands(trainable),
        statistics => format!("{} + {}", thousands(trainable), thousands(statistics)),
    }
}
