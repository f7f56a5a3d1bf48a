//! `report` and `compare-runs`.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof_report::{FigureFormat, ForPaper, ReportError, compare};
use backproof_train::RunFolder;
use comfy_table::Cell;

use crate::failures::failure;
use crate::setup::open;
use crate::table::{self, right};
use crate::terminal::{width, wrapped};

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn report(arguments: &cli::ReportArguments) -> anyhow::Result<()> {
    let folders = open_all(&arguments.runs)?;
    let for_paper = for_paper(&arguments.figures);
    for folder in &folders {
        write(folder, arguments.places.data_dir.as_deref(), &for_paper).map_err(plain)?;
    }
    if folders.len() > 1 {
        let comparison = compare(&folders, &arguments.output, &for_paper).map_err(plain)?;
        println!("comparison   {}", comparison.page.display());
        say_files(&comparison.for_paper);
    }
    Ok(())
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is missing to stderr
pub(crate) fn compare_runs(arguments: &cli::CompareRunsArguments) -> anyhow::Result<()> {
    let comparison = compare(&open_all(&arguments.runs)?, &arguments.output, &for_paper(&arguments.figures));
    let comparison = comparison.map_err(plain)?;
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
    say_files(&comparison.for_paper);
    Ok(())
}

/// What the arguments ask for.
pub(crate) fn for_paper(arguments: &cli::FigureArguments) -> ForPaper {
    let format = |format: &cli::FigureFormat| match format {
        cli::FigureFormat::Pdf => FigureFormat::Pdf,
        cli::FigureFormat::Svg => FigureFormat::Svg,
        cli::FigureFormat::Png => FigureFormat::Png,
    };
    let formats = arguments.figures.iter().map(format).collect();
    ForPaper { formats, no_title: arguments.no_title, dpi: arguments.dpi }
}

/// Which files there are for a paper: the names of figures once, and all tables.
#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn say_files(files: &[PathBuf]) {
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return };
    let names = files.iter().filter_map(|file| file.file_name()?.to_str());
    let (figures, tables): (Vec<&str>, Vec<&str>) = names.partition(|name| name.contains("mm."));
    let mut formats: Vec<&str> = figures.iter().filter_map(|name| name.rsplit('.').next()).collect();
    formats.sort_unstable();
    formats.dedup();
    let mut drawn: Vec<&str> = Vec::new();
    for name in figures.iter().filter_map(|name| name.rsplit_once('-')).map(|(name, _)| name) {
        if !drawn.contains(&name) {
            drawn.push(name);
        }
    }
    println!("for a paper  {}", folder.display());
    if !drawn.is_empty() {
        let words = format!("{}: -84mm and -174mm, as {}", drawn.join(", "), formats.join(", "));
        println!("{}", wrapped(&format!("  figures    {words}"), width()));
    }
    println!("{}", wrapped(&format!("  tables     {}", tables.join(", ")), width()));
}

/// The report of a run that has just ended. That it cannot be made is said, and is no failure of the run.
#[allow(clippy::print_stderr)] // a warning
pub(crate) fn after_training(folder: &Path, data_dir: Option<&Path>, for_paper: &ForPaper) {
    let report =
        RunFolder::open(folder).map_err(ReportError::from).and_then(|folder| write(&folder, data_dir, for_paper));
    if let Err(error) = report {
        eprintln!("warning: the report could not be made: {:#}", anyhow::Error::from(error));
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is missing to stderr
fn write(folder: &RunFolder, data_dir: Option<&Path>, for_paper: &ForPaper) -> Result<(), ReportError> {
    // Nobody sweeps up what is being written. If the run goes on meanwhile, its process did that when it began.
    let _held = folder.hold();
    let written = backproof_report::report(folder, data_dir, for_paper)?;
    for sentence in &written.missing {
        eprintln!("warning: {sentence}");
    }
    println!("report       {}", written.page.display());
    say_files(&written.for_paper);
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
