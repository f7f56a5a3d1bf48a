//! `reproduction`.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::{Failure, code};
use backproof_report::{ReportError, Sources, reproduction};
use backproof_spec::counted;
use backproof_train::{TrainError, write_file};

use crate::report::plain;
use crate::setup::setup;

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is left out to stderr
pub(crate) fn run(arguments: &cli::ReproductionArguments) -> anyhow::Result<()> {
    if let Some(page) = &arguments.write {
        check_page(page, &arguments.results)?;
    }
    // Only an evaluation needs a device.
    let evaluation = match &arguments.authors {
        Some(folder) => Some((folder, setup(&arguments.device, &arguments.places, PathBuf::new())?)),
        None => None,
    };
    let sources = Sources {
        results: &arguments.results,
        runs: (!arguments.runs.is_empty()).then_some(&arguments.runs),
        authors: evaluation.as_ref().map(|(folder, setup)| (folder.as_path(), setup)),
    };
    let made = reproduction(sources).map_err(failure)?;
    for left_out in &made.left_out {
        eprintln!("left out: {left_out}");
    }
    let kept = match (&made.kept, arguments.keep) {
        (Some((path, text)), true) => Some((path, text)),
        (None, true) => {
            let message = format!("{} names no file to keep results in", arguments.results.display());
            return Err(Failure::usage(message).help("add `kept = \"reproduction-runs.json\"` to it").into());
        }
        (_, false) => None,
    };
    let Some(path) = &arguments.write else {
        print!("{}", made.markdown);
        return keep(kept);
    };
    write_file(path, made.markdown.as_bytes())?;
    println!("{}", made.verdict);
    println!("{}, {} left out", counted(made.runs, "run"), counted(made.left_out.len(), "run folder"));
    println!("page         {}", path.display());
    if let Some((name, svg)) = &made.figure {
        let figure = path.parent().unwrap_or(Path::new("")).join(name);
        write_file(&figure, svg.as_bytes())?;
        println!("figure       {}", figure.display());
    }
    keep(kept)
}

/// The page's links are relative to the folder of the results, and nothing but a page may be written over.
fn check_page(page: &Path, results: &Path) -> Result<(), Failure> {
    let folder = |path: &Path| match path.parent().unwrap_or(Path::new("")) {
        empty if empty.as_os_str().is_empty() => Path::new(".").canonicalize(),
        folder => folder.canonicalize(),
    };
    let is_markdown = page.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
    let beside = folder(results).is_ok_and(|results| folder(page).is_ok_and(|page| page == results));
    if is_markdown && beside {
        return Ok(());
    }
    let of_results = results.parent().unwrap_or(Path::new(""));
    let message =
        format!("the page {} is not a Markdown file (.md) in the folder of {}", page.display(), results.display());
    Err(Failure::usage(message).help(format!("write it to {}", of_results.join("REPRODUCTION.md").display())))
}

/// Writes the kept results. Where they are is said on stderr: stdout may have the page.
#[allow(clippy::print_stderr)]
fn keep(kept: Option<(&PathBuf, &String)>) -> anyhow::Result<()> {
    if let Some((path, text)) = kept {
        write_file(path, text.as_bytes())?;
        eprintln!("kept         {}", path.display());
    }
    Ok(())
}

fn failure(error: ReportError) -> anyhow::Error {
    let help = |error, help| Failure::from_error(code::FAILED, error).help(help).into();
    match error {
        ReportError::Results { .. } => Failure::usage(error.to_string()).into(),
        ReportError::Config(error) => error.into(),
        ReportError::Kept { .. } => help(
            error,
            "take its last good version from the repository, or remove it and make it again from run folders with --keep",
        ),
        ReportError::Authors { .. } => help(error, "--authors is the folder with the files that the authors published"),
        ReportError::Folder(TrainError::Read { .. }) => help(
            error,
            "give the folders that runs were made in; `cargo xtask sweep configs/sweeps/reproduction.toml` makes them",
        ),
        error => plain(error),
    }
}
