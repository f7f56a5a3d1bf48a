//! The arguments that say what is trained.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct ExperimentArguments {
    /// Experiment to train; without it, the quickstart that comes with the program
    #[arg(short, long, value_name = "FILE", env = "BACKPROOF_CONFIG")]
    pub config: Option<PathBuf>,
    /// Train on your own images, with a network and settings that are chosen for them: a folder with a folder for each
    /// class, or a CSV file of paths and labels
    #[arg(long, value_name = "FOLDER", env = "BACKPROOF_IMAGES", conflicts_with = "config")]
    pub images: Option<PathBuf>,
    /// Set a key of the config to another value; may be repeated, and the variable separates several by `;`
    #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
    pub overrides: Vec<String>,
}
