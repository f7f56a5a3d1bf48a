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

/// Which weights a network has.
#[derive(Debug, Args)]
pub struct WeightsArguments {
    /// Checkpoint to take the weights from
    #[arg(long, value_enum, default_value_t = CheckpointChoice::Last, env = "BACKPROOF_CHECKPOINT")]
    pub checkpoint: CheckpointChoice,
    /// Take the weights of this file instead: safetensors, .npz or .mat; the run folder does not change
    #[arg(long, value_name = "FILE", env = "BACKPROOF_WEIGHTS", conflicts_with = "checkpoint")]
    pub weights: Option<PathBuf>,
}

/// Which checkpoint of a run.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckpointChoice {
    Last,
    Best,
}
