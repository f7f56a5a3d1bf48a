//! `train`, `resume` and `evaluate`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use backproof::backend::Backend;
use backproof::error::{Failure, code};
use backproof::{SMOKE_ITERATIONS, cli, shell};
use backproof_train::{CheckpointName, Ending, Evaluated, RunFolder, Setup, Split, TrainError, Weights};

use crate::predict::with_causes;
use crate::progress::{Progress, summary};
use crate::{device, report};

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn train(arguments: &cli::TrainArguments) -> anyhow::Result<()> {
    let experiment = backproof::experiment(arguments)?;
    let mut setup = setup(&arguments.device, &arguments.places, arguments.runs_dir.clone())?;
    setup.tensorboard = arguments.tensorboard;
    let stop = stop_when_told(&arguments.supervision)?;
    let ending = backproof_train::train(&experiment, &setup, &mut Progress::new(), &stop).map_err(failure)?;
    finish(ending, arguments.smoke, setup.data_dir.as_deref())
}

pub(crate) fn resume(arguments: &cli::ResumeArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let mut setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    setup.tensorboard = arguments.tensorboard;
    let stop = stop_when_told(&arguments.supervision)?;
    let checkpoint = arguments.checkpoint.map(|name| match name {
        cli::CheckpointChoice::Last => CheckpointName::Last,
        cli::CheckpointChoice::Best => CheckpointName::Best,
    });
    let ending = backproof_train::resume(folder, arguments.iterations, checkpoint, &setup, &mut Progress::new(), &stop)
        .map_err(|error| checkpoint_failure(error, &arguments.run))?;
    finish(ending, false, setup.data_dir.as_deref())
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn evaluate(arguments: &cli::EvaluateArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let split = match arguments.split {
        cli::SplitName::Training => Split::Training,
        cli::SplitName::Validation => Split::Validation,
        cli::SplitName::Test => Split::Test,
    };
    let weights = weights(arguments.checkpoint, arguments.weights.as_deref());
    let evaluated = backproof_train::evaluate(&folder, split, &weights, arguments.logits.as_deref(), &setup)
        .map_err(|error| checkpoint_failure(error, &arguments.run))?;
    let Evaluated { result, removed_prefix, kept_files, kept_logits } = evaluated;
    say_removed_prefix(removed_prefix.as_deref());
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        println!("{}", summary(&result).trim_start());
    }
    // What was computed is printed before anything is said of files: a run folder may be read-only.
    if let Err(error) = kept_files {
        eprintln!("warning: the result is not kept in the run folder: {}", with_causes(&error));
    }
    Ok(kept_logits.map_err(failure)?)
}

/// Says that the names in a weights file are not taken as they are.
#[allow(clippy::print_stderr)] // a note goes to stderr
pub(crate) fn say_removed_prefix(prefix: Option<&str>) {
    if let Some(prefix) = prefix {
        eprintln!("note: removed the prefix `{prefix}` from the name of every tensor in the weights file");
    }
}

/// A weights file where one is given, else the checkpoint.
pub(crate) fn weights(checkpoint: cli::CheckpointChoice, file: Option<&Path>) -> Weights {
    match (file, checkpoint) {
        (Some(path), _) => Weights::File(path.to_owned()),
        (None, cli::CheckpointChoice::Last) => Weights::Last,
        (None, cli::CheckpointChoice::Best) => Weights::Best,
    }
}

pub(crate) fn open(run: &Path) -> anyhow::Result<RunFolder> {
    if matches!(run.try_exists(), Ok(false)) {
        return Err(Failure::usage(format!("there is no run folder {}", run.display()))
            .help("`train` prints where its run folder is; runs/EXPERIMENT/latest is the newest of an experiment")
            .into());
    }
    Ok(RunFolder::open(run).map_err(failure)?)
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

/// A flag that a signal raises and, where that is asked for, the end of stdin.
fn stop_when_told(supervision: &cli::Supervision) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = stop_on_signal()?;
    if supervision.stop_with_stdin {
        let raised = stop.clone();
        std::thread::spawn(move || {
            // Whatever is said there says nothing; only the end does.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            raised.store(true, Ordering::Relaxed);
        });
    }
    Ok(stop)
}

/// A flag that the first SIGINT or SIGTERM raises; the second one ends the process at once.
pub(crate) fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(code::INTERRUPTED));
        }
    })
    .context("cannot listen for interrupts")?;
    Ok(stop)
}

#[allow(clippy::print_stdout)] // results go to stdout
fn finish(ending: Ending, smoke: bool, data_dir: Option<&Path>) -> anyhow::Result<()> {
    match ending {
        Ending::Interrupted { folder, iteration } => Err(Failure::new(
            code::INTERRUPTED,
            format!("interrupted; a checkpoint of iteration {iteration} is saved in {}", folder.display()),
        )
        .help(format!("`cargo xtask resume {}` goes on", shell::argument(&folder)))
        .into()),
        Ending::Finished(finished) => {
            println!("\nrun folder   {}", finished.folder.display());
            report::after_training(&finished.folder, data_dir);
            if smoke {
                println!("smoke run    {SMOKE_ITERATIONS} iterations: the config works; the accuracy says nothing");
            }
            match finished.expected_accuracy {
                Some(expected) if finished.result.accuracy < expected => Err(Failure::new(
                    code::CHECK_FAILED,
                    format!(
                        "the test accuracy {:.2} % is below the {:.2} % that the experiment expects",
                        100.0 * finished.result.accuracy,
                        100.0 * expected
                    ),
                )
                .into()),
                _ => Ok(()),
            }
        }
    }
}

/// [`failure`], and where a checkpoint of `run` is damaged the one that is not as the way out.
pub(crate) fn checkpoint_failure(error: TrainError, run: &Path) -> Failure {
    let damaged = match &error {
        TrainError::Damaged { path, .. } | TrainError::Read { path, .. } | TrainError::WeightsFile { path, .. } => {
            path.parent().and_then(Path::parent).is_some_and(|parent| parent.ends_with("checkpoints"))
        }
        _ => false,
    };
    let failure = failure(error);
    let Some(folder) = damaged.then(|| RunFolder::open(run).ok()).flatten() else { return failure };
    failure.help(match folder.sound_checkpoints().first() {
        Some((name, iteration)) => {
            format!("`--checkpoint {}` takes the one of iteration {iteration}, which is sound", name.name())
        }
        None => {
            let config = shell::argument(&folder.path().join("config.toml"));
            format!("no checkpoint of this run is sound; `cargo xtask train -c {config}` trains it anew")
        }
    })
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
        TrainError::NothingLeft { .. } => (code::USAGE, Some("`--iterations N` goes on to iteration N".to_owned())),
        TrainError::NoWarmStart { .. } => {
            let help = "`model.init_from` takes a run folder, such as runs/EXPERIMENT/latest, or a safetensors file";
            (code::USAGE, Some(help.to_owned()))
        }
        TrainError::NothingLoaded { .. } => {
            (code::USAGE, Some("`resize = true` under [model] takes the overlap of other shapes".to_owned()))
        }
        TrainError::AllFrozen { .. } => (code::USAGE, Some("leave out `freeze`, or add a layer".to_owned())),
        TrainError::NotCompiled(_) => {
            let help = "`engine = \"manual\"` trains it by the same backward passes on Burn's tensors, and \
                        `engine = \"autodiff\"` by Burn's";
            (code::USAGE, Some(help.to_owned()))
        }
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
