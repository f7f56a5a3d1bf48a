//! The arguments of `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct ConfigArguments {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check config files and sweep files, and print their errors
    Check {
        /// Config files or sweep files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Set a key to another value; may be repeated, and the variable separates several by `;`
        #[arg(long = "set", value_name = "KEY=VALUE", env = "BACKPROOF_SET")]
        overrides: Vec<String>,
    },
    /// Print the JSON Schema of config files or sweep files
    Schema {
        /// Print the schema of sweep files
        #[arg(long, env = "BACKPROOF_SWEEP")]
        sweep: bool,
    },
    /// Print every key with its default; for a file, print that config with all defaults
    Defaults {
        /// Config file
        file: Option<PathBuf>,
    },
}
