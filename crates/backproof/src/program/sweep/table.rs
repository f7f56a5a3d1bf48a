//! The results as a table: on a terminal, in Markdown, in CSV.

use comfy_table::{Cell, CellAlignment, Table, presets};

use backproof_spec::thousands;

use super::results::{Point, Results};

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
        for failure in self.failure_lines() {
            text += &format!("\n\n{failure}");
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
        texts.extend(self.keys.iter().map(|key| value(point, key).unwrap_or(NOTHING).to_owned()));
        texts.push(accuracy(point));
        texts.push(seeds(point));
        texts.push(thousands(point.parameters));
        texts.push(point.training_seconds_median.map_or_else(|| NOTHING.to_owned(), seconds));
        texts
    }

    /// `results.md`.
    pub(crate) fn markdown(&self) -> String {
        let escape = |text: String| text.replace('\\', "\\\\").replace('|', "\\|");
        let line =
            |cells: Vec<String>| format!("| {} |\n", cells.into_iter().map(escape).collect::<Vec<_>>().join(" | "));
        let mut head: Vec<String> = Vec::new();
        if self.has_names() {
            head.push("point".to_owned());
        }
        head.extend(self.keys.iter().map(|key| format!("`{key}`")));
        let keys = head.len();
        head.extend(["test accuracy", "seeds", "parameters", "median time"].map(str::to_owned));
        let rule = (0..head.len()).map(|column| if column < keys { "---" } else { "---:" }.to_owned()).collect();
        let mut text = format!(
            "# {}\n\nBackend {}. Test accuracy of the last weights: mean ± sample standard deviation over the seeds.\n\n",
            self.sweep, self.backend
        );
        text += &line(head);
        text += &line(rule);
        for point in &self.points {
            text += &line(self.texts(point));
        }
        for failure in self.failure_lines() {
            text += &format!("\n```text\n{failure}\n```\n");
        }
        text
    }

    /// `results.csv`: a line for each point; the columns of the keys come last.
    pub(crate) fn points_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let head = [
            "rank",
            "point",
            "seeds",
            "failed",
            "missing",
            "test_accuracy_mean",
            "test_accuracy_deviation",
            "validation_accuracy_mean",
            "parameters",
            "training_seconds_median",
        ];
        csv.write_record(head.into_iter().chain(self.keys.iter().map(String::as_str)))?;
        for (rank, point) in self.points.iter().enumerate() {
            let fixed = [
                (rank + 1).to_string(),
                point.name.clone().unwrap_or_default(),
                point.seeds.to_string(),
                point.failed.to_string(),
                point.missing.to_string(),
                number(point.test_accuracy_mean),
                number(point.test_accuracy_deviation),
                number(point.validation_accuracy_mean),
                point.parameters.to_string(),
                number(point.training_seconds_median),
            ];
            let values = self.keys.iter().map(|key| value(point, key).unwrap_or_default().to_owned());
            csv.write_record(fixed.into_iter().chain(values))?;
        }
        Ok(csv.into_inner()?)
    }

    /// `runs.csv`: a line for each run, in the order of the sweep; the columns of the keys come last.
    pub(crate) fn runs_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let head = [
            "number",
            "point",
            "seed",
            "status",
            "test_accuracy",
            "test_loss",
            "validation_accuracy",
            "parameters",
            "training_seconds",
            "folder",
        ];
        csv.write_record(head.into_iter().chain(self.keys.iter().map(String::as_str)))?;
        let mut runs: Vec<_> =
            self.points.iter().flat_map(|point| point.runs.iter().map(move |run| (run, point))).collect();
        runs.sort_by_key(|(run, _)| run.number);
        for (run, point) in runs {
            let figures = run.outcome.as_ref().and_then(|outcome| outcome.figures.as_ref());
            let status = match &run.outcome {
                Some(outcome) => outcome.status.name(),
                None => "missing",
            };
            let fixed = [
                run.number.to_string(),
                point.name.clone().unwrap_or_default(),
                run.seed.to_string(),
                status.to_owned(),
                number(figures.map(|it| it.test_accuracy)),
                number(figures.map(|it| it.test_loss)),
                number(figures.and_then(|it| it.validation_accuracy)),
                point.parameters.to_string(),
                number(figures.map(|it| it.training_seconds)),
                run.folder.clone(),
            ];
            let values = self.keys.iter().map(|key| value(point, key).unwrap_or_default().to_owned());
            csv.write_record(fixed.into_iter().chain(values))?;
        }
        Ok(csv.into_inner()?)
    }

    /// Each run that failed: which, how, and where to read more.
    fn failure_lines(&self) -> Vec<String> {
        self.failures()
            .map(|(point, run, outcome)| {
                let point = if point.label.is_empty() { String::new() } else { format!("{}, ", point.label) };
                let error = outcome.error.join("\n  ");
                format!("{point}seed {} {}: {}/output.txt\n  {error}", run.seed, outcome.status.name(), run.folder)
            })
            .collect()
    }
}

fn value<'a>(point: &'a Point, key: &str) -> Option<&'a str> {
    point.values.get(key)?.as_deref()
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

/// The shortest digits that give the same number back; nothing for none.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// `96.20 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `3.2 s`, `14 s`, `1 min 05 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 9.95 { format!("{seconds:.1} s") } else { backproof_train::duration(seconds) }
}
