//! The comparison as a page in Markdown.

use std::collections::BTreeMap;

use backproof_data::{is_published, sources};
use backproof_spec::counted;

use super::authors::AuthorsResult;
use super::collect::Collection;
use super::parts::{mark, networks, part};
use super::published::{Part, Published};
use super::rows::{Section, Verdict};
use super::run::Run;
use super::steps::Step;
use super::words::{broken, cell, row};
use super::{authors_page, mistakes_page, steps_page};
use crate::markdown_text;

/// All that the page shows.
pub(super) struct Content<'a> {
    pub(super) published: &'a Published,
    pub(super) collection: &'a Collection,
    /// Of each part.
    pub(super) theirs: Vec<Section<'a>>,
    pub(super) ours: Vec<Section<'a>>,
    pub(super) steps: Vec<Step<'a>>,
    /// The name of the file with the figure of the steps.
    pub(super) figure: Option<&'a str>,
    pub(super) authors: &'a [AuthorsResult],
}

/// The page, and its first sentence.
pub(super) fn page(content: &Content<'_>) -> (String, String) {
    let Content { published, collection, theirs, ours, steps, figure, authors } = content;
    let verdict = verdict(theirs, ours);
    let mut text = format!("# Published results, and ours\n\n{verdict} {}\n", not_run(theirs, ours));
    if let Some(introduction) = &published.file.introduction {
        let paragraphs =
            introduction.trim().split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
        text += &format!("\n{}\n", paragraphs.collect::<Vec<_>>().join("\n\n"));
    }
    text += &format!("\n{}\n", overview(published, theirs, ours));
    text += &other_data(published, &collection.runs);
    text += &contents(content);
    text += FIGURES;
    text += &part(published, collection, theirs, Part::Theirs);
    text += &part(published, collection, ours, Part::Ours);
    text += &steps_page::section(published, steps, *figure);
    text += &authors_page::section(published, authors);
    text += &mistakes_page::section(&published.file.mistakes, collection);
    text += &networks(published, collection);
    text += &origin(published, &collection.runs);
    (broken(&text), verdict)
}

/// Links to the sections.
fn contents(content: &Content<'_>) -> String {
    let file = &content.published.file;
    let mut links = vec![
        "[Part 1: With the sources' settings](#part-1-with-the-sources-settings)",
        "[Part 2: With our settings](#part-2-with-our-settings)",
    ];
    links.extend(file.steps.as_ref().map(|_| "[Which steps are real?](#which-steps-are-real)"));
    links.extend(file.authors.as_ref().map(|_| "[The author's own networks](#the-authors-own-networks)"));
    links.extend(file.mistakes.first().map(|_| "[What other write-ups got wrong](#what-other-write-ups-got-wrong)"));
    links.push("[The configs](#the-configs)");
    links.push("[How this was made](#how-this-was-made)");
    format!("{}\n\n", links.join(" · "))
}

/// What the words of the tables mean.
const FIGURES: &str = "## How to read the tables

| figure | |
| --- | --- |
| test | accuracy on all test images, of the weights that the run ended with: the last ones, unless the config restores the best epoch |
| validation | accuracy on the images held out, at the last iteration |
| training | accuracy on the images since the report before the last, when they were trained on |
| total loss | the loss on these images with that of weight decay, in nats |

Figures of training are averaged as the reports of the config say: by the moving averages of the course's code or by \
plain means. Differences are ours less the reported, in percentage points or nats.
";

fn counts(sections: &[Section<'_>]) -> [usize; 3] {
    let verdicts = || sections.iter().flat_map(|section| &section.verdicts);
    let not_run = verdicts().filter(|it| matches!(it, Verdict::NotRun | Verdict::OneRun)).count();
    [verdicts().filter(|it| it.is_good()).count(), verdicts().count(), not_run]
}

fn verdict(theirs: &[Section<'_>], ours: &[Section<'_>]) -> String {
    let ([within, all, _], [reached, of, _]) = (counts(theirs), counts(ours));
    format!(
        "With the sources' settings, {within} of {all} published figures lie within two standard deviations of ours; with \
         ours, {reached} of {of} are reached."
    )
}

fn not_run(theirs: &[Section<'_>], ours: &[Section<'_>]) -> String {
    match [counts(theirs)[2], counts(ours)[2]] {
        [0, 0] => "All of them are run.".to_owned(),
        [one, other] => format!("{one} have no runs to compare with in the first part, and {other} in the second."),
    }
}

/// A line for each source: the figures as one mark each.
fn overview(published: &Published, theirs: &[Section<'_>], ours: &[Section<'_>]) -> String {
    let mut text =
        "| source | within, with its settings | | reached, with ours | |\n| --- | ---: | --- | ---: | --- |\n"
            .to_owned();
    for source in &published.file.sources {
        let mut cells = vec![cell(&source.name)];
        for part in [theirs, ours] {
            let section = part.iter().find(|section| section.source.name == source.name);
            let verdicts = section.map_or(&[][..], |section| &section.verdicts);
            let good = verdicts.iter().filter(|verdict| verdict.is_good()).count();
            cells.push(format!("{good} of {}", verdicts.len()));
            cells.push(verdicts.iter().map(|verdict| mark(*verdict)).collect::<Vec<_>>().join(" "));
        }
        text += &row(&cells);
    }
    text
}

/// A sentence for each data set of which runs read other files than everybody has: their figures are no comparison.
fn other_data(published: &Published, runs: &[Run]) -> String {
    let data_set = |run: &Run| published.configs.get(&run.config).map(|config| config.data.images.name());
    let sentence = |name: &str| {
        let others = runs.iter().filter(|run| data_set(run) == Some(name) && !is_published(name, &run.data_checksums));
        match others.count() {
            0 => String::new(),
            count => {
                let runs = counted(count, "run");
                format!("**Read other files of {name} than those that were published: {runs}.**\n\n")
            }
        }
    };
    sources().iter().map(|source| sentence(source.name())).collect()
}

/// How the runs were made, and on what.
fn origin(published: &Published, runs: &[Run]) -> String {
    let mut text = "\n## How this was made\n\n```sh\n".to_owned();
    for sweep in &published.file.sweeps {
        text += &format!("cargo xtask sweep {}\n", sweep.trim_start_matches("../"));
    }
    text += "\
cargo xtask reproduction --write docs/REPRODUCTION.md --keep # this page, out of run folders and kept results
cargo xtask train -c configs/CONFIG.toml --set seed=1        # one run alone
```

Running a sweep again resumes its unfinished runs.\n\n";
    if let Some(kept) = &published.file.kept {
        text += &format!(
            "[{kept}]({kept}) keeps what this page needs of every run, so it can be made without the folders.\n\n"
        );
    }
    let days = runs.iter().map(|run| run.started.split('T').next().unwrap_or_default());
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
        return text + "There are no runs yet.\n";
    };
    text += &if first == last {
        format!("The runs are of {first}.\n\n")
    } else {
        format!("The runs are of {first} to {last}.\n\n")
    };
    text += "| | runs |\n| --- | ---: |\n";
    let mut rows = |words: &dyn Fn(&Run) -> String| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for run in runs {
            *counts.entry(words(run)).or_default() += 1;
        }
        for (words, count) in counts {
            text += &row(&[markdown_text(&words), count.to_string()]);
        }
    };
    rows(&|run| run.device.clone());
    rows(&|run| format!("engine {}", run.engine));
    rows(&|run| run.versions.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", "));
    text
}
