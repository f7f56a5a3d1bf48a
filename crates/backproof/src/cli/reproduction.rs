//! The arguments of `reproduction`.

use std::path::PathBuf;

use clap::Args;

use super::places::{Device, Places};

#[derive(Debug, Args)]
#[command(after_help = "This command makes the runs: cargo xtask sweep configs/sweeps/reproduction.toml")]
pub struct ReproductionArguments {
    /// Folders that contain run folders, at any depth [default: runs; not needed if results are kept]
    #[arg(value_name = "RUNS", env = "BACKPROOF_RUNS_DIR")]
    pub runs: Vec<PathBuf>,
    /// File with the published results and the configs that reproduce them
    #[arg(long, value_name = "FILE", default_value = "docs/reproduction.toml", env = "BACKPROOF_RESULTS")]
    pub results: PathBuf,
    /// Write the page to this file instead of printing it, and its figure reproduction-steps.svg beside it; the file
    /// must be in the folder of the results and end in .md
    #[arg(long, value_name = "FILE.md", env = "BACKPROOF_WRITE")]
    pub write: Option<PathBuf>,
    /// Write all results of the page into the file of kept results, so that the page can be made without run folders
    #[arg(long, env = "BACKPROOF_KEEP")]
    pub keep: bool,
    /// Evaluate the authors' own networks, whose MATLAB files are in this folder, on the test images; without it, the
    /// kept evaluations count
    #[arg(long, value_name = "DIR", env = "BACKPROOF_AUTHORS")]
    pub authors: Option<PathBuf>,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}
