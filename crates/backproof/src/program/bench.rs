//! `bench`: prints what [`backproof_bench`] measures.

use std::time::Duration;

use backproof::backend::Backend;
use backproof::{bench, cli};
use backproof_bench::{BenchError, Program, Watch};
use backproof_data::DataError;
use backproof_train::TrainError;
use indicatif::{ProgressBar, ProgressStyle};

use crate::executable::own_program;
use crate::{device, failures, setup};

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &cli::BenchArguments) -> anyhow::Result<()> {
    let request = bench::request(arguments)?;
    let mut command_line: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = command_line.first_mut() {
        // Where the program lies on this machine is nobody's business in a file for others.
        "backproof".clone_into(program);
    }
    let program = Program { path: own_program()?, command_line, git_revision: setup::git_revision() };
    let progress = Progress::new();
    let outcome = backproof_bench::run(&request, &program, &progress).map_err(failure)?;
    drop(progress);
    println!("{}", outcome.table());
    if let Some(folder) = outcome.write(&request).map_err(failure)? {
        println!("\nwritten to {}", folder.display());
    }
    Ok(())
}

/// The process that `bench` starts.
pub(crate) fn work() -> anyhow::Result<()> {
    backproof_bench::work(&device::open(Backend::Flex)?)
}

/// With the exit code and the way out that go with the error.
fn failure(error: anyhow::Error) -> anyhow::Error {
    let error = match error.downcast::<BenchError>() {
        Ok(error) => return bench::failure(error).into(),
        Err(error) => error,
    };
    let error = match error.downcast::<DataError>() {
        Ok(error) => return failures::data_failure(error).into(),
        Err(error) => error,
    };
    error.downcast::<TrainError>().map_or_else(|error| error, |error| failures::failure(error).into())
}

/// How much of all is done and what is being done: on a terminal, on stderr.
struct Progress(ProgressBar);

impl Progress {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:24} {pos} of {len}  {msg}  {elapsed}");
        Self(ProgressBar::no_length().with_style(style.expect("the template is ours")))
    }
}

impl Watch for Progress {
    fn begin(&self, pieces: usize) {
        self.0.set_length(pieces as u64);
        self.0.reset_elapsed();
        self.0.enable_steady_tick(Duration::from_secs(1));
    }

    fn doing(&self, what: String) {
        self.0.set_message(what);
    }

    fn done(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
