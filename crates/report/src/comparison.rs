//! Several runs laid over each other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use backproof_spec::{describe_layer, thousands};
use backproof_train::{RunFolder, TrainingReport, write_file};
use serde::Serialize;

use crate::ReportError;
use crate::chart::{Chart, Look, Series};
use crate::contents::Contents;
use crate::curves::nats;
use crate::facts::duration;
use crate::figure::Figure;
use crate::page::Styles;
use crate::settings::{differences, flatten};
use crate::templates::render;

/// A comparison that was written. Its `Display` is the two tables as aligned text.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// `comparison.html`.
    pub page: PathBuf,
    /// What the comparison lacks and why, a sentence each with the letter of the run; the page says the same.
    pub missing: Vec<String>,
    results: Vec<Line>,
    settings: Vec<Line>,
    runs: Vec<Run>,
}

/// A row of a table: what it is, and its value in each run.
#[derive(Debug, Clone, Serialize)]
struct Line {
    name: String,
    values: Vec<String>,
}

/// A column of the tables.
#[derive(Debug, Clone, Serialize)]
struct Run {
    /// `A`, `B`, …: short enough for the end of a curve.
    letter: String,
    experiment: String,
    folder: String,
}

#[derive(Serialize)]
struct Page<'a> {
    styles: Styles,
    title: String,
    runs: &'a [Run],
    curves: Vec<String>,
    results: &'a [Line],
    settings: &'a [Line],
    missing: &'a [String],
}

/// Writes `comparison.html` and `figures/` into the folder `into`, which is made if it is not there.
///
/// # Errors
///
/// A `run.json` that cannot be read; files that cannot be written.
pub fn compare(folders: &[RunFolder], into: &Path) -> Result<Comparison, ReportError> {
    let contents: Vec<Contents> = folders.iter().map(Contents::read).collect::<Result<_, _>>()?;
    let runs: Vec<Run> = (folders.iter().zip(&contents).enumerate())
        .map(|(index, (folder, contents))| Run {
            letter: letter(index),
            experiment: contents.record.experiment.clone(),
            folder: folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
        })
        .collect();
    let configs: Vec<_> = contents.iter().map(settings_of).collect();
    let settings: Vec<Line> = differences(&configs).into_iter().map(|(name, values)| Line { name, values }).collect();
    let results = results(&contents);
    let figures = figures(&runs, &contents)?;
    for figure in &figures {
        write_file(&into.join(format!("figures/{}.svg", figure.name)), figure.document()?.as_bytes())?;
        write_file(&into.join(format!("figures/{}.png", figure.name)), &figure.png()?)?;
    }
    let missing: Vec<String> = runs
        .iter()
        .zip(&contents)
        .flat_map(|(run, contents)| contents.missing.iter().map(|sentence| format!("{}: {sentence}", run.letter)))
        .collect();
    let names: Vec<&str> = runs.iter().map(|run| run.experiment.as_str()).collect();
    let page = render(
        "comparison.html",
        Page {
            styles: Styles::new()?,
            title: names.join(", "),
            runs: &runs,
            curves: figures.iter().map(Figure::inline).collect::<Result<_, _>>()?,
            results: &results,
            settings: &settings,
            missing: &missing,
        },
    )?;
    let path = into.join("comparison.html");
    write_file(&path, page.as_bytes())?;
    Ok(Comparison { page: path, missing, results, settings, runs })
}

/// `A` to `Z`, then `A2` and so on.
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{letter}{}", index / 26 + 1) }
}

/// The config's keys and values, with the layers as the parameter table describes them.
fn settings_of(contents: &Contents) -> BTreeMap<String, String> {
    let mut settings = flatten(&contents.config);
    if let Some(experiment) = &contents.experiment {
        let layers = experiment.model.all_layers().into_iter().map(describe_layer);
        settings.insert("model.layers".to_owned(), layers.collect::<Vec<_>>().join("; "));
    }
    settings
}

fn results(contents: &[Contents]) -> Vec<Line> {
    let dash = || "–".to_owned();
    let line = |name: &str, value: &dyn Fn(&Contents) -> Option<String>| Line {
        name: name.to_owned(),
        values: contents.iter().map(|contents| value(contents).unwrap_or_else(dash)).collect(),
    };
    let last = |contents: &Contents| contents.reports.last().cloned();
    let best =
        |contents: &Contents| contents.reports.iter().filter_map(|report| report.validation_accuracy).reduce(f64::max);
    vec![
        line("test accuracy, %", &|it| Some(format!("{:.2}", 100.0 * it.result.as_ref()?.accuracy))),
        line("test loss, nats", &|it| Some(nats(it.result.as_ref()?.loss))),
        line("best validation accuracy, %", &|it| Some(format!("{:.2}", 100.0 * best(it)?))),
        line("last training loss, nats", &|it| Some(nats(last(it)?.classification_loss))),
        line("iterations done", &|it| Some(thousands(last(it)?.iteration))),
        line("trainable parameters", &|it| Some(thousands(it.record.trainable_parameters))),
        line("training time", &|it| Some(duration(last(it)?.seconds))),
        line("images per second", &|it| Some(thousands(median_rate(&it.reports)? as usize))),
        line("device", &|it| Some(it.record.device.clone())),
        line("status", &|it| Some(format!("{:?}", it.record.status).to_lowercase())),
    ]
}

