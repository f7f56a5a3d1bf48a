//! What `bench` is asked to measure, checked before anything is built.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use backproof_data::{data_sets, source};
use backproof_spec::{Architecture, Experiment, Loss, OptimizerKind, published};

use crate::cli::{Bench, BenchEngine, Pass};
use crate::comparison::SMALL;
use crate::error::Failure;
use crate::published_architecture;

/// What is measured.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Steps of every network, batch size and pass.
    Steps {
        /// The networks.
        networks: Vec<Architecture>,
        /// Images in a batch.
        batches: Vec<NonZeroUsize>,
        /// What a step is.
        passes: Vec<Pass>,
    },
    /// An experiment from start to end.
    WholeRun {
        /// Its file.
        config: PathBuf,
        /// What is in the file.
        experiment: Box<Experiment>,
    },
}

/// What the arguments ask for.
///
/// # Errors
///
/// A network that does not exist, a config that is not valid, or an experiment that the peer could not do the same as.
pub fn plan(arguments: &Bench) -> anyhow::Result<Plan> {
    instruction_set(arguments)?;
    if let Some(asked) = &arguments.whole_run {
        let config = config_file(asked);
        let experiment = Experiment::load(&config, &[], &data_sets())?;
        if arguments.peer.is_some() {
            comparable(&experiment)?;
        }
        return Ok(Plan::WholeRun { config, experiment: Box::new(experiment) });
    }
    let mut networks = Vec::new();
    for name in without_repeats(&arguments.models) {
        networks.push(published_architecture(&name, "")?);
    }
    if networks.is_empty() {
        let all = published::names().iter().filter_map(|name| published::by_name(name));
        networks = all.filter(|network| network.trainable_parameters().is_ok_and(|count| count <= SMALL)).collect();
    }
    let passes = without_repeats(&arguments.passes);
    Ok(Plan::Steps {
        networks,
        batches: without_repeats(&arguments.batches),
        passes: if passes.is_empty() { Pass::ALL.to_vec() } else { passes },
    })
}

/// The engines to measure: those asked for, or all.
#[must_use]
pub fn engines(arguments: &Bench) -> Vec<BenchEngine> {
    let asked = without_repeats(&arguments.engines);
    if asked.is_empty() { BenchEngine::ALL.to_vec() } else { asked }
}

/// What PyTorch, oneDNN and MKL each call the instruction set to keep to; `None` where no peer has to keep to one.
///
/// # Errors
///
/// One that the peer cannot be held to.
pub fn instruction_set(arguments: &Bench) -> Result<Option<[&'static str; 3]>, Failure> {
    match (&arguments.isa, arguments.peer) {
        (None, _) | (_, None) => Ok(None),
        (Some(name), Some(_)) => match name.as_str() {
            "avx512" => Ok(Some(["avx512", "AVX512_CORE", "AVX512"])),
            "avx2" => Ok(Some(["avx2", "AVX2", "AVX2"])),
            _ => Err(Failure::usage(format!("PyTorch cannot be held to the instruction set `{name}`"))
                .help("it can be held to avx512 and avx2; without --peer, --isa takes what the kernels know")),
        },
    }
}

/// `cifar-baseline` stands for `configs/cifar-baseline.toml`.
fn config_file(asked: &Path) -> PathBuf {
    if asked.extension().is_some() || asked.exists() {
        return asked.to_owned();
    }
    Path::new("configs").join(asked).with_extension("toml")
}

/// Whether `bench/peers/whole_run.py` does all that the experiment asks for.
fn comparable(experiment: &Experiment) -> Result<(), Failure> {
    let problem = if source(&experiment.data.dataset).is_ok_and(|source| source.published().is_none()) {
        "its data is part of this program"
    } else if !matches!(experiment.optimizer.kind, OptimizerKind::Momentum { .. }) {
        "its optimizer is not `momentum`"
    } else if experiment.training.loss != Loss::CrossEntropy {
        "its loss is not `cross-entropy`"
    } else if experiment.warm_start.is_some() {
        "it begins with the weights of another run"
    } else {
        return Ok(());
    };
    Err(Failure::usage(format!("{} cannot be trained by the peer too: {problem}", experiment.name))
        .help("`--whole-run cifar-baseline` can; without --peer, any config can be measured"))
}

