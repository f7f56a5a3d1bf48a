//! What the arguments say of a run: its folder, its device, its weights.

use std::path::{Path, PathBuf};
use std::process::Command;

use backproof::backend::Backend;
use backproof::cli;
use backproof::error::{Failure, code};
use backproof_train::{Changes, Predictor, RunFolder, Setup, Weights};

use crate::device;
use crate::failures::{checkpoint_failure, failure};
use crate::reading::ImagesBar;
use crate::sweep::run_of;

/// A weights file where one is given, else the checkpoint.
pub(crate) fn weights(asked: &cli::WeightsArguments) -> Weights {
    match (&asked.weights, asked.checkpoint) {
        (Some(path), _) => Weights::File(path.clone()),
        (None, cli::CheckpointChoice::Last) => Weights::Last,
        (None, cli::CheckpointChoice::Best) => Weights::Best,
    }
}

/// Says what of a weights file is not taken as it is.
#[allow(clippy::print_stderr)] // a note goes to stderr
pub(crate) fn say_changes(changes: &Changes) {
    changes.lines().iter().for_each(|line| eprintln!("note: {line}"));
}

/// The network of a run with its weights, on the device that is asked for. Says what of a weights file is not taken as it
/// is.
pub(crate) fn predictor(
    run: &Path,
    folder: &RunFolder,
    weights: &Weights,
    setup: &Setup,
) -> Result<Predictor, Failure> {
    let predictor = Predictor::open(folder, weights, setup, &mut ImagesBar::reading());
    let predictor = predictor.map_err(|error| checkpoint_failure(error, run))?;
    say_changes(predictor.changes());
    Ok(predictor)
}

/// The run in the folder that an argument names: a run folder, or one of a sweep.
pub(crate) fn open(run: &Path) -> anyhow::Result<RunFolder> {
    if matches!(run.try_exists(), Ok(false)) {
        return Err(Failure::usage(format!("there is no run folder {}", run.display()))
            .help("`train` prints where its run folder is; runs/EXPERIMENT/latest is the newest of an experiment")
            .into());
    }
    let path = run_of(run).map_err(|message| Failure::new(code::FAILED, message))?;
    Ok(RunFolder::open(&path).map_err(failure)?)
}

pub(crate) fn setup(chosen: &cli::Device, places: &cli::Places, runs_dir: PathBuf) -> anyhow::Result<Setup> {
    let backend = Backend::by_name(&chosen.backend)?;
    let device = device::open(backend)?;
    let words = device::describe(backend, &device);
    Ok(Setup {
        device,
        backend: backend.name().to_owned(),
        device_name: format!("{} ({words})", backend.name()),
        data_dir: places.data_dir.clone(),
        runs_dir,
        tensorboard: false,
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        git_revision: git_revision(),
    })
}

/// The commit of the working tree, `-dirty` where tracked files differ from it; `None` outside a repository or without
/// git.
pub(crate) fn git_revision() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=40"]).output().ok()?;
    let revision = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !revision.is_empty()).then_some(revision)
}
