//! `compare-gradients`: the backward passes by hand, Burn's autodiff and finite differences held against each other.
//!
//! A [`Subject`](subject::Subject) makes cases of a layer or of one of Burn's operations; `networks.rs` makes a problem
//! of a network. Each is examined by `backproof-gradcheck`; [`summary`] says what came of it.

mod burn;
mod domain;
mod dump;
mod hard_summary;
mod images;
mod kernels;
mod known;
mod layers;
mod networks;
mod outcome;
mod points;
mod subject;
mod summary;
mod symptoms;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ::burn::tensor::{DType, Device};
use anyhow::Context as _;
use backproof::backend::Backend;
use backproof::cli::{CompareGradients, Precision};
use backproof::comparison::{Selection, selection};
use backproof::error::{Failure, code};
use backproof::point::Point;
use backproof_gradcheck::measure_unit_roundoff;
use backproof_kernels::Isa;
use backproof_models::Mode;
use backproof_spec::{Architecture, Experiment, Loss, Shape};
use indicatif::{ProgressBar, ProgressStyle};

use crate::device;
use crate::run::data_failure;
use images::RealImages;
use known::Setting;
use outcome::{Outcome, Wanted, quietly};
use points::Place;
use subject::{Context, Subject};

/// One check to make.
enum Task {
    Case(&'static Subject, Place),
    Network(Box<Architecture>, Loss, RealImages, &'static str, Mode),
}

pub(crate) fn run(arguments: &CompareGradients) -> anyhow::Result<()> {
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
    let unit_roundoff = measure_unit_roundoff(&device, dtype);
    let kernels = if backend == Backend::Flex && dtype == DType::F32 { Isa::available() } else { Vec::new() };
    let reference = Device::flex();
    let place = Place::general(0);
    let context = Context { device, reference, dtype, unit_roundoff, seed: arguments.seed, kernels, place };
    let (start, tasks) = (Instant::now(), tasks(&selection, arguments, &context)?);
    let setting = matches!(selection, Selection::Burn(_)).then_some(Setting { backend, dtype });
    let wanted = Wanted { mutants: arguments.mutants, tensors: arguments.dump.is_some(), setting };
    let outcomes = quietly(|| perform(&tasks, &context, wanted, backend.is_cpu()));
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_, _>>()?;

    let heading = summary::Heading { backend, context: &context, seconds: start.elapsed().as_secs_f64() };
    summary::print(&heading, &outcomes, arguments);
    say_what_is_left_out(&selection);
    if let Some(path) = &arguments.json {
        summary::write_json(path, &heading, &outcomes)?;
    }
    if let Some(path) = &arguments.dump {
        dump::write(path, &outcomes, dtype)?;
    }
    match outcomes.iter().filter(|outcome| outcome.failed()).count() {
        0 => Ok(()),
        failed => {
            let all = backproof_spec::counted(outcomes.len(), "check");
            Err(Failure::new(code::CHECK_FAILED, format!("{failed} of {all} failed")).into())
        }
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn say_what_is_left_out(selection: &Selection) {
    let Selection::Ours { left_out, .. } = selection else { return };
    for Architecture { name, .. } in left_out {
        println!("left out: {name}, for its size; `cargo xtask compare-gradients --model {name}` checks it");
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

fn tasks(selection: &Selection, arguments: &CompareGradients, context: &Context) -> anyhow::Result<Vec<Task>> {
    let cases = |subject: &'static Subject, shapes: bool| {
        places(arguments)
            .into_iter()
            .filter(move |place| shapes || !place.point.changes_shapes())
            .map(move |place| Task::Case(subject, place))
    };
    let mut tasks = Vec::new();
    match selection {
        Selection::Ours { layers, networks, .. } => {
            for name in layers {
                let subject = layers::SUBJECTS.iter().find(|subject| subject.name == *name);
                tasks.extend(cases(subject.expect("every layer has cases, which a test says"), false));
            }
            let mut loaded: Vec<((Shape, usize, usize), RealImages)> = Vec::new();
            for architecture in networks {
                let wanted = (architecture.input, architecture.classes()?, networks::images(architecture)?);
                if loaded.iter().all(|(known, _)| *known != wanted) {
                    let data_dir = arguments.places.data_dir.as_deref();
                    let images = images::of_shape(wanted, data_dir, &context.reference).map_err(data_failure)?;
                    loaded.push((wanted, images));
                }
                let (_, images) = loaded.iter().find(|(known, _)| *known == wanted).expect("it was loaded");
                tasks.extend(network_tasks(architecture, Loss::default(), images, context));
            }
        }
        Selection::Experiment(experiment) => {
            let images = images_of(experiment, arguments.places.data_dir.as_deref(), context)?;
            tasks.extend(network_tasks(&experiment.model, experiment.training.loss, &images, context));
        }
        Selection::Burn(name) => {
            let of_name = |subject: &&Subject| name.as_ref().is_none_or(|name| name == subject.name);
            tasks.extend(burn::subjects().filter(of_name).flat_map(|subject| cases(subject, true)));
            if let (Some(name), true) = (name, tasks.is_empty()) {
                let names: Vec<&str> = burn::subjects().map(|subject| subject.name).collect();
                let failure = Failure::usage(format!("the suite has no operation `{name}`"));
                return Err(failure.nearest(name, &names, format!("it has {}", names.join(", "))).into());
            }
        }
    }
    Ok(tasks)
}

/// General cases, and some at every hard point; or those that the arguments name.
fn places(arguments: &CompareGradients) -> Vec<Place> {
    let at = |point: Point, numbers: std::ops::Range<u64>| numbers.map(move |number| Place::new(point, number));
    let points = match (&arguments.point[..], arguments.case) {
        ([], Some(_)) => vec![Point::General],
        // Other frameworks are given general points unless others are named.
        ([], None) if arguments.dump.is_some() => vec![Point::General],
        ([], None) => [Point::hard(), &[Point::General]].concat(),
        (points, _) => points.to_vec(),
    };
    let numbers = |point: Point| match (arguments.case, point) {
        (Some(number), _) => number..number + 1,
        (None, Point::General) => 0..arguments.cases,
        // Other shapes at every point, although there are few cases.
        (None, point) => (point as u64)..point as u64 + arguments.hard_cases,
    };
    points.into_iter().flat_map(|point| at(point, numbers(point))).collect()
}

fn images_of(experiment: &Experiment, data_dir: Option<&Path>, context: &Context) -> anyhow::Result<RealImages> {
    let prepared = backproof_data::prepare(&experiment.data, data_dir, experiment.seed).map_err(data_failure)?;
    let (classes, count) = (experiment.model.classes()?, networks::images(&experiment.model)?);
    Ok(images::of_prepared(&prepared, classes, count, &experiment.data.dataset, &context.reference))
}

fn network_tasks(architecture: &Architecture, loss: Loss, images: &RealImages, context: &Context) -> Vec<Task> {
    let images = images::without_ties(images.clone(), context.seed);
    let modes = networks::modes(architecture, context.seed).into_iter();
    modes
        .map(|(words, mode)| Task::Network(Box::new(architecture.clone()), loss, images.clone(), words, mode))
        .collect()
}

/// The outcome of each task, in their order. On a CPU every core takes the next one: most cases are too small for more
/// than one.
fn perform(tasks: &[Task], context: &Context, wanted: Wanted, parallel: bool) -> Vec<anyhow::Result<Outcome>> {
    let threads = if parallel { std::thread::available_parallelism().map_or(1, usize::from) } else { 1 };
    // Networks take longest, and come first, so that no core is left with one at the end.
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&index| matches!(tasks[index], Task::Case(..)));
    let (next, bar) = (AtomicUsize::new(0), bar(tasks.len()));
    let outcomes: Mutex<Vec<Option<anyhow::Result<Outcome>>>> = Mutex::new((0..tasks.len()).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(tasks.len()) {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = perform_one(&tasks[index], context, wanted);
                    outcomes.lock().expect("no panic while it is held")[index] = Some(outcome);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    outcomes.into_inner().expect("no thread panics").into_iter().flatten().collect()
}

fn perform_one(task: &Task, context: &Context, wanted: Wanted) -> anyhow::Result<Outcome> {
    match task {
        Task::Case(subject, place) => {
            let make = |place: Place| {
                let case = subject.case_at(context, place);
                (case.about, case.check.problem(), case.check.own_options().clone())
            };
            let attempts = place.attempts().into_iter().map(|place| move || make(place));
            Ok(Outcome::of(subject.name, Some(*place), wanted, attempts))
        }
        Task::Network(architecture, loss, images, words, mode) => {
            let count = images.labels.len();
            let problem = networks::problem(architecture, *loss, images, *mode, context)
                .context("the network cannot be built")?;
            let options = networks::options(architecture, count, context.seed)?;
            let about = format!("{}, {words}", images.about);
            // In single precision, a thousandth may be less than the round-off of a deep network.
            let mutants = wanted.mutants && context.dtype == DType::F64;
            Ok(Outcome::of(&architecture.name, None, Wanted { mutants, ..wanted }, [|| (about, problem, options)]))
        }
    }
}

/// On a terminal, how far it is.
fn bar(tasks: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} checks  {eta} left")
        .expect("the template is constant")
        .progress_chars("━╸─");
    // Indicatif draws nothing where stderr is no terminal.
    ProgressBar::new(tasks as u64).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_of_the_command_line_has_cases() {
        let names: Vec<&str> = layers::SUBJECTS.iter().map(|subject| subject.name).collect();
        assert_eq!(names, backproof::comparison::LAYERS);
    }
}
