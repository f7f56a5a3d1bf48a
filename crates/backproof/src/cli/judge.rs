//! The arguments of `judge`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "docs/judge.md shows an exercise from its beginning to its end."
)]
pub struct JudgeArguments {
    #[command(subcommand)]
    pub command: Option<JudgeCommand>,
    /// Exercises with answers; of several, there is also a table
    #[arg(value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Accept any gradient that is right at a kink, such as that of a ReLU at 0, whatever the exercise asks for
    #[arg(long, env = "BACKPROOF_ANY_SUBGRADIENT")]
    pub any_subgradient: bool,
    /// Write all verdicts to this file
    #[arg(long, value_name = "FILE", env = "BACKPROOF_JSON")]
    pub json: Option<PathBuf>,
    /// The page of a class: by default class.html, where there are several exercises
    #[arg(long, value_name = "FILE.html", env = "BACKPROOF_PAGE")]
    pub page: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum JudgeCommand {
    /// Make an exercise of a layer, a loss, an optimizer or a whole network
    New {
        /// Layer, loss or optimizer, such as conv2d, softmax_cross_entropy or momentum
        #[arg(conflicts_with = "config")]
        subject: Option<String>,
        /// Make an exercise of the network of this experiment
        #[arg(short, long, value_name = "FILE", env = "BACKPROOF_CONFIG")]
        config: Option<PathBuf>,
        /// Folder to write; it must not be there, or be empty
        #[arg(short, long, value_name = "DIR", env = "BACKPROOF_OUTPUT")]
        output: PathBuf,
        /// 1 for a few small whole numbers, for a pencil; 2 for any numbers and hard points
        #[arg(long, env = "BACKPROOF_LEVEL", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
        level: u8,
        /// Seed of the numbers
        #[arg(long, value_name = "N", env = "BACKPROOF_SEED", default_value_t = 0)]
        seed: u64,
    },
    /// Hand out a backward pass with one fault in it, to be found and explained
    Break {
        /// Layer or loss, such as conv2d
        subject: String,
        /// Folder to write; it must not be there, or be empty
        #[arg(short, long, value_name = "DIR", env = "BACKPROOF_OUTPUT")]
        output: PathBuf,
        /// Seed of the fault; the folder does not say it, so keep it for `judge key`
        #[arg(long, value_name = "N", env = "BACKPROOF_SEED")]
        seed: u64,
    },
    /// For a teacher: print which fault `judge break` put in, or write the right answers of an exercise
    Key {
        /// Layer or loss with --seed, or the folder of an exercise with --output
        subject: String,
        /// Seed that `judge break` was given
        #[arg(long, value_name = "N", env = "BACKPROOF_SEED")]
        seed: Option<u64>,
        /// Folder for the right answers
        #[arg(short, long, value_name = "DIR", env = "BACKPROOF_OUTPUT", conflicts_with = "seed")]
        output: Option<PathBuf>,
    },
}
