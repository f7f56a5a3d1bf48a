//! A run as a process of its own.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use backproof::backend::Backend;
use backproof::{cli, environment};
use backproof_bench::own_command;

use super::folder::Task;
use crate::executable::own_program;

/// How often a process is asked whether it has ended.
const PATIENCE: Duration = Duration::from_millis(20);

/// What is the same for every process.
pub(crate) struct Launcher {
    program: PathBuf,
    backend: &'static str,
    data_dir: Option<PathBuf>,
    /// For Burn's thread pool.
    threads: Option<OsString>,
}

impl Launcher {
    pub(crate) fn new(arguments: &cli::SweepArguments, backend: Backend) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // What a person says of the threads holds.
        let said = environment::threads()?.is_some();
        let threads = (cores / arguments.jobs).max(1);
        Ok(Self {
            program: own_program()?,
            backend: backend.name(),
            data_dir: arguments.places.data_dir.clone(),
            threads: (!said).then(|| threads.to_string().into()),
        })
    }

    /// `train` for this run from its beginning.
    pub(crate) fn train(&self, task: &Task) -> Command {
        let mut command = self.command("train");
        command.arg("--config").arg(task.config()).arg("--runs-dir").arg(task.train_dir());
        command
    }

    /// `resume` for a run folder.
    pub(crate) fn resume(&self, run: &Path) -> Command {
        let mut command = self.command("resume");
        command.arg(run);
        command
    }

    /// Makes the report of a run that was killed while it made it. That it cannot be made is no failure of the run.
    pub(crate) fn report(&self, run: &Path) {
        let mut command = own_command(&self.program);
        command.arg("report").arg(run);
        if let Some(data_dir) = &self.data_dir {
            command.arg("--data-dir").arg(data_dir);
        }
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }

    fn command(&self, name: &str) -> Command {
        let mut command = own_command(&self.program);
        command.args([name, "--stop-with-stdin", "--backend", self.backend]);
        if let Some(threads) = &self.threads {
            command.env("RAYON_NUM_THREADS", threads);
        }
        if let Some(data_dir) = &self.data_dir {
            command.arg("--data-dir").arg(data_dir);
        }
        command
    }
}

/// Runs `command` to its end, its output into `output`. Once `stop` says so the process is told to stop, and waited
/// for.
pub(crate) fn run(mut command: Command, output: &Path, stop: impl Fn() -> bool) -> anyhow::Result<ExitStatus> {
    let cannot_write = || format!("cannot write {}", output.display());
    let file = File::create(output).with_context(cannot_write)?;
    let also = file.try_clone().with_context(cannot_write)?;
    let mut child =
        command.stdin(Stdio::piped()).stdout(file).stderr(also).spawn().context("cannot start a process for a run")?;
    // The child stops when this end is closed: on request here, and by the system should this process be killed.
    let mut stdin = child.stdin.take();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for the process of a run")? {
            return Ok(status);
        }
        if stop() {
            drop(stdin.take());
        }
        std::thread::sleep(PATIENCE);
    }
}
