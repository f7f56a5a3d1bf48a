//! `bench`: how fast this trains and predicts, on this machine, and against PyTorch on the same work.
//!
//! Every figure is of a process of its own (`worker.rs`, or the peer's script), because peak memory is a process's, and Burn's state and a
//! thread pool are process-wide. All processes of one piece of work are alive at once and take turns (`measure.rs`, `process.rs`), so
//! that what disturbs the machine disturbs all of them; a figure is the median of its rounds.
//!
//! `--whole-run` measures instead what a person waits for: `train` from its start to its end (`whole_run.rs`).

mod contender;
mod machine;
mod measure;
mod memory;
mod output;
mod peak;
mod process;
mod protocol;
mod results;
mod table;
mod whole_run;
mod worker;

use std::collections::BTreeSet;

use backproof::bench::{Plan, plan};
use backproof::cli;
use backproof_train::BURN_VERSION;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use contender::Launcher;
use machine::Machine;
use measure::Measurement;
use results::{Results, Setting, compare};

pub(crate) use worker::run as work;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &cli::Bench) -> anyhow::Result<()> {
    let plan = plan(arguments)?;
    output::check(arguments)?;
    let launcher = Launcher::new(arguments)?;
    let load = machine::load();
    let (networks, batches, passes) = match plan {
        Plan::WholeRun { config, experiment } => {
            return whole_run::run(arguments, &launcher, load, &config, &experiment);
        }
        Plan::Steps { networks, batches, passes } => (networks, batches, passes),
    };
    let peak = peak::measure(launcher.threads, arguments.isa.as_deref());
    let groups = networks.len() * batches.len() * passes.len();
    let measurement = Measurement::new(arguments, &launcher, peak.gflops_per_second, groups);
    let (mut cells, mut unavailable) = (Vec::new(), Vec::new());
    for network in &networks {
        for batch in &batches {
            for pass in &passes {
                let mut group = measurement.group(network, batch.get(), *pass, &mut unavailable)?;
                compare(&mut group);
                cells.append(&mut group);
            }
        }
    }
    drop(measurement);
    let software = cells.iter().map(|cell| match &cell.instructions {
        Some(instructions) => format!("{} ({instructions})", cell.software),
        None => cell.software.clone(),
    });
    let setting = Setting::here(arguments, &launcher, load, software.collect());
    let results = Results::new(setting, arguments.seconds, peak, cells, unavailable);
    println!("{}", results.table());
    output::write(arguments, &results, &results.markdown())
}

impl Setting {
    /// What holds for every figure of this command; `software` is what the measured processes said they are.
    fn here(arguments: &cli::Bench, launcher: &Launcher, load_before: Option<f64>, software: BTreeSet<String>) -> Self {
        let mut all: Vec<String> = vec![format!("backproof {}", env!("CARGO_PKG_VERSION"))];
        let burn = format!("Burn {BURN_VERSION}");
        all.push(burn.clone());
        all.extend(software.into_iter().filter(|name| *name != burn));
        all.push(env!("BACKPROOF_RUSTC").to_owned());
        let mut command_line: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        if let Some(program) = command_line.first_mut() {
            // Where the program lies on this machine is nobody's business in a file for others.
            "backproof".clone_into(program);
        }
        Self {
            date: OffsetDateTime::now_utc().truncate_to_second().format(&Rfc3339).expect("UTC has an RFC 3339 form"),
            command_line,
            git_revision: crate::run::git_revision(),
            machine: Machine::here(),
            load_before,
            threads: launcher.threads,
            isa: arguments.isa.clone(),
            rounds: arguments.rounds.get(),
            software: all,
        }
    }
}
