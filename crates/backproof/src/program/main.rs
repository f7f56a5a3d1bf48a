//! The program: every command, on the backends that it was built with.
//!
//! This is the only place that names a backend's device. Results go to stdout, errors and progress to stderr.

#[macro_use(println, eprintln)]
extern crate backproof; // its `println!` for all modules, in place of the standard one

mod bench;
mod compare_gradients;
mod data;
mod device;
mod doctor;
mod dry_run;
mod executable;
mod explain;
mod explained;
mod export;
mod failures;
mod judge;
mod look;
mod lr_find;
mod picture;
mod predict;
mod progress;
mod reading;
mod report;
mod reproduction;
mod run;
mod runs;
mod saved;
mod serve;
mod setup;
mod signals;
mod sweep;
mod table;
mod terminal;

use std::io::IsTerminal;
use std::process::ExitCode;

use backproof::cli::{Cli, Command};
use backproof::error::Failure;
use backproof::{environment, error, output};
use backproof_gradcheck::PoisonAllocator;
use backproof_kernels::Isa;
use tracing_subscriber::EnvFilter;

/// While gradients are compared, fresh memory holds garbage, so that a kernel which reads what it never wrote is found.
/// Otherwise this costs one atomic load an allocation.
#[global_allocator]
static ALLOCATOR: PoisonAllocator = PoisonAllocator;

/// Makes glibc keep the memory of tensors from step to step. Otherwise it gives the memory back to the system after a
/// step and takes it again in the next, with a page fault for every 4 KiB. Once a block of this size was freed, glibc
/// takes smaller ones from its heap, and keeps up to twice the size free at the end of the heap (`M_MMAP_THRESHOLD` and
/// `M_TRIM_THRESHOLD` in mallopt(3)). The block is never touched and so takes no memory. With another C library, this
/// does nothing.
fn keep_freed_memory() {
    const SIZE: usize = 24 << 20;
    drop(std::hint::black_box(vec![0_u8; SIZE]));
}

fn main() -> ExitCode {
    keep_freed_memory();
    let cli = Cli::from_arguments("backproof");
    let log = match check_variables() {
        Ok(log) => log,
        Err(failure) => return error::show(&failure.into()),
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(log)
        .without_time()
        .with_target(false)
        .with_ansi(error::colour(std::io::stderr().is_terminal()))
        .init();
    let result = match &cli.command {
        Command::Train(arguments) => run::train(arguments),
        Command::LrFind(arguments) => lr_find::run(arguments),
        Command::Resume(arguments) => run::resume(arguments),
        Command::Evaluate(arguments) => run::evaluate(arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::CompareGradients(arguments) => compare_gradients::run(arguments),
        Command::Judge(arguments) => judge::run(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::CompareRuns(arguments) => report::compare_runs(arguments),
        Command::Reproduction(arguments) => reproduction::run(arguments),
        Command::Data(arguments) => data::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::BenchWorker => bench::work(),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Params(_) | Command::Config(_) | Command::Completions(_) => {
            backproof::answer(&cli).expect("these need no Burn")
        }
    };
    match result {
        Ok(()) if output::failed() => ExitCode::from(error::code::FAILED),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error::show(&error),
    }
}

/// Refuses variables without a flag that are wrong; gives what `BACKPROOF_LOG` says is logged.
fn check_variables() -> Result<EnvFilter, Failure> {
    environment::threads()?;
    Isa::selected().map_err(Failure::usage)?;
    // What is no UTF-8 is no filter either, and refused as one.
    let log = std::env::var_os("BACKPROOF_LOG").map(|log| log.to_string_lossy().into_owned());
    let log = log.filter(|log| !log.is_empty());
    EnvFilter::try_new(log.as_deref().unwrap_or("off,backproof_data=warn,backproof_train=warn"))
        .map_err(|error| Failure::usage(format!("BACKPROOF_LOG={}: {error}", log.unwrap_or_default())))
}
