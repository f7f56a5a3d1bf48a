//! Taking turns: every contender of a cell is alive at once, and each in turn computes for one round.

use std::time::Duration;

use backproof_spec::Architecture;

use crate::contender::{Contender, Launcher, contenders};
use crate::process::{Process, Started};
use crate::protocol::{Round, Task};
use crate::results::{Cell, Unavailable};
use crate::{BenchEngine, Pass, Request, Watch};

/// Between two turns. The threads of the one before spin for a while before they sleep, and would take the other's
/// time.
const PAUSE: Duration = Duration::from_millis(20);

/// What all cells are measured with.
pub(crate) struct Measurement<'a> {
    pub(crate) request: &'a Request,
    pub(crate) launcher: &'a Launcher,
    /// GFLOP/s that this machine can reach.
    pub(crate) peak: f64,
    pub(crate) watch: &'a dyn Watch,
}

impl Measurement<'_> {
    /// Everything that does this work, in rounds.
    ///
    /// # Errors
    ///
    /// A program that cannot be started or that fails. A variant that a machine cannot run, one whose compiled code
    /// fails, and our plan of a network that has a layer without a kernel, is noted in `unavailable`.
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
        let without_kernels = network.without_kernels()?;
        for contender in contenders(self.request, network) {
            if let (Contender::Ours(BenchEngine::Compiled), Some(layer)) = (contender, without_kernels.first()) {
                missing(contender, format!("there is no kernel for {layer}"));
                continue;
            }
            self.watch.doing(format!("{what}: {} warms up", contender.name()));
            let task = Task {
                architecture: network.clone(),
                batch,
                pass: pass.name().to_owned(),
                variant: contender.variant().to_owned(),
                threads: self.launcher.threads,
                seconds: self.request.seconds,
            };
            match Process::start(&contender.name(), self.launcher.steps(contender), &task) {
                Ok(Started::Ready(process, ready)) => running.push((contender, process, ready, Vec::<Round>::new())),
                Ok(Started::Unavailable(reason)) => missing(contender, reason),
                Err(error) if contender.is_compiled() => missing(contender, last_line(&error)),
                Err(error) => return Err(error),
            }
        }
        for round in 1..=self.request.rounds.get() {
            self.watch.doing(format!("{what}: round {round} of {}", self.request.rounds));
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
        self.watch.done();
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

/// What the last words of a process end in.
fn last_line(error: &anyhow::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim().to_owned()
}
