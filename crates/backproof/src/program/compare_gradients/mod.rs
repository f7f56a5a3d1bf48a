//! `compare-gradients`: the backward passes by hand, Burn's autodiff and finite differences held against each other.
//!
//! `backproof-suite` has the checks; here stands what the arguments mean, and what is printed and written.

mod hard_summary;
mod json;
mod lines;
mod of_run;
mod pace;
mod summary;
mod verdict;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use backproof::backend::Backend;
use backproof::cli::{CompareGradientsArguments, Precision};
use backproof::comparison::{GradientComparison, selection};
use backproof::error::{Failure, code};
use backproof_gradcheck::measure_unit_roundoff;
use backproof_kernels::Isa;
use backproof_spec::{Architecture, Experiment, counted, thousands};
use backproof_suite::{CaseId, CheckOutcome, Context, Point, Setting, Task, TaskError, Wanted};
use backproof_train::RunFolder;
use burn::tensor::{DType, Device};

use crate::device;
use crate::failures::data_failure;
use crate::signals::stop_on_signal;
pub(crate) use of_run::{FILE, prove};
use pace::Pace;

pub(crate) fn run(arguments: &CompareGradientsArguments) -> anyhow::Result<()> {
    let selection = selection(arguments)?;
    for file in [&arguments.json, &arguments.dump].into_iter().flatten() {
        writable(file)?;
    }
    let backend = Backend::by_name(&arguments.device.backend)?;
    let device = device::open(backend)?;
    let dtype = match arguments.dtype {
        Precision::F32 => DType::F32,
        Precision::F64 => DType::F64,
    };
    let context = context(backend, device, dtype, arguments.seed);
    let tasks = tasks(&selection, arguments, &context)?;
    let setting =
        matches!(selection, GradientComparison::Burn(_)).then_some(Setting { backend: backend.name(), dtype });
    let wanted = Wanted { mutants: arguments.mutants, tensors: arguments.dump.is_some(), setting };
    let stop = stop_on_signal()?;
    let checked = perform(&tasks, &context, wanted, backend, &stop)?;

    let (seconds, interrupted) = (checked.seconds, checked.interrupted);
    let heading = lines::Heading { backend, context: &context, seconds, interrupted };
    let outcomes = &checked.outcomes;
    summary::print(&heading, outcomes, arguments);
    say_what_is_left_out(&selection, arguments);
    if let Some(path) = &arguments.json {
        json::write(path, &heading, outcomes)?;
    }
    if let Some(path) = &arguments.dump {
        backproof_train::write_whole(path, &backproof_suite::dump(outcomes, dtype)?)?;
    }
    let all = counted(outcomes.len(), "check");
    if checked.interrupted {
        let of = thousands(tasks.len());
        return Err(Failure::new(code::INTERRUPTED, format!("interrupted after {all} of {of}")).into());
    }
    match outcomes.iter().filter(|outcome| outcome.failed()).count() {
        0 => Ok(()),
        failed => Err(Failure::new(code::CHECK_FAILED, format!("{failed} of {all} failed")).into()),
    }
}

/// What was checked.
pub(crate) struct Checked {
    pub(crate) outcomes: Vec<CheckOutcome>,
    pub(crate) seconds: f64,
    /// Some tasks were not begun.
    pub(crate) interrupted: bool,
}

/// Where the code under test runs. Our own kernels take part where the backend is theirs.
pub(crate) fn context(backend: Backend, device: Device, dtype: DType, seed: u64) -> Context {
    let unit_roundoff = measure_unit_roundoff(&device, dtype);
    let kernels = if backend == Backend::Flex && dtype == DType::F32 { Isa::available() } else { Vec::new() };
    Context { device, reference: Device::flex(), dtype, unit_roundoff, seed, kernels, case: CaseId::general(0) }
}

/// Makes the checks, until `stop` is raised.
pub(crate) fn perform(
    tasks: &[Task],
    context: &Context,
    wanted: Wanted,
    backend: Backend,
    stop: &AtomicBool,
) -> anyhow::Result<Checked> {
    // On a CPU every core takes the next check.
    let threads = if backend.is_cpu() { std::thread::available_parallelism().map_or(1, usize::from) } else { 1 };
    let (start, pace) = (Instant::now(), Pace::new(tasks));
    let go_on = |task: &Task| {
        pace.done(task);
        !stop.load(Ordering::Relaxed)
    };
    let outcomes =
        backproof_suite::perform(tasks, context, wanted, threads, &go_on).context("the network cannot be built")?;
    pace.end();
    let interrupted = outcomes.len() < tasks.len();
    Ok(Checked { outcomes, seconds: start.elapsed().as_secs_f64(), interrupted })
}

