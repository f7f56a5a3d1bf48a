//! The arguments of `predict`.

use std::path::PathBuf;

use clap::Args;

use super::places::{Device, Places, WeightsArguments};
use super::shown::Shown;

#[derive(Debug, Args)]
pub struct PredictArguments {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// Image files, and folders: of a folder all pictures in it, or else in the folders in it
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// Number of classes to show for each picture, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, env = "BACKPROOF_TOP", value_parser = parse_top)]
    pub top: usize,
    #[command(flatten)]
    pub shown: Shown,
    #[command(flatten)]
    pub weights: WeightsArguments,
    /// Write to DIR where the network looks in each picture: explained.html, and panels as PNG and SVG
    ///
    /// A panel has the picture as the network gets it, the saliency, Grad-CAM and occlusion. The saliency is checked by
    /// finite differences.
    #[arg(long, value_name = "DIR", env = "BACKPROOF_EXPLAIN")]
    pub explain: Option<PathBuf>,
    /// Class that --explain explains, instead of the predicted one
    #[arg(long, value_name = "CLASS", env = "BACKPROOF_CLASS", requires = "explain")]
    pub class: Option<String>,
    /// Write what the network sees of each picture to DIR, as PNG: NAME-input.png, and NAME-seen.png beside the picture
    #[arg(long, value_name = "DIR", env = "BACKPROOF_SAVE_INPUT")]
    pub save_input: Option<PathBuf>,
    /// Write the predictions to FILE as CSV, with the probability of every class
    #[arg(long, value_name = "FILE", env = "BACKPROOF_CSV")]
    pub csv: Option<PathBuf>,
    /// Print the predictions as JSON
    #[arg(long, env = "BACKPROOF_JSON")]
    pub json: bool,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}

fn parse_top(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it is at least 1".to_owned()),
        Ok(top) => Ok(top),
        Err(_) => Err("it is a whole number".to_owned()),
    }
}