/// The median of the reported rates: the first report has the start of the device in it.
fn median_rate(reports: &[TrainingReport]) -> Option<f64> {
    let mut rates: Vec<f64> = reports.iter().map(|report| report.images_per_second).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

fn figures(runs: &[Run], contents: &[Contents]) -> Result<Vec<Figure>, ReportError> {
    let series = |value: fn(&TrainingReport) -> Option<f64>| -> Vec<Series> {
        let of_run = |(index, (run, contents)): (usize, (&Run, &Contents))| Series {
            name: run.letter.clone(),
            points: contents
                .reports
                .iter()
                .filter_map(|report| Some((report.iteration as f64, value(report)?)))
                .collect(),
            look: Look::of(index),
        };
        runs.iter().zip(contents).enumerate().map(of_run).collect()
    };
    let accuracy = |name, title, value| Chart {
        name,
        title,
        unit: "% of images".to_owned(),
        from_zero: false,
        most: Some(100.0),
        format: |percent| format!("{percent:.2} %"),
        series: series(value),
    };
    let loss = |name, title, value| Chart {
        name,
        title,
        unit: "nats, without weight decay".to_owned(),
        from_zero: true,
        most: None,
        format: nats,
        series: series(value),
    };
    let charts = [
        accuracy("validation-accuracy", "Validation accuracy", |it| Some(100.0 * it.validation_accuracy?)),
        loss("validation-loss", "Validation loss", |it| it.validation_loss),
        accuracy("training-accuracy", "Training accuracy", |it| Some(100.0 * it.training_accuracy)),
        loss("training-loss", "Training loss", |it| Some(it.classification_loss)),
    ];
    charts.into_iter().filter_map(|chart| chart.figure().transpose()).collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = Line { name: String::new(), values: self.runs.iter().map(|run| run.letter.clone()).collect() };
        let experiments = Line {
            name: "experiment".to_owned(),
            values: self.runs.iter().map(|run| run.experiment.clone()).collect(),
        };
        let folders = Line { name: "run".to_owned(), values: self.runs.iter().map(|run| run.folder.clone()).collect() };
        let gap = Line { name: String::new(), values: vec![String::new(); self.runs.len()] };
        let mut lines = vec![&head, &experiments, &folders, &gap];
        lines.extend(&self.results);
        lines.push(&gap);
        // A list of layers would make a terminal's table useless; the page has it.
        lines.extend(self.settings.iter().filter(|line| line.values.iter().all(|value| value.chars().count() <= 40)));
        let width = |of: &dyn Fn(&Line) -> usize| lines.iter().map(|line| of(line)).max().unwrap_or(0);
        let first = width(&|line| line.name.chars().count());
        let widths: Vec<usize> =
            (0..self.runs.len()).map(|run| width(&|line| line.values[run].chars().count())).collect();
        for line in &lines {
            let mut text = format!("{:first$}", line.name);
            for (value, width) in line.values.iter().zip(&widths) {
                text += &format!("  {value:>width$}");
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        if self.settings.is_empty() {
            writeln!(f, "The configs are the same.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_never_repeat() {
        let letters: std::collections::BTreeSet<String> = (0..100).map(letter).collect();
        assert_eq!(letters.len(), 100);
        assert_eq!([0, 25, 26, 52].map(letter), ["A", "Z", "A2", "A3"]);
    }

    #[test]
    fn columns_of_the_text_are_aligned() {
        let line =
            |name: &str, values: [&str; 2]| Line { name: name.to_owned(), values: values.map(str::to_owned).to_vec() };
        let run =
            |letter: &str| Run { letter: letter.to_owned(), experiment: "<é>".to_owned(), folder: "f".to_owned() };
        let comparison = Comparison {
            page: PathBuf::new(),
            missing: Vec::new(),
            results: vec![line("accuracy", ["96.60", "7.1"])],
            settings: vec![line("seed", ["1", "2"]), line("layers", ["x", &"long ".repeat(20)])],
            runs: vec![run("A"), run("B")],
        };
        let expected = [
            "                A    B",
            "experiment    <é>  <é>",
            "run             f    f",
            "",
            "accuracy    96.60  7.1",
            "",
            "seed            1    2",
            "",
        ];
        assert_eq!(comparison.to_string(), expected.join("\n"));
    }
}
