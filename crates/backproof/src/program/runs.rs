//! `runs`: the runs in a folder with their figures, newest first.

use std::fs;
use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::Failure;
use backproof_spec::thousands;
use backproof_train::{BestValidation, RunFolder, RunRecord, RunStatus, duration, write_json};
use comfy_table::{Cell, Color};
use serde::Serialize;

use crate::failures::{failure, with_causes};
use crate::sweep::{has_results, is_run, run_of};
use crate::table::{self, right};

/// The version of the file of `--json`.
const SCHEMA: u32 = 1;
/// Folders of folders of runs: a sweep's runs are five below it.
const DEEPEST: usize = 6;
const NOTHING: &str = "–";

/// The file of `--json`.
#[derive(Serialize)]
struct Runs {
    schema_version: u32,
    /// Newest first.
    runs: Vec<Run>,
}

/// One run.
#[derive(Serialize)]
struct Run {
    /// As the command was given the folder above it.
    folder: PathBuf,
    /// Whether it stands for a sweep, as the run of its best point.
    best_of_sweep: bool,
    experiment: String,
    status: RunStatus,
    started: String,
    ended: Option<String>,
    backend: String,
    seed: u64,
    trainable_parameters: usize,
    test_accuracy: Option<f64>,
    test_loss: Option<f64>,
    best_validation: Option<BestValidation>,
    training_seconds: Option<f64>,
}

/// A folder that a run may be in.
struct Place {
    folder: PathBuf,
    run: PathBuf,
    is_sweep: bool,
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn run(arguments: &cli::RunsArguments) -> anyhow::Result<()> {
    let root = arguments.folder.as_deref().unwrap_or(Path::new("runs"));
    if arguments.folder.is_some() && !root.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}", root.display()))
            .help("`train` makes runs/EXPERIMENT/…; `cargo xtask runs DIR` lists those of another folder")
            .into());
    }
    let mut places = Vec::new();
    find(root, 0, &mut places);
    let mut runs = Vec::new();
    for place in places {
        match RunFolder::open(&place.run).and_then(|run| run.record()) {
            Ok(record) => runs.push(Run::of(place, record)),
            Err(error) => eprintln!("warning: {} is left out: {}", place.folder.display(), with_causes(&error)),
        }
    }
    // The time is written so that its text sorts as it does.
    runs.sort_by(|one, other| other.started.cmp(&one.started));
    if runs.is_empty() {
        println!("no runs in {}; `cargo xtask train` makes one", root.display());
    } else {
        println!("{}", listed(root, &runs));
    }
    if let Some(path) = &arguments.json {
        write_json(path, &Runs { schema_version: SCHEMA, runs }).map_err(failure)?;
    }
    Ok(())
}

/// The folders of runs below `folder`. A sweep below it counts as one, by its best run; links are not followed.
#[allow(clippy::print_stderr)] // warnings go to stderr
fn find(folder: &Path, depth: usize, places: &mut Vec<Place>) {
    if folder.join("run.json").exists() {
        places.push(Place { folder: folder.to_owned(), run: folder.to_owned(), is_sweep: false });
        return;
    }
    // Of a sweep, a run is known by its number, and a sweep below the folder by its best run.
    let is_sweep = depth > 0 && has_results(folder);
    if is_sweep || is_run(folder) {
        match run_of(folder) {
            Ok(run) => places.push(Place { folder: folder.to_owned(), run, is_sweep }),
            Err(reason) => eprintln!("warning: {} is left out: {reason}", folder.display()),
        }
        return;
    }
    if depth == DEEPEST {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find(&entry.path(), depth + 1, places);
        }
    }
}

impl Run {
    fn of(place: Place, record: RunRecord) -> Self {
        let summary = record.summary;
        let of_summary = |figure: fn(&backproof_train::Summary) -> f64| summary.as_ref().map(figure);
        Self {
            folder: place.folder,
            best_of_sweep: place.is_sweep,
            experiment: record.experiment,
            status: record.status,
            started: record.started,
            ended: record.ended,
            backend: record.backend,
            seed: record.seed,
            trainable_parameters: record.trainable_parameters,
            test_accuracy: of_summary(|it| it.test_accuracy),
            test_loss: of_summary(|it| it.test_loss),
            training_seconds: of_summary(|it| it.training_seconds),
            best_validation: summary.as_ref().and_then(|it| it.best_validation),
        }
    }

    fn status(&self) -> Cell {
        let (words, color) = match self.status {
            RunStatus::Done if self.best_of_sweep => ("sweep, its best", None),
            RunStatus::Done => ("done", None),
            RunStatus::Running => ("running", Some(Color::Cyan)),
            RunStatus::Interrupted => ("interrupted", Some(Color::Yellow)),
            RunStatus::Diverged => ("diverged", Some(Color::Red)),
            RunStatus::Failed => ("failed", Some(Color::Red)),
        };
        let cell = Cell::new(words);
        color.map_or(cell.clone(), |color| cell.fg(color))
    }
}

/// The runs, each with its folder from `root` on.
fn listed(root: &Path, runs: &[Run]) -> String {
    let percent = |share: Option<f64>| share.map_or(NOTHING.to_owned(), |share| format!("{:.2}", 100.0 * share));
    let row = |run: &Run| {
        vec![
            Cell::new(run.folder.strip_prefix(root).unwrap_or(&run.folder).display()),
            run.status(),
            right(percent(run.best_validation.map(|best| best.accuracy))),
            right(percent(run.test_accuracy)),
            right(thousands(run.trainable_parameters)),
            right(run.training_seconds.map_or(NOTHING.to_owned(), duration)),
        ]
    };
    let numbers = ["validation %", "test %", "parameters", "time"].map(right);
    let heads = ["run", "status"].map(Cell::new).into_iter().chain(numbers).collect();
    table::text(heads, runs.iter().map(row).collect(), &["time", "parameters"])
}
