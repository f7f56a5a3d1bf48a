//! From a request to its outcome.

use std::path::PathBuf;

use crate::results::Results;
use crate::whole_run::WholeRuns;
use crate::{Program, Request, Watch, Work, output, steps, whole_run};

/// What was measured.
#[derive(Debug)]
pub enum Measurements {
    /// Steps.
    Steps(Box<Results>),
    /// Whole runs.
    WholeRuns(Box<WholeRuns>),
}

impl Measurements {
    /// The figures for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        match self {
            Self::Steps(results) => results.table(),
            Self::WholeRuns(results) => results.table(),
        }
    }

    /// Writes the files that were asked for; gives the dated folder, if one was.
    ///
    /// # Errors
    ///
    /// Files that cannot be written.
    pub fn write(&self, request: &Request) -> anyhow::Result<Option<PathBuf>> {
        match self {
            Self::Steps(results) => output::write(request, &**results, &results.markdown()),
            Self::WholeRuns(results) => output::write(request, &**results, &results.markdown()),
        }
    }
}

/// Measures what was asked for.
///
/// # Errors
///
/// A [`BenchError`](crate::BenchError), or an error of the crates below: data that is missing, a run that failed, a
/// file that cannot be written.
pub fn run(request: &Request, program: &Program, watch: &dyn Watch) -> anyhow::Result<Measurements> {
    output::check(request)?;
    Ok(match &request.work {
        Work::Steps { networks, batches, passes } => {
            Measurements::Steps(Box::new(steps::run(request, program, networks, batches, passes, watch)?))
        }
        Work::WholeRun { config, experiment } => {
            Measurements::WholeRuns(Box::new(whole_run::run(request, program, config, experiment, watch)?))
        }
    })
}
