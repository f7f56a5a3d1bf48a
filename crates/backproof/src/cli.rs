//! The arguments. Every flag can be given as a variable, `BACKPROOF_` and its name; [`variables`] says how it is read.

#![allow(missing_docs)] // what a user reads of each argument is its documentation

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::shard::Shard;

mod bench;
mod compare_gradients;
mod config;
mod data;
mod experiment;
mod explain;
mod export;
mod figures;
mod judge;
mod lr_find;
mod misspelt;
mod places;
mod predict;
mod reproduction;
mod runs;
mod serve;
mod shown;
pub(crate) mod variables;

pub use bench::BenchArguments;
pub use compare_gradients::{CompareGradientsArguments, Precision, Suite};
pub use config::{ConfigArguments, ConfigCommand};
pub use data::{DataArguments, DataCommand, DataExportArguments, DataListArguments, DataNames};
pub use experiment::ExperimentArguments;
pub use explain::ExplainArguments;
pub use export::{ExportArguments, PixelsOf};
pub use figures::{FigureArguments, FigureFormat};
pub use judge::{JudgeArguments, JudgeCommand};
pub use lr_find::LrFindArguments;
pub use places::{CheckpointChoice, Device, Places, WeightsArguments};
pub use predict::PredictArguments;
pub use reproduction::ReproductionArguments;
pub use runs::RunsArguments;
pub use serve::ServeArguments;
pub use shown::{InkChoice, Shown};

