//! What a person waits for: an experiment trained from start to end, by `train` and by the peer's script, by turns.
//!
//! Each round is a seed of its own, the same for all, so that the accuracies are those of several seeds.

mod outcome;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use backproof_data::{data_set_directory, source_of};
use backproof_spec::{Experiment, LayerSpec};
use backproof_train::{BURN_VERSION, RunFolder};
use serde::Deserialize;

use self::outcome::WholeRun;
pub(crate) use self::outcome::WholeRuns;
use crate::contender::{EAGER, Launcher};
use crate::results::Setting;
use crate::{BenchEngine, BenchError, Program, Request, Watch, machine, memory, process};

/// How often a process is asked for its memory and whether it has ended.
const PATIENCE: Duration = Duration::from_millis(5);

/// Who trains.
#[derive(Debug, Clone, PartialEq)]
enum Trainer {
    /// `train`, with these overrides of the config.
    Ours {
        name: String,
        overrides: Vec<String>,
    },
    PyTorch(&'static str),
}

pub(crate) fn run(
    request: &Request,
    program: &Program,
    config: &Path,
    experiment: &Experiment,
    watch: &dyn Watch,
) -> anyhow::Result<WholeRuns> {
    let launcher = Launcher::new(request, program.path.clone())?;
    let load = machine::load();
    let data = source_of(&experiment.data.images, experiment.seed)
        .and_then(|source| data_set_directory(&*source, request.data_dir.as_deref()))?;
    let trainers = trainers(request, experiment);
    watch.begin(trainers.len() * request.rounds.get());
    let mut runs: Vec<Vec<WholeRun>> = vec![Vec::new(); trainers.len()];
    for round in 0..request.rounds.get() {
        let mut experiment = experiment.clone();
        experiment.seed += round as u64;
        // What the outcome should be is for `train` to judge, and would be an error here.
        experiment.expect = None;
        for (trainer, runs) in trainers.iter().zip(&mut runs) {
            watch.doing(format!("{}: round {} of {}", trainer.name(), round + 1, request.rounds));
            runs.push(once(trainer, &experiment, &launcher, data.as_deref(), request)?);
            watch.done();
        }
    }
    let software = runs.iter().flatten().map(|run| run.software.clone()).collect();
    let names = trainers.iter().map(Trainer::name);
    let setting = Setting::here(request, program, launcher.threads, load, software);
    Ok(WholeRuns::new(setting, config, experiment, names.zip(runs).collect()))
}

fn trainers(request: &Request, experiment: &Experiment) -> Vec<Trainer> {
    let ours = |name: &str, overrides| Trainer::Ours { name: format!("backproof {name}"), overrides };
    let mut all: Vec<Trainer> = if request.asked_engines.is_empty() {
        vec![ours("as configured", Vec::new())]
    } else {
        let of = |engine: BenchEngine| ours(engine.name(), engine.overrides());
        request.engines().into_iter().map(of).collect()
    };
    if request.peer.is_some() {
        // Compiling takes longer than these runs do.
        let convolutions = experiment.model.all_layers().into_iter().any(|layer| matches!(layer, LayerSpec::Conv2d(_)));
        all.extend(EAGER[..if convolutions { 2 } else { 1 }].iter().map(|variant| Trainer::PyTorch(variant)));
    }
    all
}

impl Trainer {
    fn name(&self) -> String {
        match self {
            Self::Ours { name, .. } => name.clone(),
            Self::PyTorch(variant) => format!("pytorch {variant}"),
        }
    }
}

/// What the peer's script ends with.
#[derive(Deserialize)]
#[serde(untagged)]
enum LastLine {
    Done { software: String, test_accuracy: f64 },
    Error { error: String, help: Option<String> },
}

/// One run in a folder of its own, which is gone afterwards.
fn once(
    trainer: &Trainer,
    experiment: &Experiment,
    launcher: &Launcher,
    data: Option<&Path>,
    request: &Request,
) -> anyhow::Result<WholeRun> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let config = folder.path().join("config.toml");
    fs::write(&config, experiment.to_toml()).context("cannot write a config")?;
    let runs_dir = folder.path().join("runs");
    let mut command = match trainer {
        Trainer::Ours { overrides, .. } => {
            let mut command = launcher.ours("train");
            command.arg("--config").arg(&config).arg("--runs-dir").arg(&runs_dir);
            command.args(overrides.iter().flat_map(|it| ["--set", it]));
            if let Some(data_dir) = &request.data_dir {
                command.arg("--data-dir").arg(data_dir);
            }
            command
        }
        Trainer::PyTorch(variant) => {
            let mut command = launcher.script("whole_run.py");
            command.arg(&config).args(["--variant", variant, "--threads", &launcher.threads.to_string()]);
            command.arg("--data").arg(data.context("a data set that is part of the program has no folder")?);
            command
        }
    };
    let (stdout, mut stderr) = (folder.path().join("stdout"), tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(stderr.try_clone()?);
    let (status, seconds, peak_memory_bytes) = finish(command)?;
    let said = fs::read_to_string(&stdout).unwrap_or_default();
    let last = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    if let Some(LastLine::Error { error, help }) = last {
        return Err(BenchError::Failed { message: format!("{}: {error}", trainer.name()), help }.into());
    }
    if !status.success() {
        let words = process::last_words(&mut stderr).unwrap_or_default();
        return Err(BenchError::failed(format!("{} failed ({status}){words}", trainer.name())).into());
    }
    let (software, test_accuracy) = match (trainer, last) {
        (Trainer::Ours { .. }, _) => (format!("Burn {BURN_VERSION}"), our_accuracy(&runs_dir.join(&experiment.name))?),
        (_, Some(LastLine::Done { software, test_accuracy })) => (software, test_accuracy),
        _ => return Err(BenchError::failed(format!("{} gave no result", trainer.name())).into()),
    };
    Ok(WholeRun { software, seed: experiment.seed, seconds, test_accuracy, peak_memory_bytes })
}

/// Runs `command` to its end: how it ended, the seconds from before it was started, and its peak memory.
fn finish(mut command: Command) -> anyhow::Result<(ExitStatus, f64, Option<u64>)> {
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| process::not_started(&command, &error))?;
    let mut peak_memory = None;
    loop {
        // The mark only rises, and is gone with the process: the last one seen counts.
        peak_memory = memory::peak_of(child.id()).or(peak_memory);
        if let Some(status) = child.try_wait().context("cannot wait for a run")? {
            return Ok((status, started.elapsed().as_secs_f64(), peak_memory));
        }
        std::thread::sleep(PATIENCE);
    }
}

/// The test accuracy of the only run below `folder`.
fn our_accuracy(folder: &Path) -> anyhow::Result<f64> {
    let mut runs: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && !path.is_symlink())
        .collect();
    let run = runs.pop().context("`train` left no run folder")?;
    let record = RunFolder::open(&run).and_then(|folder| folder.record())?;
    Ok(record.summary.context("the run has no result")?.test_accuracy)
}
