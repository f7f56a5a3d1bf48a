//! The results of the groups: a row for each, and on the page also one for each of their runs.

use backproof_spec::thousands;
use backproof_train::TrainingReport;
use serde::Serialize;

use super::group::Group;
use crate::contents::Contents;
use crate::curves::nats;
use crate::facts::duration;
use crate::latex::LatexTable;
use crate::statistics::mean_and_deviation;

const NOTHING: &str = "–";

/// A figure of a run.
struct Measure {
    head: &'static str,
    value: fn(&Contents) -> Option<f64>,
    format: fn(f64) -> String,
    /// Whether the table has it though it is the same in all runs.
    always: bool,
}

const MEASURES: [Measure; 8] = [
    Measure { head: "validation %", value: validation, format: percent, always: true },
    Measure { head: "test %", value: |it| Some(it.result.as_ref()?.accuracy), format: percent, always: true },
    Measure { head: "test loss", value: |it| Some(it.result.as_ref()?.loss), format: nats, always: true },
    Measure {
        head: "training loss",
        value: |it| Some(it.reports.last()?.classification_loss),
        format: nats,
        always: true,
    },
    Measure { head: "iterations", value: |it| Some(it.reports.last()?.iteration as f64), format: whole, always: false },
    Measure {
        head: "parameters",
        value: |it| Some(it.record.trainable_parameters as f64),
        format: whole,
        always: false,
    },
    Measure { head: "time", value: |it| Some(it.reports.last()?.seconds), format: duration, always: true },
    Measure { head: "images/s", value: |it| median_rate(&it.reports), format: whole, always: true },
];

/// What of a run is a word.
struct Word {
    head: &'static str,
    value: fn(&Contents) -> String,
}

const WORDS: [Word; 2] = [
    Word { head: "device", value: |it| it.record.device.clone() },
    Word { head: "status", value: |it| format!("{:?}", it.record.status).to_lowercase() },
];

/// The best validation accuracy of a run.
pub(super) fn validation(contents: &Contents) -> Option<f64> {
    contents.reports.iter().filter_map(|report| report.validation_accuracy).reduce(f64::max)
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn whole(number: f64) -> String {
    thousands(number as usize)
}

/// The median of the reported rates: the first report has the start of the device in it.
fn median_rate(reports: &[TrainingReport]) -> Option<f64> {
    let mut rates: Vec<f64> = reports.iter().map(|report| report.images_per_second).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

/// The table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    pub(super) heads: Vec<String>,
    pub(super) groups: Vec<GroupRows>,
    /// What is the same in all runs, with its value.
    pub(super) same: Vec<(String, String)>,
    /// Whether some group has more than one run.
    pub(super) has_seeds: bool,
}

/// A group with its runs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GroupRows {
    pub(super) name: String,
    /// What a sweep says of it: how far from the best it is.
    pub(super) note: String,
    pub(super) cells: Vec<Cell>,
    pub(super) runs: Vec<RunRow>,
}

/// A run of a group.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunRow {
    pub(super) seed: u64,
    pub(super) folder: String,
    /// Where its report is, from the page on.
    pub(super) link: String,
    pub(super) cells: Vec<Cell>,
}

/// A value, and the number to sort by.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) number: Option<f64>,
}

/// What is known of a run beside its contents.
pub(super) struct Place {
    pub(super) folder: String,
    pub(super) link: String,
}

impl Table {
    /// The rows of the groups for LaTeX, as numbered as in the figures.
    pub(super) fn latex(&self, about: &str) -> LatexTable {
        let spread = if self.has_seeds { "; ± is the sample standard deviation over the seeds" } else { "" };
        let head = ["#", if self.has_seeds { "config" } else { "run" }];
        let seeds = self.has_seeds.then(|| "seeds".to_owned());
        let row = |(number, group): (usize, &GroupRows)| {
            let cells = group.cells.iter().map(|cell| cell.text.clone());
            let seeds = self.has_seeds.then(|| group.runs.len().to_string());
            [(number + 1).to_string(), group.name.clone()].into_iter().chain(cells).chain(seeds).collect()
        };
        LatexTable {
            about: format!("{about}{spread}"),
            columns: format!("rl{}", "r".repeat(self.heads.len() + usize::from(self.has_seeds))),
            turned: false,
            head: head.map(str::to_owned).into_iter().chain(self.heads.iter().cloned()).chain(seeds).collect(),
            groups: vec![self.groups.iter().enumerate().map(row).collect()],
        }
    }

