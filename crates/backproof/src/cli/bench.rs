//! The arguments of `bench`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use backproof_bench::{BenchEngine, Pass, Peer};
use clap::Args;

use super::places::Places;

#[derive(Debug, Args)]
#[command(
    after_help = "All programs that are compared run at once and take turns. A figure is the median of its rounds.\n\
                        bench/README.md says how the figures are made and how to repeat them."
)]
pub struct BenchArguments {
    /// Only this published network, such as cifar-baseline; may be repeated. Without it, all but alexnet, resnet-9 and airbench94
    #[arg(long = "model", value_name = "M", env = "BACKPROOF_MODEL", value_delimiter = ',')]
    pub models: Vec<String>,
    /// The network of this config file; may be repeated, and be beside --model
    #[arg(short, long = "config", value_name = "FILE", env = "BACKPROOF_CONFIG", value_delimiter = ',')]
    pub configs: Vec<PathBuf>,
    /// Number of images in a batch; may be repeated
    #[arg(long = "batch", value_name = "N", env = "BACKPROOF_BATCH", value_delimiter = ',', default_values = ["1", "16", "128"])]
    pub batches: Vec<NonZeroUsize>,
    /// Only this pass; may be repeated
    #[arg(long = "pass", value_name = "P", env = "BACKPROOF_PASS", value_enum, value_delimiter = ',')]
    pub passes: Vec<Pass>,
    /// Only this engine; may be repeated
    #[arg(long = "engine", value_name = "E", env = "BACKPROOF_ENGINE", value_enum, value_delimiter = ',')]
    pub engines: Vec<BenchEngine>,
    /// Also measure this program on the same work
    #[arg(long, env = "BACKPROOF_PEER", value_enum)]
    pub peer: Option<Peer>,
    /// Python in which the peer is installed
    #[arg(long, value_name = "PATH", env = "BACKPROOF_PYTHON", default_value = "python3")]
    pub python: PathBuf,
    /// Number of threads of each program; without it, one for each core
    #[arg(long, value_name = "N", env = "BACKPROOF_THREADS")]
    pub threads: Option<NonZeroUsize>,
    /// Number of turns of each program
    #[arg(long, value_name = "N", env = "BACKPROOF_ROUNDS", default_value = "5")]
    pub rounds: NonZeroUsize,
    /// Length of a turn in seconds
    #[arg(long, value_name = "S", env = "BACKPROOF_SECONDS", default_value_t = 0.5, value_parser = parse_seconds)]
    pub seconds: f64,
    /// Instruction set that the kernels and the peer may use, such as avx2
    #[arg(long, value_name = "NAME", env = "BACKPROOF_ISA")]
    pub isa: Option<String>,
    /// Measure whole trainings of this experiment instead of steps: a config file, or the name of one in configs/
    #[arg(
        long,
        value_name = "CONFIG",
        env = "BACKPROOF_WHOLE_RUN",
        conflicts_with_all = ["models", "configs", "batches", "passes", "seconds"]
    )]
    pub whole_run: Option<PathBuf>,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE", env = "BACKPROOF_JSON")]
    pub json: Option<PathBuf>,
    /// Write results.json and results.md to a new dated folder in DIR, such as bench/runs
    #[arg(long, value_name = "DIR", env = "BACKPROOF_WRITE")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub places: Places,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("it is a number of seconds, above 0 and at most 3600".to_owned()),
    }
}
