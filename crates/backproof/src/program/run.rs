//! `train`, `resume` and `evaluate`.

use std::path::{Path, PathBuf};

use backproof::error::{Failure, code};
use backproof::{Evaluation, SMOKE_ITERATIONS, cli, shell};
use backproof_report::ForPaper;
use backproof_train::{CheckpointName, Ending, Evaluated, RunFolder, Split, TrainError};

use crate::compare_gradients;
use crate::dry_run;
use crate::failures::{checkpoint_failure, failure, with_causes};
use crate::progress::{Progress, summary};
use crate::reading::ImagesBar;
use crate::report::{self, for_paper};
use crate::setup::{open, say_changes, setup, weights};
use crate::signals::{stop_on_signal, stop_when_told};
use crate::terminal::{width, wrapped};

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn train(arguments: &cli::TrainArguments) -> anyhow::Result<()> {
    let experiment = backproof::experiment(arguments)?;
    let mut setup = setup(&arguments.device, &arguments.places, arguments.runs_dir.clone())?;
    setup.tensorboard = arguments.tensorboard;
    let stop = stop_when_told(&arguments.supervision)?;
    if arguments.dry_run {
        return dry_run::run(&experiment, &setup, arguments.json, &stop);
    }
    let proof = compare_gradients::prove(&experiment, &setup, &stop)?;
    let ending = backproof_train::train(&experiment, &setup, &mut Progress::new(), &stop).map_err(failure)?;
    if let Some(proof) = proof {
        proof.write(ending.folder())?;
    }
    finish(ending, arguments.smoke, setup.data_dir.as_deref(), &for_paper(&arguments.figures))
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
    let path = folder.path().to_owned();
    // A run that was killed may not have come to the file.
    if !path.join(compare_gradients::FILE).exists()
        && let Some(proof) = compare_gradients::prove(&folder.experiment().map_err(failure)?, &setup, &stop)?
    {
        proof.write(&path)?;
    }
    let ending = backproof_train::resume(folder, arguments.iterations, checkpoint, &setup, &mut Progress::new(), &stop);
    // A run that was killed while it made its report has only that left to do.
    if matches!(ending, Err(TrainError::NothingLeft { .. } | TrainError::EndedEarly(_)))
        && !path.join("report.html").exists()
    {
        report::after_training(&path, setup.data_dir.as_deref(), &for_paper(&arguments.figures));
    }
    let ending = ending.map_err(|error| checkpoint_failure(error, &arguments.run))?;
    finish(ending, false, setup.data_dir.as_deref(), &for_paper(&arguments.figures))
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn evaluate(arguments: &cli::EvaluateArguments) -> anyhow::Result<()> {
    let asked = backproof::evaluation(arguments)?;
    let split = match arguments.split {
        cli::SplitName::Training => Split::Training,
        cli::SplitName::Validation => Split::Validation,
        cli::SplitName::Test => Split::Test,
    };
    let logits = arguments.logits.as_deref();
    let (mut reading, stop) = (ImagesBar::reading(), stop_on_signal()?);
    let evaluated = match &asked {
        Evaluation::Run(run) => {
            let folder = open(run)?;
            let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
            let weights = weights(&arguments.weights);
            backproof_train::evaluate(&folder, split, &weights, logits, &setup, &mut reading, &stop)
                .map_err(|error| checkpoint_failure(error, run))?
        }
        Evaluation::Weights(experiment, file) => {
            let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
            backproof_train::evaluate_weights(experiment, split, file, logits, &setup, &mut reading, &stop)
                .map_err(failure)?
        }
    };
    let Evaluated { result, changes, other_data, kept_files, kept_logits } = evaluated;
    say_changes(&changes);
    for name in &other_data {
        eprintln!("warning: the files of {name} are not those that the run was trained on: they changed since");
    }
    if let (Evaluation::Run(_), Some(file)) = (&asked, &arguments.weights.weights) {
        eprintln!("note: the result is of {}, and is not kept in the run folder", file.display());
    }
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

#[allow(clippy::print_stdout)] // results go to stdout
fn finish(ending: Ending, smoke: bool, data_dir: Option<&Path>, for_paper: &ForPaper) -> anyhow::Result<()> {
    match ending {
        Ending::Interrupted { folder, iteration } => Err(Failure::new(
            code::INTERRUPTED,
            format!("interrupted; a checkpoint of iteration {iteration} is saved in {}", folder.display()),
        )
        .help(format!("`cargo xtask resume {}` goes on", shell::argument(&folder)))
        .into()),
        Ending::Finished(finished) => {
            println!("\nrun folder   {}", finished.folder.display());
            report::after_training(&finished.folder, data_dir, for_paper);
            if smoke {
                println!("smoke run    {SMOKE_ITERATIONS} iterations: the config works; the accuracy says nothing");
            } else {
                warn_of_layers(&finished.folder);
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

/// What is wrong with the layers of a run that has ended, in one sentence each.
#[allow(clippy::print_stderr)] // warnings
fn warn_of_layers(folder: &Path) {
    let warnings = RunFolder::open(folder).map_or_else(|_| Vec::new(), |folder| folder.layer_warnings());
    for warning in warnings {
        eprintln!("{}", wrapped(&format!("warning: {warning} The report shows it under Layers."), width()));
    }
}
