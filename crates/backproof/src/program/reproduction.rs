//! `reproduction`.

use backproof::cli;
use backproof::error::Failure;
use backproof_report::{ReportError, reproduction};
use backproof_spec::counted;
use backproof_train::{TrainError, write_file};

use crate::report::plain;

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is left out to stderr
pub(crate) fn run(arguments: &cli::ReproductionArguments) -> anyhow::Result<()> {
    let table = reproduction(&arguments.results, &arguments.runs).map_err(failure)?;
    for left_out in &table.left_out {
        eprintln!("left out: {left_out}");
    }
    let Some(path) = &arguments.write else {
        print!("{}", table.markdown);
        return Ok(());
    };
    write_file(path, table.markdown.as_bytes())?;
    println!("{}", table.verdict);
    println!("{}, {} left out", counted(table.runs, "run"), counted(table.left_out.len(), "run folder"));
    println!("table        {}", path.display());
    Ok(())
}

fn failure(error: ReportError) -> anyhow::Error {
    match error {
        ReportError::Results { .. } => Failure::usage(error.to_string()).into(),
        ReportError::Config(error) => error.into(),
        ReportError::Folder(error @ TrainError::Read { .. }) => {
            let help = "give the folders that runs were made in; `cargo xtask sweep configs/sweeps/reproduction.toml` makes them";
            Failure::from_error(backproof::error::code::FAILED, error).help(help).into()
        }
        error => plain(error),
    }
}
