//! The arguments of `bench`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use backproof_spec::{Engine, Kernels};
use clap::{Args, ValueEnum};

use super::Places;

#[derive(Debug, Args)]
#[command(
    after_help = "Everything that is compared is alive at once and takes turns, round by round; a figure is the median of its rounds.\n\
                        bench/README.md says how the figures are made and how to repeat them."
)]
pub struct Bench {
    /// Only this published network, such as cifar-baseline; may be repeated. alexnet is measured only when asked for
    #[arg(long = "model", value_name = "M", env = "BACKPROOF_MODEL", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Images in a batch; may be repeated
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
    /// Python that has the peer
    #[arg(long, value_name = "PATH", env = "BACKPROOF_PYTHON", default_value = "python3")]
    pub python: PathBuf,
    /// Threads of each program; all cores if not given
    #[arg(long, value_name = "N", env = "BACKPROOF_THREADS")]
    pub threads: Option<NonZeroUsize>,
    /// Turns that each takes
    #[arg(long, value_name = "N", env = "BACKPROOF_ROUNDS", default_value = "5")]
    pub rounds: NonZeroUsize,
    /// Seconds of a turn
    #[arg(long, value_name = "S", env = "BACKPROOF_SECONDS", default_value_t = 0.5, value_parser = parse_seconds)]
    pub seconds: f64,
    /// Instruction set to keep to, such as avx2, of the kernels and of the peer
    #[arg(long, value_name = "NAME", env = "BACKPROOF_ISA")]
    pub isa: Option<String>,
    /// Instead of single steps, train this experiment from start to end: a config, or the name of one in configs/
    #[arg(
        long,
        value_name = "CONFIG",
        env = "BACKPROOF_WHOLE_RUN",
        conflicts_with_all = ["models", "batches", "passes", "seconds"]
    )]
    pub whole_run: Option<PathBuf>,
    /// Write every figure to this file
    #[arg(long, value_name = "FILE", env = "BACKPROOF_JSON")]
    pub json: Option<PathBuf>,
    /// Write results.json and results.md to a new dated folder in DIR, such as bench/runs
    #[arg(long, value_name = "DIR", env = "BACKPROOF_WRITE")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub places: Places,
}

/// An engine, or stock Burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchEngine {
    /// Burn's autodiff, convolutions by our kernels
    Autodiff,
    /// The derived backward passes as one plan of our kernels
    Compiled,
    /// Stock Burn: its autodiff on its operations
    Burn,
    /// The derived backward passes on Burn's operations
    Manual,
}

impl BenchEngine {
    /// Every engine, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Autodiff, Self::Compiled, Self::Burn, Self::Manual];

    /// Its name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Burn => "burn",
            _ => self.engine().name(),
        }
    }

    /// The engine of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// As a config says it.
    #[must_use]
    pub fn engine(self) -> Engine {
        match self {
            Self::Autodiff | Self::Burn => Engine::Autodiff,
            Self::Compiled => Engine::Compiled,
            Self::Manual => Engine::Manual,
        }
    }

    /// Whether our kernels compute it.
    #[must_use]
    pub fn kernels(self) -> Kernels {
        match self {
            Self::Autodiff | Self::Compiled => Kernels::Auto,
            Self::Burn | Self::Manual => Kernels::Off,
        }
    }

    /// What makes `train` use it, as `--set` takes it.
    #[must_use]
    pub fn overrides(self) -> Vec<String> {
        vec![format!("engine={}", self.engine().name()), format!("kernels={}", self.kernels().name())]
    }
}

/// What a step is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pass {
    /// Forward, loss, backward, optimizer
    Training,
    /// Forward alone
    Inference,
}

impl Pass {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Training, Self::Inference];

    /// Its name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inference => "inference",
        }
    }
}

/// Another program that does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// PyTorch, eager and compiled, in both memory formats
    #[value(name = "pytorch")]
    PyTorch,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("it is a number of seconds, above 0 and at most 3600".to_owned()),
    }
}
