//! Taking turns: every contender of a cell is alive at once, and each in turn computes for one round.

use std::time::Duration;

use backproof::cli::{self, Pass};
use backproof_spec::Architecture;
use indicatif::{ProgressBar, ProgressStyle};

use super::contender::{Contender, Launcher, contenders};
use super::process::{Process, Started};
use super::protocol::{Round, Task};
use super::results::{Cell, Unavailable};

/// Between two turns. The threads of the one before spin for a while before they sleep, and would take the other's time.
const PAUSE: Duration = Duration::from_millis(20);

/// What all cells are measured with.
pub(crate) struct Measurement<'a> {
    pub(crate) arguments: &'a cli::Bench,
    pub(crate) launcher: &'a Launcher,
    /// GFLOP/s that this machine can reach.
    pub(crate) peak: f64,
    progress: ProgressBar,
}

impl<'a> Measurement<'a> {
    pub(crate) fn new(arguments: &'a cli::Bench, launcher: &'a Launcher, peak: f64, groups: usize) -> Self {
        Self { arguments, launcher, peak, progress: progress_bar(groups) }
    }

    /// Everything that does this work, in rounds.
    ///
    /// # Errors
    ///
    /// A program that cannot be started or that fails. A variant that a machine cannot run, and one whose compiled code fails, is noted in
    /// `unavailable`.
    pub(crate) fn group(
        &self,
        network: &Architecture,
        batch: usize,
        pass: Pass,
        unavailable: &mut Vec<Unavailable>,
    ) -> anyhow::Result<Vec<Cell>> {
        let what = format!("{}, batch {batch}, {}", network.name, pass.name());
        let mut running = Vec::new();
        let mut missing = |contender: Contender, reason: String| {
            let (model, pass) = (network.name.clone(), pass.name().to_owned());
            unavailable.push(Unavailable { model, batch, pass, contender: contender.name(), reason });
        };
        for contender in contenders(self.arguments, network) {
            self.progress.set_message(format!("{what}: {} warms up", contender.name()));
            let task = Task {
                architecture: network.clone(),
                batch,
                pass: pass.name().to_owned(),
                variant: contender.variant().to_owned(),
                threads: self.launcher.threads,
                seconds: self.arguments.seconds,
            };
            match Process::start(&contender.name(), self.launcher.steps(contender), &task) {
                Ok(Started::Ready(process, ready)) => running.push((contender, process, ready, Vec::<Round>::new())),
                Ok(Started::Unavailable(reason)) => missing(contender, reason),
                Err(error) if contender.is_compiled() => missing(contender, last_line(&error)),
                Err(error) => return Err(error),
            }
        }
        for round in 1..=self.arguments.rounds.get() {
            self.progress.set_message(format!("{what}: round {round} of {}", self.arguments.rounds));
            let mut fatal = None;
            running.retain_mut(|(contender, process, _, rounds)| {
                std::thread::sleep(PAUSE);
                match process.round() {
                    Ok(round) => rounds.push(round),
                    Err(error) if contender.is_compiled() => {
                        missing(*contender, last_line(&error));
                        return false;
                    }
                    Err(error) => fatal = Some(error),
                }
                true
            });
            if let Some(error) = fatal {
                return Err(error);
            }
        }
        self.progress.inc(1);
        let flops = network.flops()?;
        let flops_per_image = match pass {
            Pass::Training => flops.training(),
            Pass::Inference => flops.forward,
        };
        let cells = running.into_iter().map(|(contender, process, ready, rounds)| {
            let peak_memory = process.peak_memory();
            Cell::new(network, batch, pass, contender, ready, flops_per_image, rounds, self.peak, peak_memory)
        });
        Ok(cells.collect())
    }
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// What the last words of a process end in.
fn last_line(error: &anyhow::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim().to_owned()
}

/// How much of all is done and what is being done: on a terminal, on stderr.
pub(crate) fn progress_bar(all: usize) -> ProgressBar {
    let progress = ProgressBar::new(all as u64);
    let style = ProgressStyle::with_template("{bar:24} {pos} of {len}  {msg}  {elapsed}");
    progress.set_style(style.expect("the template is ours"));
    progress.enable_steady_tick(Duration::from_secs(1));
    progress
}
