//! The arguments of `explain`.

use std::path::PathBuf;

use clap::Args;

use super::places::{Device, Places, WeightsArguments};
use super::shown::Shown;

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// PNG or JPEG file, instead of a test image
    #[arg(value_name = "IMAGE", conflicts_with = "test_image")]
    pub image: Option<PathBuf>,
    /// Number of the test image, from 0 on; by default the one whose class got the least probability in the evaluation
    #[arg(long, value_name = "N", env = "BACKPROOF_TEST_IMAGE")]
    pub test_image: Option<usize>,
    /// Class that the loss takes for the true one; by default that of the test image, or the predicted one
    #[arg(long, value_name = "CLASS", env = "BACKPROOF_LABEL")]
    pub label: Option<String>,
    /// Let batch normalisations take their statistics from the image, as in training, and not the running ones
    #[arg(long, env = "BACKPROOF_BATCH_STATISTICS")]
    pub batch_statistics: bool,
    #[command(flatten)]
    pub shown: Shown,
    #[command(flatten)]
    pub weights: WeightsArguments,
    /// Write the page to this file instead of explain.html in the run folder
    #[arg(long, value_name = "FILE", env = "BACKPROOF_WRITE")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}
