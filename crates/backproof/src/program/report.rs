//! `report` and `compare-runs`.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof_report::{ReportError, compare};
use backproof_train::RunFolder;
use comfy_table::Cell;

use crate::failures::failure;
use crate::setup::open;
use crate::table::{self, right};
use crate::terminal::{width, wrapped};

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn report(arguments: &cli::ReportArguments) -> anyhow::Result<()> {
    let folders = open_all(&arguments.runs)?;
    for folder in &folders {
        write(folder, arguments.places.data_dir.as_deref()).map_err(plain)?;
    }
    if folders.len() > 1 {
        let comparison = compare(&folders, &arguments.output).map_err(plain)?;
        println!("comparison   {}", comparison.page.display());
    }
    Ok(())
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is missing to stderr
pub(crate) fn compare_runs(arguments: &cli::CompareRunsArguments) -> anyhow::Result<()> {
    let comparison = compare(&open_all(&arguments.runs)?, &arguments.output).map_err(plain)?;
    for sentence in &comparison.missing {
        eprintln!("warning: {sentence}");
    }
    let (heads, rows) = comparison.rows();
    let cells = |texts: Vec<String>| -> Vec<Cell> {
        let cell = |(place, text)| if place == 0 { Cell::new(text) } else { right(text) };
        texts.into_iter().enumerate().map(cell).collect()
    };
    // The page has all columns.
    let spare = ["images/s", "time", "iterations", "training loss", "test loss", "parameters", "device"];
    println!("{}", table::text(cells(heads), rows.into_iter().map(cells).collect(), &spare));
    let same: Vec<String> = comparison.same().iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !same.is_empty() {
        println!("\n{}", wrapped(&format!("same in all  {}", same.join(", ")), width()));
    }
    println!("\ncomparison   {}", comparison.page.display());
    Ok(())
}

/// The report of a run that has just ended. That it cannot be made is said, and is no failure of the run.
#[allow(clippy::print_stderr)] // a warning
pub(crate) fn after_training(folder: &Path, data_dir: Option<&Path>) {
    let report = RunFolder::open(folder).map_err(ReportError::from).and_then(|folder| write(&folder, data_dir));
    if let Err(error) = report {
        eprintln!("warning: the report could not be made: {:#}", anyhow::Error::from(error));
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is missing to stderr
fn write(folder: &RunFolder, data_dir: Option<&Path>) -> Result<(), ReportError> {
    // Nobody sweeps up what is being written. If the run goes on meanwhile, its process did that when it began.
    let _held = folder.hold();
    let written = backproof_report::report(folder, data_dir)?;
    for sentence in &written.missing {
        eprintln!("warning: {sentence}");
    }
    println!("report       {}", written.page.display());
    Ok(())
}

fn open_all(runs: &[PathBuf]) -> anyhow::Result<Vec<RunFolder>> {
    runs.iter().map(|run| open(run)).collect()
}

/// An error of a run folder with the exit code and the way out that other commands give it.
pub(crate) fn plain(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::Folder(error) => failure(error).into(),
        error => error.into(),
    }
}
