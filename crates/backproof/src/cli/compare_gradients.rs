//! The arguments of `compare-gradients`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::places::{Device, Places};
use backproof_suite::Point;

#[derive(Debug, Args)]
pub struct CompareGradientsArguments {
    /// Check everything, which takes minutes: every published network, and more cases of each layer. Without any choice,
    /// a few cases of each layer and the network of the quickstart are checked, in seconds
    #[arg(long, env = "BACKPROOF_ALL", conflicts_with_all = ["layer", "model", "config", "suite"])]
    pub all: bool,
    /// Check only this layer, such as conv2d; with --suite, only this operation
    #[arg(long, value_name = "L", env = "BACKPROOF_LAYER", conflicts_with_all = ["model", "config"])]
    pub layer: Option<String>,
    /// Check only this published network, such as cifar-baseline
    #[arg(long, value_name = "M", env = "BACKPROOF_MODEL", conflicts_with_all = ["config", "suite"])]
    pub model: Option<String>,
    /// Check only the network of this experiment, on its data
    #[arg(short, long, value_name = "FILE", env = "BACKPROOF_CONFIG", conflicts_with = "suite")]
    pub config: Option<PathBuf>,
    /// Check Burn's own operations instead of our layers
    #[arg(long, value_enum, env = "BACKPROOF_SUITE")]
    pub suite: Option<Suite>,
    #[command(flatten)]
    pub device: Device,
    /// Precision of the code under test; the differences are always taken in f64
    #[arg(long, value_enum, default_value_t = Precision::F32, env = "BACKPROOF_DTYPE")]
    pub dtype: Precision,
    /// Seed of the shapes, the numbers, the directions and the choice of elements
    #[arg(long, value_name = "N", default_value_t = 0, env = "BACKPROOF_SEED")]
    pub seed: u64,
    /// Number of cases for each layer or operation [default: 24]
    #[arg(long, value_name = "N", env = "BACKPROOF_CASES", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub cases: Option<u64>,
    /// Check only at these points, such as saturated-90. At hard points, functions overflow, are flat or have a kink
    #[arg(long, value_enum, value_name = "P", value_delimiter = ',', env = "BACKPROOF_POINT", conflicts_with_all = ["model", "config"])]
    pub point: Vec<Point>,
    /// Number of cases at each hard point; with 0, only general points are checked [default: 1]
    #[arg(long, value_name = "N", env = "BACKPROOF_HARD_CASES", value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub hard_cases: Option<u64>,
    /// Check only the case of this number, in full; a failure prints this flag, so that you can repeat the case
    #[arg(long, value_name = "K", env = "BACKPROOF_CASE", requires = "layer", conflicts_with_all = ["cases", "hard_cases"])]
    pub case: Option<u64>,
    /// Also spoil every gradient in many ways, and show how many of these mutants are found; for networks only in f64
    #[arg(long, env = "BACKPROOF_MUTANTS")]
    pub mutants: bool,
    /// Write all results to this file
    #[arg(long, value_name = "FILE", env = "BACKPROOF_JSON")]
    pub json: Option<PathBuf>,
    /// Write inputs, parameters, cotangents and gradients to this file, so that other frameworks can compare them
    #[arg(long, value_name = "FILE.safetensors", env = "BACKPROOF_DUMP")]
    pub dump: Option<PathBuf>,
    #[command(flatten)]
    pub places: Places,
}

impl CompareGradientsArguments {
    /// Nothing says what to check, or how much of it.
    pub fn short(&self) -> bool {
        let something = [
            self.all,
            self.layer.is_some(),
            self.model.is_some(),
            self.config.is_some(),
            self.suite.is_some(),
            self.cases.is_some(),
            self.hard_cases.is_some(),
            !self.point.is_empty(),
            self.case.is_some(),
            self.mutants,
            self.dump.is_some(),
        ];
        !something.contains(&true)
    }

    /// How many cases of each layer or operation.
    pub fn cases(&self) -> u64 {
        self.cases.unwrap_or(if self.short() { 4 } else { 24 })
    }

    /// How many cases at each hard point.
    pub fn hard_cases(&self) -> u64 {
        self.hard_cases.unwrap_or(1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Burn's own operations
    Burn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F64,
}