/// Trains small image classifiers on Burn and proves their gradients.
#[derive(Debug, Parser)]
#[command(name = "backproof", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The variables of this process that begin as Backproof's do and are not known.
    #[must_use]
    pub fn misspelt_variables() -> Vec<OsString> {
        misspelt::misspelt(&Self::command())
    }

    /// The arguments of this process, of a program that is called `program`; without any, prints the list of commands.
    /// Warns of variables that are not known.
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
        misspelt::warn(&command());
        let matches = variables::matches(command, &arguments).unwrap_or_else(|error| error.exit());
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let Some(overrides) = cli.command.overrides()
            && variables::is_source(&matches, "overrides")
        {
            *overrides = variables::overrides(&overrides.join(";"));
        }
        if let Command::Evaluate(EvaluateArguments { run: Some(_), config, overrides, .. }) = &mut cli.command {
            // The variables of a config hold where a config is asked for, and this run has its own.
            if variables::is_source(&matches, "config") {
                *config = None;
            }
            if variables::is_source(&matches, "overrides") {
                overrides.clear();
            }
        }
        cli
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an experiment, and evaluate it on its test images
    Train(TrainArguments),
    /// Draw the loss over the learning rate, and suggest a learning rate
    ///
    /// The network is trained from its first weights while the learning rate rises from mini-batch to mini-batch. This
    /// ends where the smoothed loss is 4 times its least value, or not finite. The suggestion is a tenth of the
    /// lowest rate at which the smoothed loss has made 95 % of its fall. Warm-up and schedule are off, and parameter
    /// groups keep their ratio to optimizer.learning_rate.
    LrFind(LrFindArguments),
    /// Continue a run from its last checkpoint
    Resume(ResumeArguments),
    /// Evaluate a run, or weights from elsewhere, on one part of the data
    ///
    /// A weights file is safetensors or a NumPy archive (.npz), with PyTorch's names and layouts, or a MATLAB file (.mat)
    /// with a network of the course FMAN45. The content decides which it is.
    Evaluate(EvaluateArguments),
    /// Train every run of a sweep, each in a separate process, and compare them
    Sweep(SweepArguments),
    /// Predict the classes of pictures of any size: PNG, JPEG, GIF, BMP, WebP or TIFF
    ///
    /// A network that was trained on a folder of images gets each picture as it got those. Otherwise a picture keeps its
    /// proportions. For a network of grey images, the whole picture is shrunk, and black is added on two sides. For a
    /// network of colour images, the middle of the picture is cut out. Transparent pixels become white.
    ///
    /// MNIST's digits are bright strokes on black, centred by their mass in a box of 20×20 pixels. For a network of such
    /// images, a photo of a digit on paper becomes one (--ink). --invert and --center do it by hand.
    ///
    /// A picture that is unlike the training images causes a warning, which says what differs. --save-input writes what
    /// the network sees.
    ///
    /// --explain writes a page that shows where the network looks in each picture. docs/attribution.md says how to read it.
    Predict(PredictArguments),
    /// Show both passes of one image through the network of a run, on a page to touch
    ///
    /// The page has every output, weight and gradient as a picture. A number that is touched shows its formula with its
    /// own numbers, beside the number of the engine and a finite difference.
    Explain(ExplainArguments),
    /// Write the network of a run as an ONNX file, or as a PyTorch module
    ///
    /// The ONNX file has opset 17 and takes batches of any size. Its metadata say the classes, the normalisation and
    /// the run. docs/export.md shows how to run it.
    Export(ExportArguments),
    /// Answer with the network of a run over HTTP, on this machine, with a page to drop images on
    ///
    /// `POST /predict` takes an image as its body, or a form with files, and answers with JSON. `GET /model` says what
    /// the network is. Nothing but programs of this machine can ask.
    Serve(ServeArguments),
    /// Prove the gradients of layers and networks, by hand and by autodiff, with finite differences
    ///
    /// Without --layer, --model, --config or --suite, this checks every layer over generated shapes, and every
    /// published network on real images.
    CompareGradients(CompareGradientsArguments),
    /// Judge gradients that others computed, in any language; make exercises for them
    ///
    /// `judge new LAYER -o DIR` makes an exercise: a task, cases with all their numbers, and skeletons for Python,
    /// MATLAB and Octave, Julia, Rust and C. `judge DIR` says of each answer whether it is right, or where it is wrong,
    /// by how much and what that looks like. The exit code is 3 if an answer is not right.
    Judge(JudgeArguments),
    /// Make the report of each run: report.html and its figures; for several runs, also a comparison
    Report(ReportArguments),
    /// List the runs in a folder with their figures, newest first
    ///
    /// A sweep in the folder counts as one, by the run of its best point. `runs SWEEP` lists all runs of a sweep.
    Runs(RunsArguments),
    /// Compare runs: their curves in one figure, and the differences of their configs and results
    CompareRuns(CompareRunsArguments),
    /// Hold finished runs against published results, on a Markdown page
    ///
    /// A run counts if it is finished and has the config that the results name. Its seed and its engine may differ. If
    /// several runs have one seed, the newest counts. Runs come from run folders and from the file of kept results that
    /// the results name. The command lists the runs that it leaves out, with the reason.
    Reproduction(ReproductionArguments),
    /// Print the parameter table of a network
    Params(ParamsArguments),
    /// List, download, verify, locate or export data sets
    Data(DataArguments),
    /// Check a config, or print the schema or the defaults
    Config(ConfigArguments),
    /// Measure the speed of training and inference, and compare it with PyTorch
    Bench(Box<BenchArguments>),
    /// What `bench` starts for every figure: takes its task and its turns from stdin
    #[command(hide = true)]
    BenchWorker,
    /// Print what this machine has: cores, backends, devices, data sets
    Doctor(DoctorArguments),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArguments),
}

