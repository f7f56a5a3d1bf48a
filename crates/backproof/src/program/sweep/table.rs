//! The results as a table: on a terminal and in Markdown.

use std::path::Path;

use comfy_table::{Attribute, Cell};

use backproof::shell;
use backproof_report::{ComparedPoint, ComparedSweep, markdown_block, markdown_code, markdown_text};
use backproof_spec::{counted, thousands};
use backproof_train::RunFolder;

use super::point::{Point, Run, ToBest};
use super::ranking::RankedBy;
use super::results::Results;
use super::words::seconds;
use crate::table::{self, right};
use crate::terminal::{width, wrapped};

/// How many failures a terminal shows: what is wrong with one run is often wrong with all.
const IN_FULL: usize = 3;

/// What stands for a figure that there is none of.
const NOTHING: &str = "–";

/// What noise means in the column of differences.
const NOISE: &str = "the seeds do not tell the point apart from the best (t test with seeds as blocks, Holm's correction, \
                     p ≥ 0.05)";

/// A column of the table: what a head says, and what a point has there.
struct Column {
    head: String,
    text: Box<dyn Fn(&Point) -> String>,
    kind: Kind,
}

/// How a column is shown.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Words,
    Number,
    /// What nobody should choose by: grey on a terminal.
    Aside,
}

impl Results {
    /// For a terminal, with what failed under it.
    pub(crate) fn table(&self) -> String {
        let columns = self.columns(&self.short_keys);
        let heads = columns.iter().map(|column| column.cell(column.head.clone())).collect();
        let row = |point: &Point| columns.iter().map(|column| column.cell((column.text)(point))).collect();
        // `results.md` has all columns.
        let spare = ["time", "parameters", "seeds"];
        let mut text = table::text(heads, self.points.iter().map(row).collect(), &spare);
        if self.points.iter().any(is_noise) {
            text += &format!("\n\n{}", wrapped(&format!("noise        {NOISE}"), width()));
        }
        let failures = self.failure_lines();
        for failure in failures.iter().take(IN_FULL) {
            text += &format!("\n\n{failure}");
        }
        if failures.len() > IN_FULL {
            text += &format!("\n\nand {} more, in results.md", failures.len() - IN_FULL);
        }
        text
    }

    /// The columns, with these heads for the keys that vary.
    fn columns(&self, keys: &[String]) -> Vec<Column> {
        let column =
            |head: &str, kind, text: fn(&Point) -> String| Column { head: head.to_owned(), text: Box::new(text), kind };
        let mut columns = Vec::new();
        if self.points.iter().any(|point| point.name.is_some()) {
            columns.push(column("point", Kind::Words, |point| point.name.clone().unwrap_or_default()));
        }
        columns.extend(keys.iter().zip(self.keys.clone()).map(|(head, key)| Column {
            head: head.clone(),
            text: Box::new(move |point| point.value(&key).unwrap_or(NOTHING).to_owned()),
            kind: Kind::Words,
        }));
        let test = |kind| column("test %", kind, |it| accuracy(it.test_accuracy_mean, it.test_accuracy_deviation));
        let to_best = column("to best", Kind::Number, to_best);
        match self.ranked_by {
            RankedBy::Validation => {
                let validation = |it: &Point| accuracy(it.validation_accuracy_mean, it.validation_accuracy_deviation);
                columns.extend([column("validation %", Kind::Number, validation), to_best, test(Kind::Aside)]);
            }
            RankedBy::Test => columns.extend([test(Kind::Number), to_best]),
        }
        columns.extend([
            column("seeds", Kind::Number, seeds),
            column("parameters", Kind::Number, |point| thousands(point.parameters)),
            column("time", Kind::Number, |point| point.training_seconds_median.map_or_else(nothing, seconds)),
        ]);
        columns
    }

    /// What the page of the sweep shows. `folder` gives the run folder of a run that is done, and `left` says how long the
    /// others will take, while some are trained.
    pub(crate) fn compared(&self, folder: impl Fn(&Run) -> Option<RunFolder>, left: Option<&str>) -> ComparedSweep {
        let runs = || self.points.iter().flat_map(|point| &point.runs);
        let count = |of: fn(&Point) -> usize| self.points.iter().map(of).sum::<usize>();
        let mut sentences = vec![self.ranked_by.in_words().to_owned()];
        if self.points.iter().any(is_noise) {
            sentences.push(format!("Noise: {NOISE}."));
        } else if self.points.len() > 1 && self.points.iter().all(|point| point.to_best.is_none()) {
            sentences.push("There are too few seeds to tell whether one point is better than another.".to_owned());
        }
        for (left_out, what) in
            [(count(|point| point.missing), "not done yet"), (count(|point| point.failed), "failed")]
        {
            if left_out > 0 {
                sentences
                    .push(format!("{left_out} of {} {what}. The page has the others.", counted(runs().count(), "run")));
            }
        }
        if let Some(left) = left {
            sentences.push(format!("The sweep is running, {left}. The page is written anew as runs end."));
        }
        let point = |(place, point): (usize, &Point)| ComparedPoint {
            name: point.words().to_owned(),
            note: if place == 0 { "best".to_owned() } else { to_best(point) },
            values: self.keys.iter().map(|key| point.value(key).unwrap_or(NOTHING).to_owned()).collect(),
            runs: point.runs.iter().filter_map(&folder).collect(),
        };
        let points = self.points.iter().enumerate().map(point).collect();
        ComparedSweep { name: self.sweep.clone(), sentences, keys: self.keys.clone(), points }
    }

