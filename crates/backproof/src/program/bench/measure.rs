//! Taking turns: every contender of a cell is alive at once, and each in turn computes for one round.

use std::time::Duration;

use backproof::cli::{self, Pass};
use backproof_spec::Architecture;
use indicatif::{ProgressBar, ProgressStyle};

use super::contender::{Launcher, contenders};
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
    /// A program that cannot be started or that fails. A variant that a machine cannot run is noted in `unavailable`.
    pub(crate) fn group(
        &self,
        network: &Architecture,
        batch: usize,
        pass: Pass,
        unavailable: &mut Vec<Unavailable>,
    ) -> anyhow::Result<Vec<Cell>> {
        let what = format!("{}, batch {batch}, {}", network.name, pass.name());
        let mut running = Vec::new();
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
            match Process::start(&contender.name(), self.launcher.steps(contender), &task)? {
                Started::Ready(process, ready) => running.push((contender, process, ready, Vec::<Round>::new())),
                Started::Unavailable(reason) => unavailable.push(Unavailable {
                    model: network.name.clone(),
                    batch,
                    pass: pass.name().to_owned(),
                    contender: contender.name(),
                    reason,
                }),
            }
        }
        for round in 1..=self.arguments.rounds.get() {
            self.progress.set_message(format!("{what}: round {round} of {}", self.arguments.rounds));
            for (_, process, _, rounds) in &mut running {
                std::thread::sleep(PAUSE);
                rounds.push(process.round()?);
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

/// How much of all is done and what is being done: on a terminal, on stderr.
pub(crate) fn progress_bar(all: usize) -> ProgressBar {
    let progress = ProgressBar::new(all as u64);
    let style = ProgressStyle::with_template("{bar:24} {pos} of {len}  {msg}  {elapsed}");
    progress.set_style(style.expect("the template is ours"));
    progress.enable_steady_tick(Duration::from_secs(1));
    progress
}
