//! The comparison as a page in Markdown.

use std::collections::BTreeMap;

use backproof_data::{is_published, sources};
use backproof_spec::{counted, thousands};
use backproof_train::duration;

use super::collect::Collection;
use super::published::Published;
use super::rows::{Row, Section, Verdict};
use super::run::Run;
use crate::{markdown_code, markdown_text};

/// What stands for something that there is none of.
const NOTHING: &str = "–";

const HEAD: &str =
    "| | result | network | config | parameters | figure | reported | ours | difference | runs | iterations | time |
| :-: | --- | --- | --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |
";

/// The page, and its first sentence.
pub(super) fn page(published: &Published, collection: &Collection, sections: &[Section<'_>]) -> (String, String) {
    let verdict = verdict(sections);
    let mut text = format!("# Published results, and ours\n\n{verdict}\n\n{}\n", overview(sections));
    text += &other_data(&collection.runs);
    text += &legend(published);
    for section in sections {
        text +=
            &format!("\n## {}\n\n{}\n\n{HEAD}", cell(&section.source.name), cell(&sentence(&section.source.document)));
        for row in &section.rows {
            text += &line(row, published);
        }
        if !section.notes.is_empty() {
            text.push('\n');
        }
        for note in &section.notes {
            text += &format!("- {}\n", cell(note));
        }
    }
    text += &origin(&collection.runs);
    (text, verdict)
}

fn count(sections: &[Section<'_>], verdict: Verdict) -> usize {
    sections.iter().flat_map(|section| &section.verdicts).filter(|it| **it == verdict).count()
}

fn verdict(sections: &[Section<'_>]) -> String {
    let of = |verdict| count(sections, verdict);
    let (reached, below, not_run) = (of(Verdict::Reached), of(Verdict::Below), of(Verdict::NotRun));
    let all = reached + below + not_run;
    format!("Of {all} published figures, {reached} are reached, {below} are not, and {not_run} have no runs.")
}

/// A line for each source: the figures as one mark each.
fn overview(sections: &[Section<'_>]) -> String {
    let mut text = "| source | figures | reached |\n| --- | --- | ---: |\n".to_owned();
    for section in sections {
        let marks: Vec<&str> = section.verdicts.iter().map(|verdict| mark(*verdict)).collect();
        let reached = section.verdicts.iter().filter(|verdict| **verdict == Verdict::Reached).count();
        let name = &section.source.name;
        text += &format!("| {} | {} | {reached} of {} |\n", cell(name), marks.join(" "), section.verdicts.len());
    }
    text
}

/// A sentence for each data set of which runs read other files than everybody has: their figures are no comparison.
fn other_data(runs: &[Run]) -> String {
    let sentence = |name: &str| {
        let others = runs.iter().filter(|run| run.dataset == name && !is_published(name, &run.record.data_checksums));
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

fn legend(published: &Published) -> String {
    format!(
        "✓ at or above the reported figure (of a loss, at or below it); ✗ not; {NOTHING} not run; blank where the source has no number. A
figure counts as reached if one of its configs reaches it: those that end in `-as-published` have the hyperparameters of the source,
the others our learning rate and schedule.

Ours is the mean ± sample standard deviation over the seeds, at least {} of them, of the last weights and never of the best. `test` is
on all test images; `validation` on the images held out, at the last iteration; `training` and `total loss` are over the images since the
report before the last, while the sources smooth theirs in ways that they do not state. Differences are in percentage points, or in nats.
Iterations are mini-batches × images in each. Times are medians of training with its validation.
",
        published.file.seeds
    )
}

fn line(row: &Row<'_>, published: &Published) -> String {
    let network = &row.network;
    let parameters = match network.running_statistics {
        0 => thousands(network.trainable),
        statistics => format!("{} + {}", thousands(network.trainable), thousands(statistics)),
    };
    let config = row.config.as_ref();
    let seeds = published.file.seeds;
    let runs = if row.runs >= seeds { row.runs.to_string() } else { format!("{} of {seeds}", row.runs) };
    let nothing = || NOTHING.to_owned();
    let cells = [
        mark(row.verdict).to_owned(),
        cell(&row.result.what),
        markdown_code(&network.name),
        config.map_or_else(nothing, |it| format!("[{0}]({1}/{0}.toml)", it.name, published.file.configs)),
        parameters,
        row.measure.name().to_owned(),
        cell(row.reported),
        row.ours.map_or_else(nothing, |(mean, deviation)| row.measure.show(mean, deviation)),
        row.difference.clone().unwrap_or_else(nothing),
        config.map_or_else(nothing, |_| runs),
        config.map_or_else(nothing, |it| format!("{} × {}", thousands(it.iterations), it.batch_size)),
        row.seconds.map_or_else(nothing, duration),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "✓",
        Verdict::Below => "✗",
        Verdict::NotRun => NOTHING,
        Verdict::NotCompared => "",
    }
}

/// How the runs were made, and on what.
fn origin(runs: &[Run]) -> String {
    let mut text = "\n## How this was made

```sh
cargo xtask sweep configs/sweeps/reproduction.toml            # every run, and on where it was stopped
cargo xtask reproduction --write docs/REPRODUCTION.md         # this page, out of the run folders
cargo xtask train -c configs/CONFIG.toml --set seed=1         # one run alone
```

"
    .to_owned();
    let days = runs.iter().map(|run| run.record.started.split('T').next().unwrap_or_default());
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
            text += &format!("| {} | {count} |\n", markdown_text(&words));
        }
    };
    rows(&|run| run.record.device.clone());
    rows(&|run| format!("engine {}", run.engine));
    rows(&|run| {
        run.record.versions.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ")
    });
    rows(&|run| {
        run.record.git_revision.as_ref().map_or_else(|| "outside a repository".to_owned(), |it| format!("commit {it}"))
    });
    text
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What the file of published results says, in a cell of a table or an item of a list: on one line, and no markup of
/// tables or HTML. Its author may mark code and emphasis.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}
