//! What `lr-find` is asked for, checked before anything is built.

use backproof_spec::Experiment;

use crate::chosen;
use crate::cli::LrFindArguments;
use crate::error::Failure;

/// The experiment whose learning rate is looked for.
///
/// # Errors
///
/// A config or an override that is not valid, rates that are no range, and a folder that is not for these files.
pub fn request(arguments: &LrFindArguments) -> anyhow::Result<Experiment> {
    for (flag, rate) in [("--from", arguments.from), ("--to", arguments.to)] {
        if let Some(rate) = rate.filter(|rate| !(1e-30..=1e30).contains(rate)) {
            return Err(Failure::usage(format!("{flag} is {rate}; expected a learning rate from 1e-30 to 1e30")).into());
        }
    }
    if let (Some(from), Some(to)) = (arguments.from, arguments.to) {
        check_range(from, to)?;
    }
    let output = &arguments.output;
    if output.is_file() {
        return Err(Failure::usage(format!("{} is a file; --output takes a folder", output.display()))
            .help("give the name of a folder; it need not be there yet")
            .into());
    }
    if output.join("run.json").exists() {
        return Err(Failure::usage(format!("{} is a run folder, and lr-find writes into none", output.display()))
            .help("give another folder; it need not be there yet")
            .into());
    }
    chosen(&arguments.experiment, None)
}

/// Refuses a first rate that is not below the last one.
///
/// # Errors
///
/// As above.
pub fn check_range(from: f64, to: f64) -> Result<(), Failure> {
    if from < to {
        return Ok(());
    }
    Err(Failure::usage(format!("the learning rate cannot rise from {from} to {to}"))
        .help("--from is the first rate and --to the last one, which is larger"))
}
