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
        Some(JudgeCommand::New { subject, config, output, level, .. }) => {
            if config.is_some() && *level == 1 {
                let failure = Failure::usage("--level 1 is for a pencil, and a network has too many numbers for one");
                return Err(failure.help("leave --level away, or give a layer such as `linear`").into());
            }
            match (subject, config) {
                (Some(subject), _) => known(subject, &subjects(), "there is no exercise", "there are exercises of")?,
                (None, Some(config)) => drop(Experiment::load(config, &[], &data_sets())?),
                (None, None) => {
                    let help =
                        "`judge new conv2d -o DIR` makes one of a layer, `judge new -c FILE -o DIR` of a network";
                    return Err(Failure::usage("an exercise of what?").help(help).into());
                }
            }
            Ok(free(output)?)
        }
        Some(JudgeCommand::Break { subject, output, .. }) => {
            known(subject, &BROKEN, "there is no broken backward of", "there are those of")?;
            Ok(free(output)?)
        }
        Some(JudgeCommand::Key { subject, output: Some(output), .. }) => {
            there(Path::new(subject))?;
            Ok(free(output)?)
        }
        Some(JudgeCommand::Key { subject, seed: Some(_), .. }) if !is_exercise(Path::new(subject)) => {
            Ok(known(subject, &BROKEN, "there is no broken backward of", "there are those of")?)
        }
        Some(JudgeCommand::Key { subject, .. }) => Err(match is_exercise(Path::new(subject)) {
            true => Failure::usage(format!("where do the right answers of {subject} go?"))
                .help(format!("`cargo xtask judge key {subject} -o DIR` writes them into a new folder")),
            false => Failure::usage("which fault?").help(format!(
                "`cargo xtask judge key {subject} --seed N` prints the one that `judge break` put in with that seed; \
                 `judge key EXERCISE -o DIR` writes the right answers of an exercise"
            )),
        }
        .into()),
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

fn is_exercise(folder: &Path) -> bool {
    folder.join("exercise.json").is_file()
}

fn there(folder: &Path) -> Result<(), Failure> {
    if is_exercise(folder) {
        return Ok(());
    }
    let failure = Failure::usage(format!("{} is no exercise: it has no exercise.json", folder.display()));
    Err(failure.help("`judge new conv2d -o DIR` makes one"))
}
