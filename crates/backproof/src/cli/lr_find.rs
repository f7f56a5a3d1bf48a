//! The arguments of `lr-find`.

use std::path::PathBuf;

use clap::Args;

use super::experiment::ExperimentArguments;
use super::places::{Device, Places};

#[derive(Debug, Args)]
pub struct LrFindArguments {
    #[command(flatten)]
    pub experiment: ExperimentArguments,
    #[command(flatten)]
    pub device: Device,
    /// First learning rate; without it 1e-6 for adam, adamw and rmsprop, and 1e-5 for the other optimizers
    #[arg(long, value_name = "RATE", env = "BACKPROOF_FROM")]
    pub from: Option<f64>,
    /// Last learning rate; without it 1 for adam, adamw and rmsprop, and 10 for the other optimizers
    #[arg(long, value_name = "RATE", env = "BACKPROOF_TO")]
    pub to: Option<f64>,
    /// Number of mini-batches; each has its own learning rate
    #[arg(long, value_name = "N", env = "BACKPROOF_STEPS", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub steps: u32,
    /// Folder for lr-find.svg, lr-find.png and lr-find.csv
    #[arg(short, long, value_name = "DIR", env = "BACKPROOF_OUTPUT", default_value = "lr-find")]
    pub output: PathBuf,
    #[command(flatten)]
    pub places: Places,
}
