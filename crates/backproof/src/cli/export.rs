//! The arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::places::{Device, Places, WeightsArguments};

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// ONNX file to write
    #[arg(value_name = "FILE.onnx")]
    pub file: Option<PathBuf>,
    /// Write a PyTorch module into this folder: model.py, weights, and a script that checks them
    #[arg(long, value_name = "DIR", env = "BACKPROOF_PYTORCH")]
    pub pytorch: Option<PathBuf>,
    /// Make padding and normalisation part of the ONNX file, which then takes pixels from 0 to 255 as f32 or u8
    #[arg(
        long,
        value_enum,
        value_name = "TYPE",
        env = "BACKPROOF_NORMALIZE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "f32",
        requires = "file"
    )]
    pub normalize: Option<PixelsOf>,
    /// Make the ONNX file give probabilities in place of logits
    #[arg(long, env = "BACKPROOF_PROBABILITIES", requires = "file")]
    pub probabilities: bool,
    #[command(flatten)]
    pub weights: WeightsArguments,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}

/// The type of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PixelsOf {
    F32,
    U8,
}