fn without_repeats<T: Clone + PartialEq>(values: &[T]) -> Vec<T> {
    let mut kept = Vec::with_capacity(values.len());
    for value in values {
        if !kept.contains(value) {
            kept.push(value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(words: &[&str]) -> Result<Bench, clap::Error> {
        let cli = Cli::try_parse_from(["backproof", "bench"].iter().chain(words))?;
        match cli.command {
            Command::Bench(arguments) => Ok(*arguments),
            other => panic!("{other:?}"),
        }
    }

    fn planned(words: &[&str]) -> anyhow::Result<Plan> {
        plan(&parse(words).unwrap())
    }

    fn names(plan: Plan) -> Vec<String> {
        match plan {
            Plan::Steps { networks, .. } => networks.into_iter().map(|network| network.name).collect(),
            Plan::WholeRun { .. } => panic!("steps were asked for"),
        }
    }

    #[test]
    fn every_network_but_alexnet_is_measured_unless_some_are_asked_for() {
        let all = names(planned(&[]).unwrap());
        assert_eq!(all.len(), published::names().len() - 1);
        assert!(!all.contains(&"alexnet".to_owned()));
        let asked = ["--model", "alexnet", "--model", "lenet-5,alexnet"];
        assert_eq!(names(planned(&asked).unwrap()), ["alexnet", "lenet-5"]);
    }

    #[test]
    fn the_defaults_are_three_batch_sizes_both_passes_all_engines_and_five_rounds() {
        let arguments = parse(&[]).unwrap();
        let Plan::Steps { batches, passes, .. } = plan(&arguments).unwrap() else { panic!() };
        assert_eq!(batches.iter().map(|batch| batch.get()).collect::<Vec<_>>(), [1, 16, 128]);
        assert_eq!(passes, Pass::ALL);
        assert_eq!(engines(&arguments), BenchEngine::ALL);
        assert_eq!((arguments.rounds.get(), arguments.seconds), (5, 0.5));
        assert_eq!(arguments.python, Path::new("python3"));
    }

    #[test]
    fn what_is_asked_for_takes_the_place_of_the_defaults() {
        let arguments = parse(&["--batch", "32", "--engine", "compiled", "--pass", "inference"]).unwrap();
        let Plan::Steps { batches, passes, .. } = plan(&arguments).unwrap() else { panic!() };
        assert_eq!((batches[0].get(), batches.len(), passes), (32, 1, vec![Pass::Inference]));
        assert_eq!(engines(&arguments), [BenchEngine::Compiled]);
    }

    #[test]
    fn a_misspelt_network_gets_the_nearest_name() {
        let error = planned(&["--model", "cifar-basline"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no network `cifar-basline`");
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for words in [["--batch", "0"], ["--rounds", "0"], ["--seconds", "0"], ["--seconds", "nan"], ["--threads", "0"]]
        {
            assert!(parse(&words).is_err(), "{words:?}");
        }
        assert!(parse(&["--whole-run", "cifar-baseline", "--batch", "16"]).is_err());
    }

    #[test]
    fn the_peer_is_held_to_an_instruction_set_by_its_three_names() {
        let of = |words: &[&str]| instruction_set(&parse(words).unwrap());
        assert_eq!(of(&["--isa", "avx2", "--peer", "pytorch"]).unwrap(), Some(["avx2", "AVX2", "AVX2"]));
        assert_eq!(of(&["--isa", "anything"]).unwrap(), None);
        assert!(of(&["--isa", "sse9", "--peer", "pytorch"]).is_err());
    }

    #[test]
    fn a_name_stands_for_the_config_of_that_name() {
        assert_eq!(config_file(Path::new("cifar-baseline")), Path::new("configs/cifar-baseline.toml"));
        assert_eq!(config_file(Path::new("my/own.toml")), Path::new("my/own.toml"));
    }

    #[test]
    fn an_experiment_that_the_peer_cannot_do_is_refused_with_the_reason() {
        let quickstart = Experiment::from_toml("quickstart.toml", crate::QUICKSTART, &[], &data_sets()).unwrap();
        let reason = comparable(&quickstart).unwrap_err().to_string();
        assert_eq!(reason, "quickstart cannot be trained by the peer too: its data is part of this program");
        let overrides = ["data.dataset=mnist".to_owned()];
        assert!(
            comparable(&Experiment::from_toml("a.toml", crate::QUICKSTART, &overrides, &data_sets()).unwrap()).is_ok()
        );
    }
}
