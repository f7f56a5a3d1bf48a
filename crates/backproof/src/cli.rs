//! The arguments. Every flag can be given as a variable, `BACKPROOF_` and its name; [`variables`] says how it is read.

#![allow(missing_docs)] // what a user reads of each argument is its documentation

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::shard::Shard;

mod bench;
mod compare_gradients;
pub(crate) mod variables;

pub use bench::Bench;
pub use compare_gradients::{CompareGradients, Precision, Suite};

/// Trains small image classifiers on Burn and proves their gradients.
#[derive(Debug, Parser)]
#[command(name = "backproof", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The arguments of this process, of a program that is called `program`; without any, prints the list of commands.
    ///
    /// Ends the process where the arguments are wrong (code 2) or ask for help or the version (code 0).
    #[must_use]
    pub fn from_arguments(program: &'static str) -> Self {
        let command = || Self::command().bin_name(program);
        let arguments: Vec<OsString> = std::env::args_os().collect();
        if arguments.len() < 2 {
            // Nothing to do is no error: say what can be done.
            let _ = command().print_help();
            std::process::exit(0);
        }
        let matches = variables::matches(command, &arguments).unwrap_or_else(|error| error.exit());
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let Some(overrides) = cli.command.overrides()
            && variables::is_source(&matches, "overrides")
        {
            *overrides = variables::overrides(&overrides.join(";"));
        }
        cli
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an experiment and evaluate it on its test images
    Train(Train),
    /// Go on with a run from its last checkpoint
    Resume(Resume),
    /// Evaluate a run on one part of its data
    Evaluate(Evaluate),
    /// Train every run of a sweep, each in a process of its own, and compare them
    Sweep(Sweep),
    /// Predict the classes of pictures, PNG or JPEG of any size
    Predict(Predict),
    /// Prove the gradients of layers and networks: by hand, by autodiff and by finite differences
    CompareGradients(CompareGradients),
    /// Make the report of a run: report.html and its figures; of several, also their comparison
    Report(Report),
    /// Compare runs: curves laid over each other, and what differs in config and result
    CompareRuns(CompareRuns),
    /// Hold finished runs against published results: a table in Markdown
    Reproduction(Reproduction),
    /// Print the parameter table of a network
    Params(Params),
    /// Download, verify or locate data sets
    Data(Data),
    /// Check a config, or print the schema or the defaults
    Config(Config),
    /// Measure the speed of training and inference, also against PyTorch
    Bench(Box<Bench>),
    /// What `bench` starts for every figure: takes its task and its turns from stdin
    #[command(hide = true)]
    BenchWorker,
    /// Say what this machine has: cores, backends, devices, data
    Doctor(Doctor),
    /// Print the completions of a shell
    Completions(Completions),
}

impl Command {
    /// What `--set` gave, of the commands that have it.
    fn overrides(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Train(Train { overrides, .. })
            | Self::Sweep(Sweep { overrides, .. })
            | Self::Config(Config { command: ConfigCommand::Check { overrides, .. } }) => Some(overrides),
            _ => None,
        }
    }
}

/// Where things are.
#[derive(Debug, Args)]
pub struct Places {
    /// Folder with the data sets, instead of the cache
    #[arg(long, value_name = "DIR", env = "BACKPROOF_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Device {
    /// Backend to run on: flex, ndarray, wgpu, cuda
    #[arg(long, value_name = "B", env = "BACKPROOF_BACKEND", default_value = "flex")]
    pub backend: String,
}

#[derive(Debug, Args)]
pub struct Train {
    /// Experiment to train; without it, the bundled quickstart
    #[arg(short, long, value_name = "FILE", env = "BACKPROOF_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub device: Device,
    /// Override a key of the config; may be repeated, and the variable separates several by `;`
    #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
    pub overrides: Vec<String>,
    /// Name of the experiment, and so of its folder under runs/
    #[arg(long, env = "BACKPROOF_NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub places: Places,
    /// Folder that run folders are made in
    #[arg(long, value_name = "DIR", env = "BACKPROOF_RUNS_DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
    /// Also write the figures for TensorBoard, into the run folder
    #[arg(long, env = "BACKPROOF_TENSORBOARD")]
    pub tensorboard: bool,
    /// Only 20 iterations, but every output: to see that a config works
    #[arg(long, env = "BACKPROOF_SMOKE")]
    pub smoke: bool,
    #[command(flatten)]
    pub supervision: Supervision,
}

#[derive(Debug, Args)]
pub struct Supervision {
    /// Stop, with a checkpoint, when stdin ends: how a sweep stops its runs, and how they learn that it was killed
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// Iteration to go on to, instead of the config's
    #[arg(long, value_name = "N", env = "BACKPROOF_ITERATIONS")]
    pub iterations: Option<usize>,
    /// Write the figures for TensorBoard from now on, and those so far; a run that did goes on doing so
    #[arg(long, env = "BACKPROOF_TENSORBOARD")]
    pub tensorboard: bool,
    /// Checkpoint to go on from; without it the last one, or the best where there is no last
    #[arg(long, value_enum, env = "BACKPROOF_CHECKPOINT")]
    pub checkpoint: Option<CheckpointName>,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub supervision: Supervision,
}

#[derive(Debug, Args)]
pub struct Evaluate {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// Part of the data to evaluate on
    #[arg(long, value_enum, default_value_t = SplitName::Test, env = "BACKPROOF_SPLIT")]
    pub split: SplitName,
    /// Checkpoint to evaluate
    #[arg(long, value_enum, default_value_t = CheckpointName::Last, env = "BACKPROOF_CHECKPOINT")]
    pub checkpoint: CheckpointName,
    /// Weights to evaluate instead, with PyTorch's names and layouts; the run folder stays as it is
    #[arg(long, value_name = "FILE.safetensors", env = "BACKPROOF_WEIGHTS", conflicts_with = "checkpoint")]
    pub weights: Option<PathBuf>,
    /// Write every logit, and the first 64 images as the network sees them, to this file
    #[arg(long, value_name = "FILE.safetensors", env = "BACKPROOF_LOGITS")]
    pub logits: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, env = "BACKPROOF_JSON")]
    pub json: bool,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
}