#[allow(clippy::print_stdout)] // results go to stdout
fn say_what_is_left_out(selection: &GradientComparison, arguments: &CompareGradientsArguments) {
    if arguments.short() {
        println!(
            "a short check. `cargo xtask compare-gradients --all` checks every network, more cases and hard points, in \
             minutes"
        );
    }
    let GradientComparison::Ours { left_out, .. } = selection else { return };
    for Architecture { name, .. } in left_out {
        println!(
            "left out: {name}, for the time that it takes; `cargo xtask compare-gradients --model {name}` checks it"
        );
    }
}

/// Refuses a file in a folder that does not exist before minutes are spent on what goes into it.
fn writable(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    Err(Failure::usage(format!("cannot write {}: there is no folder {}", file.display(), folder.display())))
}

/// The experiment; that of a run has the class weights that the run began with.
fn as_begun(experiment: &Experiment, config: Option<&Path>) -> Experiment {
    let beside = |config: &Path| RunFolder::open(&config.with_file_name("")).ok();
    let run = config.filter(|config| config.file_name().is_some_and(|name| name == "config.toml")).and_then(beside);
    match run.and_then(|run| run.record().ok()) {
        Some(record) => Experiment { training: record.with_class_weights(&experiment.training), ..experiment.clone() },
        None => experiment.clone(),
    }
}

fn tasks(
    selection: &GradientComparison,
    arguments: &CompareGradientsArguments,
    context: &Context,
) -> anyhow::Result<Vec<Task>> {
    let (cases, data_dir) = (cases(arguments), arguments.places.data_dir.as_deref());
    match selection {
        GradientComparison::Ours { layers, networks, .. } => {
            let mut tasks: Vec<Task> = layers.iter().flat_map(|name| Task::of_layer(name, &cases)).collect();
            tasks.extend(Task::of_networks(networks, data_dir, context).map_err(|error| match error {
                TaskError::Data(error) => data_failure(error).into(),
                error => anyhow::Error::from(error),
            })?);
            Ok(tasks)
        }
        GradientComparison::Experiment(experiment) => {
            let prepared =
                backproof_data::prepare(&experiment.data, data_dir, experiment.seed).map_err(data_failure)?;
            let experiment = as_begun(experiment, arguments.config.as_deref());
            Ok(Task::of_experiment(&experiment, &prepared, context)?)
        }
        GradientComparison::Burn(name) => {
            let tasks = Task::of_burn(name.as_deref(), &cases);
            if let (Some(name), true) = (name, tasks.is_empty()) {
                let names: Vec<&str> = backproof_suite::burn_operations().collect();
                let failure = Failure::usage(format!("the suite has no operation `{name}`"));
                return Err(failure.nearest(name, &names, format!("it has {}", names.join(", "))).into());
            }
            Ok(tasks)
        }
    }
}

/// General cases, and some at every hard point; or those that the arguments name.
fn cases(arguments: &CompareGradientsArguments) -> Vec<CaseId> {
    let at = |point: Point, numbers: std::ops::Range<u64>| numbers.map(move |number| CaseId::new(point, number));
    let points = match (&arguments.point[..], arguments.case) {
        ([], Some(_)) => vec![Point::General],
        // Other frameworks are given general points unless others are named.
        ([], None) if arguments.dump.is_some() => vec![Point::General],
        ([], None) => [Point::hard(), &[Point::General]].concat(),
        (points, _) => points.to_vec(),
    };
    let numbers = |point: Point| match (arguments.case, point) {
        (Some(number), _) => number..number + 1,
        (None, Point::General) => 0..arguments.cases(),
        // Other shapes at every point, although there are few cases.
        (None, point) => (point as u64)..point as u64 + arguments.hard_cases(),
    };
    points.into_iter().flat_map(|point| at(point, numbers(point))).collect()
}
