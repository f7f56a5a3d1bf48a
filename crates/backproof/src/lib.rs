//! The arguments of the command line, and the commands that need no Burn.
//!
//! Two programs share this library, so that the arguments are defined once. `backproof` links everything and runs every
//! command. `cargo xtask` links nothing more than this, with no cargo feature: it is built in seconds, answers
//! [`answer`]'s commands itself, refuses wrong arguments and configs, and only then builds `backproof` with the backend
//! that was asked for. So `cargo xtask trian` fails at once, and not after a build of Burn.

#[macro_use]
pub mod output;

pub mod backend;
pub mod bench;
pub mod cli;
pub mod comparison;
pub mod environment;
pub mod error;
pub mod exporting;
pub mod images;
pub mod judging;
#[cfg(feature = "program")]
pub mod lock;
pub mod lr_find;
pub mod shard;
pub mod shell;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use backproof_data::data_sets;
use backproof_spec::{Architecture, Engine, Experiment, Sweep, counted, published};
use clap::CommandFactory;

use cli::{Cli, Command, ConfigCommand, EvaluateArguments, ExperimentArguments, TrainArguments};
use error::Failure;

/// The quickstart is part of the program, so that it runs outside a checkout too.
const QUICKSTART: &str = include_str!("../../../configs/quickstart.toml");

/// Iterations of `--smoke`.
pub const SMOKE_ITERATIONS: usize = 20;

/// Runs the command if it needs no Burn; `None` if it does.
pub fn answer(cli: &Cli) -> Option<anyhow::Result<()>> {
    match &cli.command {
        Command::Params(arguments) => Some(params(&arguments.model)),
        Command::Config(arguments) => Some(config(&arguments.command)),
        Command::Completions(arguments) => {
            // Into memory first: it panics where it cannot write.
            let mut text = Vec::new();
            clap_complete::generate(arguments.shell, &mut Cli::command(), "backproof", &mut text);
            print!("{}", String::from_utf8_lossy(&text));
            Some(Ok(()))
        }
        _ => None,
    }
}

/// The experiment that `train` was asked for.
///
/// # Errors
///
/// A config or an override that is not valid.
pub fn experiment(arguments: &TrainArguments) -> anyhow::Result<Experiment> {
    let mut experiment = chosen(&arguments.experiment, arguments.name.as_deref())?;
    if arguments.smoke {
        let training = &mut experiment.training;
        training.iterations = training.iterations.min(SMOKE_ITERATIONS);
        training.report_every = training.report_every.min(5);
        training.validate_every = training.validate_every.min(10);
        training.checkpoint_every = training.checkpoint_every.min(10);
        experiment.optimizer.rule.warmup = experiment.optimizer.rule.warmup.min(training.iterations / 2);
        // Twenty iterations say that a config works, not how good it is.
        experiment.expect = None;
    }
    Ok(experiment)
}

/// The experiment that the arguments name, with a name of its own where one is given.
fn chosen(arguments: &ExperimentArguments, name: Option<&str>) -> anyhow::Result<Experiment> {
    let mut overrides = arguments.overrides.clone();
    overrides.extend(name.map(|name| format!("name={name}")));
    let experiment = match &arguments.config {
        Some(path) if is_sweep(path) => {
            let help = format!("`sweep {}` trains all of its runs", shell::argument(path));
            return Err(Failure::usage(format!("{} is a sweep", path.display())).help(help).into());
        }
        Some(path) => Experiment::load(path, &overrides, &data_sets())?,
        None if let Some(folder) = &arguments.images => images::experiment(folder, &overrides)?,
        None => Experiment::from_toml("configs/quickstart.toml", QUICKSTART, &overrides, &data_sets())?,
    };
    check_engine("", &experiment)?;
    Ok(experiment)
}

/// What trains an experiment that the engine `compiled` refuses.
pub const INSTEAD_OF_COMPILED: &str = "`engine = \"manual\"` trains it by the same backward passes on Burn's \
                                       tensors, and `engine = \"autodiff\"` by Burn's";

/// Refuses the engine `compiled` for a network that has a layer without a kernel. `place` begins the message.
fn check_engine(place: &str, experiment: &Experiment) -> anyhow::Result<()> {
    if experiment.engine == Engine::Compiled
        && let Some(layer) = experiment.model.without_kernels()?.first()
    {
        let message = format!("{place}engine = \"compiled\" cannot train this: there is no kernel for {layer}");
        return Err(Failure::usage(message).help(INSTEAD_OF_COMPILED).into());
    }
    Ok(())
}

/// What `evaluate` was asked for.
#[derive(Debug)]
pub enum Evaluation {
    /// The run in this folder.
    Run(PathBuf),
    /// The network of an experiment with the weights of a file, without a run.
    Weights(Box<Experiment>, PathBuf),
}

