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
mod executable;
mod failures;
mod predict;
mod progress;
mod report;
mod reproduction;
mod run;
mod setup;
mod signals;
mod sweep;

use std::io::IsTerminal;
use std::process::ExitCode;

use backproof::cli::{Cli, Command};
use backproof::{error, output};
use backproof_gradcheck::PoisonAllocator;
use tracing_subscriber::EnvFilter;

/// While gradients are compared, fresh memory holds garbage, so that a kernel which reads what it never wrote is found.
/// Otherwise this costs one atomic load an allocation.
#[global_allocator]
static ALLOCATOR: PoisonAllocator = PoisonAllocator;

fn main() -> ExitCode {
    let cli = Cli::from_arguments("backproof");
    let log = std::env::var("BACKPROOF_LOG").ok().filter(|log| !log.is_empty());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new(log.as_deref().unwrap_or("off,backproof_data=warn,backproof_train=warn")))
        .without_time()
        .with_target(false)
        .with_ansi(error::colour(std::io::stderr().is_terminal()))
        .init();
    let result = match &cli.command {
        Command::Train(arguments) => run::train(arguments),
        Command::Resume(arguments) => run::resume(arguments),
        Command::Evaluate(arguments) => run::evaluate(arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::CompareGradients(arguments) => compare_gradients::run(arguments),
        Command::Report(arguments) => report::report(arguments),
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
