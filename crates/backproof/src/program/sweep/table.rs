//! The results as a table: on a terminal and in Markdown.

use comfy_table::{Cell, CellAlignment, Table, presets};

use backproof_report::{markdown_block, markdown_code, markdown_text};
use backproof_spec::thousands;

use super::results::{Point, Results, Run};
use super::words::{percent, seconds};

/// How many failures a terminal shows: what is wrong with one run is often wrong with all.
const IN_FULL: usize = 3;

/// What stands for a figure that there is none of.
const NOTHING: &str = "–";

impl Results {
    /// For a terminal, with what failed under it.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(self.header());
        table.add_rows(self.points.iter().map(|point| self.row(point)));
        for (column, cells) in table.column_iter_mut().enumerate() {
            cells.set_padding((if column == 0 { 0 } else { 1 }, 1));
        }
        let mut text = table.trim_fmt();
        let failures = self.failure_lines();
        for failure in failures.iter().take(IN_FULL) {
            text += &format!("\n\n{failure}");
        }
        if failures.len() > IN_FULL {
            text += &format!("\n\nand {} more, in results.md", failures.len() - IN_FULL);
        }
        text
    }

    fn has_names(&self) -> bool {
        self.points.iter().any(|point| point.name.is_some())
    }

    fn header(&self) -> Vec<Cell> {
        let mut header: Vec<Cell> = Vec::new();
        if self.has_names() {
            header.push(Cell::new("point"));
        }
        header.extend(self.short_keys.iter().map(Cell::new));
        header.extend(
            ["test accuracy", "seeds", "parameters", "median time"]
                .map(|text| Cell::new(text).set_alignment(CellAlignment::Right)),
        );
        header
    }

    fn row(&self, point: &Point) -> Vec<Cell> {
        self.texts(point)
            .into_iter()
            .enumerate()
            .map(|(column, text)| {
                let figures = column >= usize::from(self.has_names()) + self.keys.len();
                Cell::new(text).set_alignment(if figures { CellAlignment::Right } else { CellAlignment::Left })
            })
            .collect()
    }

    fn texts(&self, point: &Point) -> Vec<String> {
        let mut texts = Vec::new();
        if self.has_names() {
            texts.push(point.name.clone().unwrap_or_default());
        }
        texts.extend(self.keys.iter().map(|key| point.value(key).unwrap_or(NOTHING).to_owned()));
        texts.push(accuracy(point));
        texts.push(seeds(point));
        texts.push(thousands(point.parameters));
        texts.push(point.training_seconds_median.map_or_else(|| NOTHING.to_owned(), seconds));
        texts
    }

    /// `results.md`.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut head: Vec<String> = Vec::new();
        if self.has_names() {
            head.push("point".to_owned());
        }
        head.extend(self.keys.iter().map(|key| markdown_code(key)));
        let keys = head.len();
        head.extend(["test accuracy", "seeds", "parameters", "median time"].map(str::to_owned));
        let rule = (0..head.len()).map(|column| if column < keys { "---" } else { "---:" }.to_owned()).collect();
        let mut text = format!(
            "# {}\n\nBackend {}. Test accuracy of the last weights: mean ± sample standard deviation over the seeds.\n\n",
            markdown_text(&self.sweep),
            markdown_text(&self.backend)
        );
        text += &line(head);
        text += &line(rule);
        for point in &self.points {
            text += &line(self.texts(point).iter().map(|text| markdown_text(text)).collect());
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

fn accuracy(point: &Point) -> String {
    match (point.test_accuracy_mean, point.test_accuracy_deviation) {
        (Some(mean), Some(deviation)) => format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation),
        (Some(mean), None) => percent(mean),
        (None, _) => NOTHING.to_owned(),
    }
}

/// `3`, or `2 of 3` where not all are done.
fn seeds(point: &Point) -> String {
    let all = point.runs.len();
    if point.seeds == all { all.to_string() } else { format!("{} of {all}", point.seeds) }
}