/// What `evaluate` was asked for.
///
/// # Errors
///
/// A run together with a config, a config without weights, and a config or an override that is not valid.
pub fn evaluation(arguments: &EvaluateArguments) -> anyhow::Result<Evaluation> {
    let EvaluateArguments { run, config, overrides, weights, .. } = arguments;
    let Some(config) = config else {
        return match run {
            Some(run) if overrides.is_empty() => Ok(Evaluation::Run(run.clone())),
            Some(_) => {
                Err(Failure::usage("--set changes a config, and a run keeps the config that it was trained with")
                    .help("`evaluate -c CONFIG --set KEY=VALUE --weights FILE` evaluates weights without a run")
                    .into())
            }
            None => Err(Failure::usage("evaluate needs a run folder, or a config and weights").into()),
        };
    };
    if run.is_some() {
        return Err(Failure::usage("evaluate takes a run folder or a config, and not both")
            .help("`evaluate RUN --weights FILE` takes the config of the run")
            .into());
    }
    let Some(weights) = &weights.weights else {
        return Err(Failure::usage("a config has no weights to evaluate")
            .help("`--weights FILE` gives them; `evaluate RUN` takes those of a run")
            .into());
    };
    if is_sweep(config) {
        return Err(Failure::usage(format!("{} is a sweep; expected an experiment", config.display())).into());
    }
    Ok(Evaluation::Weights(Box::new(Experiment::load(config, overrides, &data_sets())?), weights.clone()))
}

/// The sweep that `sweep` was asked for, every run of it checked.
///
/// # Errors
///
/// A sweep, a base or a run that is not valid.
pub fn sweep(arguments: &cli::SweepArguments) -> anyhow::Result<Sweep> {
    let file = &arguments.file;
    if !is_sweep(file) && Experiment::load(file, &[], &data_sets()).is_ok() {
        let help = format!("`train -c {}` trains it; a sweep names it as its `base`", shell::argument(file));
        return Err(Failure::usage(format!("{} is an experiment and no sweep", file.display())).help(help).into());
    }
    Ok(Sweep::load(file, &arguments.overrides, &data_sets())?)
}

/// Whether a file is one of a sweep; one that cannot be read is not.
fn is_sweep(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| Sweep::is_sweep(&text))
}

#[allow(clippy::print_stdout)] // results go to stdout
fn params(model: &str) -> anyhow::Result<()> {
    print!("{}", backproof_spec::parameter_table(&architecture(model)?)?);
    Ok(())
}

/// The published architecture of that name, or that of a config file.
fn architecture(model: &str) -> anyhow::Result<Architecture> {
    let path = Path::new(model);
    if published::by_name(model).is_none() && (path.exists() || path.extension().is_some()) {
        return Ok(Experiment::load(path, &[], &data_sets())?.model);
    }
    Ok(published_architecture(model, "; or give a config file")?)
}

/// The published architecture of that name; `or` says what else could have been given.
fn published_architecture(model: &str, or: &str) -> Result<Architecture, Failure> {
    if model == published::AUTO {
        let help = "a config with `name = \"auto\"` and its data under [data] has one";
        return Err(Failure::usage("which network `auto` is depends on the images").help(help));
    }
    published::by_name(model).ok_or_else(|| {
        let names = published::names();
        let otherwise = format!("the networks are {}{or}", names.join(", "));
        Failure::usage(format!("there is no network `{model}`")).nearest(model, names, otherwise)
    })
}

#[allow(clippy::print_stdout)] // results go to stdout
fn config(command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check { files, overrides } => {
            for file in files {
                let mut experiments = Vec::new();
                let (name, counts) = if is_sweep(file) {
                    let sweep = Sweep::load(file, overrides, &data_sets())?;
                    let runs = counted(sweep.runs().count(), "run");
                    let points = counted(sweep.points.len(), "point");
                    experiments.extend(sweep.points.into_iter().flat_map(|point| point.runs.into_iter().take(1)));
                    (sweep.name, format!(": {runs} at {points}"))
                } else {
                    experiments.push(Experiment::load(file, overrides, &data_sets())?);
                    (experiments[0].name.clone(), String::new())
                };
                let place = format!("{}: ", file.display());
                experiments.iter().try_for_each(|experiment| check_engine(&place, experiment))?;
                println!("{}: {name} is valid{counts}", file.display());
                let words = experiments.iter().map(Experiment::without_kernels_in_words);
                let words = words.collect::<Result<Vec<_>, _>>()?;
                for sentence in words.into_iter().flatten().collect::<BTreeSet<_>>() {
                    println!("{}: {sentence}", file.display());
                }
            }
        }
        ConfigCommand::Schema { sweep: false } => print!("{}", backproof_spec::schema(&data_sets())),
        ConfigCommand::Schema { sweep: true } => print!("{}", backproof_spec::sweep_schema(&data_sets())),
        ConfigCommand::Defaults { file: None } => print!("{}", backproof_spec::defaults(&data_sets())),
        ConfigCommand::Defaults { file: Some(file) } => {
            print!("{}", Experiment::load(file, &[], &data_sets())?.to_toml())
        }
    }
    Ok(())
}
