//! The arguments of `runs`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Folder that runs were made in, or the folder of a sweep; by default runs
    #[arg(value_name = "DIR", env = "BACKPROOF_RUNS_DIR")]
    pub folder: Option<PathBuf>,
    /// Write the runs to a file too, as JSON
    #[arg(long, value_name = "FILE", env = "BACKPROOF_JSON")]
    pub json: Option<PathBuf>,
}
