//! What `judge` is asked for, checked before anything is built.

use std::path::Path;

use backproof_data::data_sets;
use backproof_judge::{BROKEN, subjects};
use backproof_spec::Experiment;

use crate::cli::{JudgeArguments, JudgeCommand};
use crate::error::Failure;

/// Refuses what there is no exercise of, and folders that are not there.
///
/// # Errors
///
/// Wrong arguments.
pub fn check(arguments: &JudgeArguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(JudgeCommand::New { subject, config, output, .. }) => {
            match (subject, config) {
                (Some(subject), _) => known(subject, &subjects(), "there is no exercise", "there are exercises of")?,
                (None, Some(config)) => drop(Experiment::load(config, &[], &data_sets())?),
                (None, None) => {}
            }
            Ok(free(output)?)
        }
        Some(JudgeCommand::Break { subject, output, .. }) => {
            known(subject, &BROKEN, "there is no broken backward of", "there are those of")?;
            Ok(free(output)?)
        }
        Some(JudgeCommand::Key { subject, seed: Some(_), .. }) => {
            Ok(known(subject, &BROKEN, "there is no broken backward of", "there are those of")?)
        }
        Some(JudgeCommand::Key { subject, .. }) => Ok(there(Path::new(subject))?),
        // Of several, each has a verdict of its own.
        None => match &arguments.folders[..] {
            [one] => Ok(there(one)?),
            _ => Ok(()),
        },
    }
}

fn known(name: &str, names: &[&str], none: &str, otherwise: &str) -> Result<(), Failure> {
    if names.contains(&name) {
        return Ok(());
    }
    let all = format!("{otherwise} {}", names.join(", "));
    Err(Failure::usage(format!("{none} `{name}`")).nearest(name, names, all))
}

fn free(folder: &Path) -> Result<(), Failure> {
    let is_free = match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => folder.symlink_metadata().is_err(),
    };
    if is_free {
        return Ok(());
    }
    let failure = Failure::usage(format!("{} is there already, and not an empty folder", folder.display()));
    Err(failure.help("give another folder with `-o DIR`"))
}

fn there(folder: &Path) -> Result<(), Failure> {
    if folder.join("exercise.json").is_file() {
        return Ok(());
    }
    let failure = Failure::usage(format!("{} is no exercise: it has no exercise.json", folder.display()));
    Err(failure.help("`judge new conv2d -o DIR` makes one"))
}
