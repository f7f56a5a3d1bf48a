//! The arguments of `serve`.

use std::path::PathBuf;

use clap::Args;

use super::places::{Device, Places, WeightsArguments};
use super::shown::Shown;

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// Port of 127.0.0.1 to listen on; with 0, a free one
    #[arg(long, value_name = "N", default_value_t = 8000, env = "BACKPROOF_PORT")]
    pub port: u16,
    /// Most MiB of a request, and of all files of a form together
    #[arg(long, value_name = "MIB", default_value_t = 16, env = "BACKPROOF_LIMIT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub limit: u16,
    #[command(flatten)]
    pub shown: Shown,
    #[command(flatten)]
    pub weights: WeightsArguments,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}
