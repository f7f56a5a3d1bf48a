//! Arguments that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where things are.
#[derive(Debug, Args)]
pub struct Places {
    /// Folder of the data sets, instead of the cache folder
    #[arg(long, value_name = "DIR", env = "BACKPROOF_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Device {
    /// Backend to run on: flex, ndarray, wgpu, cuda
    #[arg(long, value_name = "B", env = "BACKPROOF_BACKEND", default_value = "flex")]
    pub backend: String,
}

/// Which checkpoint of a run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckpointChoice {
    Last,
    Best,
}