    /// The last lines of a sweep: the best point, its report, how to predict with it. `best` is the link to its run.
    pub(crate) fn closing(&self, best: &Path) -> Option<String> {
        let point = self.points.first()?;
        let (mean, deviation, images) = match self.ranked_by {
            RankedBy::Validation => {
                (point.validation_accuracy_mean?, point.validation_accuracy_deviation, "validation")
            }
            RankedBy::Test => (point.test_accuracy_mean?, point.test_accuracy_deviation, "test"),
        };
        let mut lines = vec![
            format!("best         {}", point.words()),
            format!(
                "             {} % of the {images} images, over {}",
                accuracy(Some(mean), deviation),
                counted(point.seeds, "seed")
            ),
        ];
        let compared: Vec<&ToBest> = self.points.iter().filter_map(|point| point.to_best.as_ref()).collect();
        let others = self.points.len() - 1;
        lines.extend(match (others, compared.len()) {
            (0, _) => None,
            (_, 0) => Some("             more seeds would tell whether it is better than another point".to_owned()),
            (others, _) => {
                let noise = compared.iter().filter(|it| it.within_noise).count();
                Some(format!("             {noise} of {} are within noise of it", counted(others, "other point")))
            }
        });
        if self.ranked_by == RankedBy::Test {
            lines.push(
                "             no run has validation images: whoever chooses by test accuracy tunes on the test images,\n             \
                 and the accuracy of the best is too high; `data.validation_images` holds images back"
                    .to_owned(),
            );
        }
        let place = shell::argument(best);
        lines.push(format!("report       {}", best.join("report.html").display()));
        lines.push(format!("predict      cargo xtask predict {place} IMAGE"));
        Some(lines.iter().map(|line| wrapped(line, width())).collect::<Vec<_>>().join("\n"))
    }

    /// `results.md`.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let columns = self.columns(&self.keys);
        let keys = columns.iter().filter(|column| column.kind == Kind::Words).count();
        let has_names = keys > self.keys.len();
        let of_a_key = |column: usize| column < keys && !(has_names && column == 0);
        let head = columns
            .iter()
            .enumerate()
            .map(|(place, column)| if of_a_key(place) { markdown_code(&column.head) } else { column.head.clone() });
        let rule = (0..columns.len()).map(|column| if column < keys { "---" } else { "---:" }.to_owned());
        let sorted = self.ranked_by.in_words();
        let mut text = format!(
            "# {}\n\nBackend {}. {sorted} Accuracies are mean ± sample standard deviation over the seeds, in percent.\n\n",
            markdown_text(&self.sweep),
            markdown_text(&self.backend)
        );
        text += &line(head.collect());
        text += &line(rule.collect());
        for point in &self.points {
            text += &line(columns.iter().map(|column| markdown_text(&(column.text)(point))).collect());
        }
        if self.points.iter().any(is_noise) {
            text += &format!("\nNoise: {NOISE}.\n");
        }
        for failure in self.failure_lines() {
            text += &format!("\n{}", markdown_block(&failure));
        }
        text
    }

    /// Each run that failed or whose outcome cannot be read: which, how, and where to read more.
    fn failure_lines(&self) -> Vec<String> {
        let of = |point: &Point, run: &Run| match point.label.as_str() {
            "" => format!("seed {}", run.seed),
            label => format!("{label}, seed {}", run.seed),
        };
        let failed = self.failures().map(|(point, run, outcome)| {
            let error = outcome.error.join("\n  ");
            format!("{} {}: {}/output.txt\n  {error}", of(point, run), outcome.status.name(), run.folder)
        });
        let unreadable = self.unreadable().map(|(point, run, reason)| {
            format!("{} has an unknown outcome: {}\n  {reason}", of(point, run), run.folder)
        });
        failed.chain(unreadable).collect()
    }
}

impl Column {
    fn cell(&self, text: String) -> Cell {
        match self.kind {
            Kind::Words => Cell::new(text),
            Kind::Number => right(text),
            Kind::Aside => right(text).add_attribute(Attribute::Dim),
        }
    }
}

fn nothing() -> String {
    NOTHING.to_owned()
}

/// `95.80 ± 0.42`.
fn accuracy(mean: Option<f64>, deviation: Option<f64>) -> String {
    match (mean, deviation) {
        (Some(mean), Some(deviation)) => format!("{:.2} ± {:.2}", 100.0 * mean, 100.0 * deviation),
        (Some(mean), None) => format!("{:.2}", 100.0 * mean),
        (None, _) => nothing(),
    }
}

/// `−0.15, noise`.
fn to_best(point: &Point) -> String {
    let Some(to_best) = &point.to_best else { return nothing() };
    let difference = format!("{:.2}", 100.0 * to_best.difference).replace('-', "−");
    if to_best.within_noise { format!("{difference}, noise") } else { difference }
}

fn is_noise(point: &Point) -> bool {
    point.to_best.as_ref().is_some_and(|it| it.within_noise)
}

/// `3`, or `2 of 3` where not all are done.
fn seeds(point: &Point) -> String {
    let all = point.runs.len();
    if point.seeds == all { all.to_string() } else { format!("{} of {all}", point.seeds) }
}