impl Command {
    /// What `--set` gave, of the commands that have it.
    fn overrides(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Train(TrainArguments { experiment: ExperimentArguments { overrides, .. }, .. })
            | Self::LrFind(LrFindArguments { experiment: ExperimentArguments { overrides, .. }, .. })
            | Self::Evaluate(EvaluateArguments { overrides, .. })
            | Self::Sweep(SweepArguments { overrides, .. })
            | Self::Config(ConfigArguments { command: ConfigCommand::Check { overrides, .. } }) => Some(overrides),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub experiment: ExperimentArguments,
    #[command(flatten)]
    pub device: Device,
    /// Name of the experiment, and of its folder under runs/
    #[arg(long, env = "BACKPROOF_NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub places: Places,
    /// Folder for the run folders
    #[arg(long, value_name = "DIR", env = "BACKPROOF_RUNS_DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
    /// Also write the figures as TensorBoard events into the run folder
    #[arg(long, env = "BACKPROOF_TENSORBOARD")]
    pub tensorboard: bool,
    /// Train only 20 iterations and write every output, to see whether a config works
    #[arg(long, env = "BACKPROOF_SMOKE")]
    pub smoke: bool,
    /// Say what would be trained, how long it takes and the memory that it needs; train nothing, and make no run folder
    #[arg(long, env = "BACKPROOF_DRY_RUN")]
    pub dry_run: bool,
    /// With --dry-run, print what it says as JSON
    #[arg(long, env = "BACKPROOF_JSON")]
    pub json: bool,
    #[command(flatten)]
    pub figures: FigureArguments,
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
pub struct ResumeArguments {
    /// Run folder, such as runs/quickstart/latest
    pub run: PathBuf,
    /// Last iteration, instead of the one in the config
    #[arg(long, value_name = "N", env = "BACKPROOF_ITERATIONS")]
    pub iterations: Option<usize>,
    /// Write all figures as TensorBoard events, from the first iteration on; a run that has events always gets more
    #[arg(long, env = "BACKPROOF_TENSORBOARD")]
    pub tensorboard: bool,
    /// Checkpoint to continue from; without it, the last one, or the best one if there is no last
    #[arg(long, value_enum, env = "BACKPROOF_CHECKPOINT")]
    pub checkpoint: Option<CheckpointChoice>,
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub figures: FigureArguments,
    #[command(flatten)]
    pub supervision: Supervision,
}

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Run folder, such as runs/quickstart/latest; or give --config and --weights
    #[arg(required_unless_present = "config")]
    pub run: Option<PathBuf>,
    /// Evaluate the network of this experiment with the weights of --weights, without a run
    ///
    /// The images are normalised as in training: by the training images of the experiment. Nothing is written.
    #[arg(short, long, value_name = "FILE", env = "BACKPROOF_CONFIG")]
    pub config: Option<PathBuf>,
    /// Set a key of the config to another value; may be repeated, and the variable separates several by `;`
    #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
    pub overrides: Vec<String>,
    /// Part of the data to evaluate on
    #[arg(long, value_enum, default_value_t = SplitName::Test, env = "BACKPROOF_SPLIT")]
    pub split: SplitName,
    #[command(flatten)]
    pub weights: WeightsArguments,
    /// Write all logits, and the first 64 images as the network sees them, to this file
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SplitName {
    Training,
    Validation,
    Test,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Run the same command again to continue a sweep that was interrupted or killed. It skips finished runs.\n\
                        On a cluster, start one job for each shard. docs/slurm-array.sh is an example for Slurm."
)]
pub struct SweepArguments {
    /// Sweep file, such as configs/sweeps/quickstart.toml
    pub file: PathBuf,
    /// Number of runs at once; each gets an equal share of the cores
    #[arg(short, long, value_name = "N", env = "BACKPROOF_JOBS", default_value = "1")]
    pub jobs: NonZeroUsize,
    /// Only every N-th run, from the I-th on; for N processes that share the work and the folder
    #[arg(long, value_name = "I/N", env = "BACKPROOF_SHARD")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub device: Device,
    /// Set a key of every run to another value; may be repeated, and the variable separates several by `;`
    #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
    pub overrides: Vec<String>,
    #[command(flatten)]
    pub places: Places,
    /// Folder for the run folders; those of the sweep are in DIR/sweeps/NAME-HASH
    #[arg(long, value_name = "DIR", env = "BACKPROOF_RUNS_DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
    #[command(flatten)]
    pub figures: FigureArguments,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Run folders, such as runs/quickstart/latest
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder for the comparison of several runs
    #[arg(long, value_name = "DIR", env = "BACKPROOF_OUTPUT", default_value = "comparison")]
    pub output: PathBuf,
    #[command(flatten)]
    pub figures: FigureArguments,
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct CompareRunsArguments {
    /// Run folders, such as runs/quickstart/latest
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder for comparison.html and its figures
    #[arg(long, value_name = "DIR", env = "BACKPROOF_OUTPUT", default_value = "comparison")]
    pub output: PathBuf,
    #[command(flatten)]
    pub figures: FigureArguments,
}

#[derive(Debug, Args)]
pub struct ParamsArguments {
    /// Name of a published network, such as cifar-baseline, or a config file
    pub model: String,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// bash, zsh, fish, elvish or powershell
    pub shell: clap_complete::Shell,
}
