//! Steps of networks: each piece of work in turn, by everything that can do it.

use std::num::NonZeroUsize;

use backproof_spec::Architecture;

use crate::contender::Launcher;
use crate::measure::Measurement;
use crate::results::{Results, Setting, compare};
use crate::{Pass, Program, Request, Watch, machine, peak};

pub(crate) fn run(
    request: &Request,
    program: &Program,
    networks: &[Architecture],
    batches: &[NonZeroUsize],
    passes: &[Pass],
    watch: &dyn Watch,
) -> anyhow::Result<Results> {
    let launcher = Launcher::new(request, program.path.clone())?;
    let load = machine::load();
    let peak = peak::measure(launcher.threads, request.isa.as_deref());
    watch.begin(networks.len() * batches.len() * passes.len());
    let measurement = Measurement { request, launcher: &launcher, peak: peak.gflops_per_second, watch };
    let (mut cells, mut unavailable) = (Vec::new(), Vec::new());
    for network in networks {
        for batch in batches {
            for pass in passes {
                let mut group = measurement.group(network, batch.get(), *pass, &mut unavailable)?;
                compare(&mut group);
                cells.append(&mut group);
            }
        }
    }
    let software = cells.iter().map(|cell| match &cell.instructions {
        Some(instructions) => format!("{} ({instructions})", cell.software),
        None => cell.software.clone(),
    });
    let setting = Setting::here(request, program, launcher.threads, load, software.collect());
    Ok(Results::new(setting, request.seconds, peak, cells, unavailable))
}