/// A picture keeps its proportions. For a network of grey images, which show one thing on black, it is shrunk as a whole and
/// gets black at two sides; for a network of colour images its middle is cut out. What is transparent lies on white.
///
/// MNIST's digits are centred by their mass, in a box of 20×20 pixels, and a digit of your own may not be: --center does it.
#[derive(Debug, Args)]
pub struct Predict {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// PNG or JPEG files
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// Classes to show of each picture, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, env = "BACKPROOF_TOP", value_parser = parse_top)]
    pub top: usize,
    /// Take the negative of each picture: for black on white, where the network knows white on black
    #[arg(long, env = "BACKPROOF_INVERT")]
    pub invert: bool,
    /// Bring what is bright to the size and place of MNIST's digits; for networks of grey images
    #[arg(long, alias = "centre", env = "BACKPROOF_CENTER")]
    pub center: bool,
    /// Checkpoint to predict with
    #[arg(long, value_enum, default_value_t = CheckpointName::Last, env = "BACKPROOF_CHECKPOINT")]
    pub checkpoint: CheckpointName,
    /// Weights to predict with instead, with PyTorch's names and layouts
    #[arg(long, value_name = "FILE.safetensors", env = "BACKPROOF_WEIGHTS", conflicts_with = "checkpoint")]
    pub weights: Option<PathBuf>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SplitName {
    Training,
    Validation,
    Test,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CheckpointName {
    Last,
    Best,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What is finished is not done again: the same command goes on with a sweep that was interrupted or killed.\n\
                        On a cluster, one job for each shard: docs/slurm-array.sh is an example for Slurm."
)]
pub struct Sweep {
    /// Sweep, such as configs/sweeps/quickstart.toml
    pub file: PathBuf,
    /// Runs at once; each gets its share of the cores
    #[arg(short, long, value_name = "N", env = "BACKPROOF_JOBS", default_value = "1")]
    pub jobs: NonZeroUsize,
    /// Every N-th run only, from the I-th on: one of N processes that share the work and the folder
    #[arg(long, value_name = "I/N", env = "BACKPROOF_SHARD")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub device: Device,
    /// Override a key of every run; may be repeated, and the variable separates several by `;`
    #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
    pub overrides: Vec<String>,
    #[command(flatten)]
    pub places: Places,
    /// Folder that run folders are made in; the sweep's own is DIR/sweeps/NAME-HASH
    #[arg(long, value_name = "DIR", env = "BACKPROOF_RUNS_DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Report {
    /// Run folders, such as runs/quickstart/latest
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder for the comparison of several runs
    #[arg(long, value_name = "DIR", env = "BACKPROOF_OUTPUT", default_value = "comparison")]
    pub output: PathBuf,
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct CompareRuns {
    /// Run folders, such as runs/quickstart/latest
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder for comparison.html and its figures
    #[arg(long, value_name = "DIR", env = "BACKPROOF_OUTPUT", default_value = "comparison")]
    pub output: PathBuf,
}

/// A run counts if it is finished and its config is the one that the results name, but for the seed and the engine; of several
/// with one seed, the newest. What is left out is said.
#[derive(Debug, Args)]
#[command(after_help = "The runs: cargo xtask sweep configs/sweeps/reproduction.toml")]
pub struct Reproduction {
    /// Folders with run folders somewhere in them
    #[arg(value_name = "RUNS", default_value = "runs", env = "BACKPROOF_RUNS_DIR")]
    pub runs: Vec<PathBuf>,
    /// Published results, and the configs that reproduce them
    #[arg(long, value_name = "FILE", default_value = "docs/reproduction.toml", env = "BACKPROOF_RESULTS")]
    pub results: PathBuf,
    /// Write the table to this file, in the folder of the results, instead of printing it
    #[arg(long, value_name = "FILE.md", env = "BACKPROOF_WRITE")]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Params {
    /// Published network, such as cifar-baseline, or a config file
    pub model: String,
}

#[derive(Debug, Args)]
pub struct Data {
    #[command(subcommand)]
    pub command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Download data sets and verify them
    Fetch(DataNames),
    /// Check the files of data sets against the published sums
    Verify(DataNames),
    /// Print the folders of data sets
    Path(DataNames),
}

/// The data sets that are files: what `data` is about.
fn data_set_names() -> String {
    let files = backproof_data::sources().iter().filter(|source| source.published().is_some());
    let names: Vec<&str> = files.map(|source| source.name()).collect();
    format!("{}; without a name, all", names.join(", "))
}

#[derive(Debug, Args)]
pub struct DataNames {
    #[arg(help = data_set_names())]
    pub names: Vec<String>,
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check configs and sweeps and say what is wrong with them
    Check {
        /// Config files, or files of sweeps
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Override a key; may be repeated, and the variable separates several by `;`
        #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
        overrides: Vec<String>,
    },
    /// Print the JSON Schema of a config, or of a sweep
    Schema {
        /// The schema of a sweep
        #[arg(long, env = "BACKPROOF_SWEEP")]
        sweep: bool,
    },
    /// Print every key with its default; with a file, that config with every default filled in
    Defaults {
        /// Config file
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// bash, zsh, fish, elvish or powershell
    pub shell: clap_complete::Shell,
}
