//! From the arguments of `bench` to a request, checked before anything is built.

use std::path::{Path, PathBuf};

use backproof_bench::{BenchError, Pass, Request, Work};
use backproof_data::data_sets;
use backproof_spec::{Experiment, published};

use crate::cli::BenchArguments;
use crate::comparison::SMALL;
use crate::error::{Failure, code};
use crate::published_architecture;

/// What the arguments ask for.
///
/// # Errors
///
/// A network that does not exist, a config that is not valid, or what the peer could not do too.
pub fn request(arguments: &BenchArguments) -> anyhow::Result<Request> {
    let request = Request {
        work: work(arguments)?,
        asked_engines: without_repeats(&arguments.engines),
        peer: arguments.peer,
        python: arguments.python.clone(),
        threads: arguments.threads,
        rounds: arguments.rounds,
        seconds: arguments.seconds,
        isa: arguments.isa.clone(),
        json: arguments.json.clone(),
        write: arguments.write.clone(),
        data_dir: arguments.places.data_dir.clone(),
    };
    request.check().map_err(failure)?;
    Ok(request)
}

/// The exit code and the way out that go with an error of a benchmark.
pub fn failure(error: BenchError) -> Failure {
    match error {
        BenchError::Refused { message, help } => Failure::usage(message).help(help),
        BenchError::Failed { message, help } => Failure::new(code::FAILED, message).maybe_help(help),
    }
}

fn work(arguments: &BenchArguments) -> anyhow::Result<Work> {
    if let Some(asked) = &arguments.whole_run {
        let config = config_file(asked);
        let experiment = Box::new(Experiment::load(&config, &[], &data_sets())?);
        return Ok(Work::WholeRun { config, experiment });
    }
    let mut networks = Vec::new();
    for name in without_repeats(&arguments.models) {
        networks.push(published_architecture(&name, "")?);
    }
    for config in without_repeats(&arguments.configs) {
        networks.push(Experiment::load(&config, &[], &data_sets())?.model);
    }
    if networks.is_empty() {
        let all = published::names().iter().filter_map(|name| published::by_name(name));
        networks = all.filter(|network| network.trainable_parameters().is_ok_and(|count| count <= SMALL)).collect();
    }
    let passes = without_repeats(&arguments.passes);
    Ok(Work::Steps {
        networks,
        batches: without_repeats(&arguments.batches),
        passes: if passes.is_empty() { Pass::ALL.to_vec() } else { passes },
    })
}

/// `cifar-baseline` stands for `configs/cifar-baseline.toml`.
fn config_file(asked: &Path) -> PathBuf {
    if asked.extension().is_some() || asked.exists() {
        return asked.to_owned();
    }
    Path::new("configs").join(asked).with_extension("toml")
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
    use backproof_bench::BenchEngine;
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(words: &[&str]) -> Result<BenchArguments, clap::Error> {
        let cli = Cli::try_parse_from(["backproof", "bench"].iter().chain(words))?;
        match cli.command {
            Command::Bench(arguments) => Ok(*arguments),
            other => panic!("{other:?}"),
        }
    }

    fn asked(words: &[&str]) -> anyhow::Result<Request> {
        request(&parse(words).unwrap())
    }

    fn names(request: Request) -> Vec<String> {
        match request.work {
            Work::Steps { networks, .. } => networks.into_iter().map(|network| network.name).collect(),
            Work::WholeRun { .. } => panic!("steps were asked for"),
        }
    }

    #[test]
    fn every_network_but_the_large_ones_is_measured_unless_some_are_asked_for() {
        let all = names(asked(&[]).unwrap());
        let left_out = ["alexnet", "resnet-9", "airbench94"];
        assert_eq!(all.len(), published::names().len() - left_out.len());
        assert!(left_out.iter().all(|name| !all.iter().any(|it| it == name)));
        let words = ["--model", "alexnet", "--model", "lenet-5,alexnet"];
        assert_eq!(names(asked(&words).unwrap()), ["alexnet", "lenet-5"]);
    }

    #[test]
    fn the_defaults_are_three_batch_sizes_both_passes_all_engines_and_five_rounds() {
        let arguments = parse(&[]).unwrap();
        let request = request(&arguments).unwrap();
        assert_eq!(request.engines(), BenchEngine::ALL);
        let Work::Steps { batches, passes, .. } = request.work else { panic!() };
        assert_eq!(batches.iter().map(|batch| batch.get()).collect::<Vec<_>>(), [1, 16, 128]);
        assert_eq!(passes, Pass::ALL);
        assert_eq!((arguments.rounds.get(), arguments.seconds), (5, 0.5));
        assert_eq!(arguments.python, Path::new("python3"));
    }

    #[test]
    fn what_is_asked_for_takes_the_place_of_the_defaults() {
        let request = asked(&["--batch", "32", "--engine", "compiled", "--pass", "inference"]).unwrap();
        assert_eq!(request.engines(), [BenchEngine::Compiled]);
        let Work::Steps { batches, passes, .. } = request.work else { panic!() };
        assert_eq!((batches[0].get(), batches.len(), passes), (32, 1, vec![Pass::Inference]));
    }

    #[test]
    fn the_networks_of_configs_are_measured_beside_those_with_a_name() {
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/quickstart.toml");
        assert_eq!(names(asked(&["-c", config]).unwrap()), ["mnist-baseline"]);
        assert_eq!(names(asked(&["--model", "lenet-5", "-c", config]).unwrap()), ["lenet-5", "mnist-baseline"]);
        assert!(asked(&["-c", "none.toml"]).unwrap_err().to_string().contains("none.toml"));
        assert!(parse(&["--whole-run", "cifar-baseline", "-c", config]).is_err());
    }

    #[test]
    fn a_misspelt_network_gets_the_nearest_name() {
        let error = asked(&["--model", "cifar-basline"]).unwrap_err();
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
    fn a_name_stands_for_the_config_of_that_name() {
        assert_eq!(config_file(Path::new("cifar-baseline")), Path::new("configs/cifar-baseline.toml"));
        assert_eq!(config_file(Path::new("my/own.toml")), Path::new("my/own.toml"));
    }
}
