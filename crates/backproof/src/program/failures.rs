//! Errors of libraries, with the exit code and the way out that go with them.

use std::path::Path;

use backproof::error::{Failure, code};
use backproof::{INSTEAD_OF_COMPILED, shell};
use backproof_train::{RunFolder, RunStatus, TrainError};

/// [`failure`], and where a checkpoint of `run` is damaged or missing, the one that is not as the way out.
pub(crate) fn checkpoint_failure(error: TrainError, run: &Path) -> Failure {
    if let TrainError::NoCheckpoint { folder: missing } = &error {
        let missing_best = missing.ends_with("best");
        let Ok(folder) = RunFolder::open(run) else { return failure(error) };
        let sound = folder.sound_checkpoints().into_iter().next();
        let diverged = folder.record().is_ok_and(|record| record.status == RunStatus::Diverged);
        let help = match sound {
            Some((name, iteration)) if !missing_best => {
                format!("`--checkpoint {}` takes the one of iteration {iteration}", name.name())
            }
            None if diverged => {
                "training diverged before one was saved; a lower optimizer.learning_rate may help".to_owned()
            }
            _ => return failure(error),
        };
        return failure(error).help(help);
    }
    let damaged = match &error {
        TrainError::Damaged { path, .. } | TrainError::Read { path, .. } | TrainError::WeightsFile { path, .. } => {
            path.parent().and_then(Path::parent).is_some_and(|parent| parent.ends_with("checkpoints"))
        }
        _ => false,
    };
    let not_allowed =
        matches!(&error, TrainError::Read { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied);
    let failure = failure(error);
    let Some(folder) = damaged.then(|| RunFolder::open(run).ok()).flatten() else { return failure };
    let help = match folder.sound_checkpoints().first() {
        Some((name, iteration)) => {
            format!("`--checkpoint {}` takes the one of iteration {iteration}, which is sound", name.name())
        }
        // What this user may not read may well be sound.
        None if not_allowed => return failure,
        None => {
            let config = shell::argument(&folder.path().join("config.toml"));
            format!("no checkpoint of this run is sound; `cargo xtask train -c {config}` trains it anew")
        }
    };
    failure.help(help)
}

/// The exit code and the way out that go with an error of a run.
pub(crate) fn failure(error: TrainError) -> Failure {
    let (code, help) = match &error {
        TrainError::Diverged { batch, last_good, .. } => {
            let images: Vec<String> = batch.iter().take(16).map(ToString::to_string).collect();
            let more = if batch.len() > 16 { ", …" } else { "" };
            let last = match last_good {
                Some((path, iteration)) => {
                    format!("the last good checkpoint is {} (iteration {iteration})", path.display())
                }
                None => "no checkpoint had been saved".to_owned(),
            };
            let of = if images.is_empty() {
                String::new()
            } else {
                format!("the batch was images {}{more} of the training set; ", images.join(", "))
            };
            let help = format!("{of}{last}; a lower optimizer.learning_rate may help");
            (code::DIVERGED, Some(help))
        }
        TrainError::EndedEarly(_) => (
            code::USAGE,
            Some("train anew without [training.early_stopping] in the config: such a run goes to its end".to_owned()),
        ),
        TrainError::NothingLeft { .. } => (code::USAGE, Some("`--iterations N` goes on to iteration N".to_owned())),
        TrainError::NoWarmStart { .. } => {
            let help = "`model.init_from` takes a run folder, such as runs/EXPERIMENT/latest, or a weights file";
            (code::USAGE, Some(help.to_owned()))
        }
        TrainError::NothingLoaded { .. } => {
            (code::USAGE, Some("`resize = true` under [model] takes the overlap of other shapes".to_owned()))
        }
        TrainError::AllFrozen { .. } => (code::USAGE, Some("leave out `freeze`, or add a layer".to_owned())),
        TrainError::NotCompiled(_) => (code::USAGE, Some(INSTEAD_OF_COMPILED.to_owned())),
        TrainError::Shape(error) => (code::USAGE, error.help.clone()),
        TrainError::Config(_) => (code::USAGE, None),
        TrainError::NoImages { split: "validation" } => {
            (code::USAGE, Some("`validation_images` under [data] holds some back from training".to_owned()))
        }
        TrainError::NoImages { .. } => (code::USAGE, None),
        TrainError::OtherConfig { .. } => {
            let help = "undo the change; or begin another run, with these weights by `model.init_from`";
            (code::USAGE, Some(help.to_owned()))
        }
        TrainError::Busy { .. } => {
            (code::FAILED, Some("wait until it has ended, or stop it: it saves a checkpoint".to_owned()))
        }
        TrainError::NoCheckpoint { folder } => {
            let help = if folder.ends_with("best") {
                "the best checkpoint is saved where there are validation images; `--checkpoint last` is the last one"
            } else {
                "the run was stopped before it saved one; train it anew"
            };
            (code::FAILED, Some(help.to_owned()))
        }
        TrainError::Data(backproof_data::DataError::Stopped) | TrainError::Stopped => (code::INTERRUPTED, None),
        TrainError::OtherFile { .. } => {
            let help = "the files changed since the run began; put the old ones back, or train anew".to_owned();
            (code::FAILED, Some(help))
        }
        TrainError::Data(error) => (code::FAILED, error.help()),
        _ => (code::FAILED, None),
    };
    Failure::from_error(code, error).maybe_help(help)
}

/// A data set that is missing or damaged, with the way out.
pub(crate) fn data_failure(error: backproof_data::DataError) -> Failure {
    let help = error.help();
    Failure::from_error(code::FAILED, error).maybe_help(help)
}

/// An error with its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent error repeats what it holds.
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = error.source();
    }
    text
}