    /// Which column has this head.
    pub(super) fn column(&self, head: &str) -> Option<usize> {
        self.heads.iter().position(|other| other == head)
    }

    pub(super) fn new(groups: &[Group], contents: &[Contents], places: &[Place], notes: &[String]) -> Self {
        let is_same = |texts: &[String]| texts.len() > 1 && texts.windows(2).all(|pair| pair[0] == pair[1]);
        let mut same = Vec::new();
        let mut measures: Vec<&Measure> = Vec::new();
        for measure in &MEASURES {
            let texts: Vec<String> = contents.iter().map(|it| text((measure.value)(it), measure.format)).collect();
            match is_same(&texts) {
                _ if texts.iter().all(|text| text == NOTHING) => {}
                true if !measure.always => same.push((measure.head.to_owned(), texts[0].clone())),
                _ => measures.push(measure),
            }
        }
        let mut words: Vec<&Word> = Vec::new();
        for word in &WORDS {
            let texts: Vec<String> = contents.iter().map(word.value).collect();
            if is_same(&texts) {
                same.push((word.head.to_owned(), texts[0].clone()));
            } else {
                words.push(word);
            }
        }
        let of_run = |run: usize| {
            let numbers = measures.iter().map(|measure| Cell::of((measure.value)(&contents[run]), measure.format));
            let words = words.iter().map(|word| Cell::word((word.value)(&contents[run])));
            numbers.chain(words).collect()
        };
        let of_group = |group: &Group| {
            let numbers = measures.iter().map(|measure| {
                let values: Vec<f64> = group.runs.iter().filter_map(|&run| (measure.value)(&contents[run])).collect();
                Cell::of_several(&values, measure)
            });
            let words = words.iter().map(|word| {
                let texts: Vec<String> = group.runs.iter().map(|&run| (word.value)(&contents[run])).collect();
                Cell::word(if texts.len() == 1 || is_same(&texts) { texts[0].clone() } else { NOTHING.to_owned() })
            });
            numbers.chain(words).collect()
        };
        let rows = groups.iter().enumerate().map(|(number, group)| GroupRows {
            name: group.name.clone(),
            note: notes.get(number).cloned().unwrap_or_default(),
            cells: of_group(group),
            runs: group
                .runs
                .iter()
                .map(|&run| RunRow {
                    seed: contents[run].record.seed,
                    folder: places[run].folder.clone(),
                    link: places[run].link.clone(),
                    cells: of_run(run),
                })
                .collect(),
        });
        let heads = measures.iter().map(|measure| measure.head).chain(words.iter().map(|word| word.head));
        Self {
            heads: heads.map(str::to_owned).collect(),
            groups: rows.collect(),
            same,
            has_seeds: groups.iter().any(|group| group.runs.len() > 1),
        }
    }
}

fn text(value: Option<f64>, format: fn(f64) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), format)
}

impl Cell {
    fn of(value: Option<f64>, format: fn(f64) -> String) -> Self {
        Self { text: text(value, format), number: value }
    }

    fn word(text: String) -> Self {
        Self { text, number: None }
    }

    /// The mean, and where the numbers differ the sample standard deviation of the accuracies.
    fn of_several(values: &[f64], measure: &Measure) -> Self {
        let Some((mean, deviation)) = mean_and_deviation(values) else { return Self::of(None, measure.format) };
        let shown = (measure.format)(mean);
        let text = match deviation {
            Some(deviation) if measure.head.ends_with('%') => format!("{shown} ± {}", (measure.format)(deviation)),
            _ => shown,
        };
        Self { text, number: Some(mean) }
    }
}
