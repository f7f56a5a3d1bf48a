//! The checks that are to be made, and their outcomes.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use backproof_data::Prepared;
use backproof_models::PassMode;
use backproof_spec::{Architecture, Experiment, Loss, Shape, ShapeError};
use backproof_train::TrainingLoss;
use burn::tensor::DType;

use crate::case_id::CaseId;
use crate::images::{self, RealImages};
use crate::outcome::{CheckOutcome, Wanted, quietly};
use crate::subject::{Context, Subject};
use crate::{burn as operations, layers, networks};

/// One check to make.
pub struct Task(What);

enum What {
    Case(&'static Subject, CaseId),
    Network {
        architecture: Box<Architecture>,
        loss: TrainingLoss,
        images: RealImages,
        words: &'static str,
        mode: PassMode,
    },
}

impl Task {
    /// A layer of [`LAYERS`](crate::LAYERS) at these points; points that change shapes are left out, because a layer
    /// was made for its shapes.
    ///
    /// # Panics
    ///
    /// If the suite has no layer of this name.
    pub fn of_layer(name: &str, cases: &[CaseId]) -> Vec<Self> {
        let subject = layers::SUBJECTS.iter().find(|subject| subject.name == name).expect("a layer of the suite");
        let fits = cases.iter().filter(|case| !case.point.changes_shapes());
        fits.map(|case| Self(What::Case(subject, *case))).collect()
    }

    /// The operation of Burn of this name, or all of them, at these points; empty if there is none of this name.
    pub fn of_burn(name: Option<&str>, cases: &[CaseId]) -> Vec<Self> {
        let subjects = operations::subjects().filter(|subject| name.is_none_or(|name| name == subject.name));
        subjects.flat_map(|subject| cases.iter().map(move |case| Self(What::Case(subject, *case)))).collect()
    }

    /// Networks with the loss that training takes by default, on images of their shape that lie on this machine.
    ///
    /// # Errors
    ///
    /// [`TaskError`].
    pub fn of_networks(
        networks: &[Architecture],
        data_dir: Option<&Path>,
        context: &Context,
    ) -> Result<Vec<Self>, TaskError> {
        let mut loaded: Vec<((Shape, usize, usize), RealImages)> = Vec::new();
        let mut tasks = Vec::new();
        for architecture in networks {
            let wanted = (architecture.input, architecture.classes()?, networks::images(architecture)?);
            if loaded.iter().all(|(known, _)| *known != wanted) {
                loaded.push((wanted, images::of_shape(wanted, data_dir, &context.reference)?));
            }
            let (_, images) = loaded.iter().find(|(known, _)| *known == wanted).expect("it was loaded");
            tasks.extend(Self::of_network(architecture, Loss::default().into(), images, context));
        }
        Ok(tasks)
    }

    /// The network of an experiment, with its loss, on its images.
    ///
    /// # Errors
    ///
    /// A network whose shapes do not fit.
    pub fn of_experiment(
        experiment: &Experiment,
        prepared: &Prepared,
        context: &Context,
    ) -> Result<Vec<Self>, ShapeError> {
        let (classes, count) = (experiment.model.classes()?, networks::images(&experiment.model)?);
        let images = images::of_prepared(prepared, classes, count, experiment.data.images.name(), &context.reference);
        let loss = TrainingLoss::new(&experiment.training, classes, &prepared.training);
        Ok(Self::of_network(&experiment.model, loss, &images, context))
    }

    /// A check for each mode of the network.
    fn of_network(
        architecture: &Architecture,
        loss: TrainingLoss,
        images: &RealImages,
        context: &Context,
    ) -> Vec<Self> {
        let images = images::without_ties(images.clone(), context.seed);
        let modes = networks::modes(architecture, context.seed).into_iter();
        modes
            .map(|(words, mode)| {
                let (architecture, images, loss) = (Box::new(architecture.clone()), images.clone(), loss.clone());
                Self(What::Network { architecture, loss, images, words, mode })
            })
            .collect()
    }

    /// About how long it takes, of a case of a layer: a network takes seconds, and a case some milliseconds.
    pub fn cost(&self) -> u64 {
        match self.0 {
            What::Case(..) => 1,
            What::Network { .. } => 400,
        }
    }

    fn perform(&self, context: &Context, wanted: Wanted) -> Result<CheckOutcome, ShapeError> {
        match &self.0 {
            What::Case(subject, case) => {
                let make = |case: CaseId| {
                    let case = subject.case_at(context, case);
                    (case.about, case.check.problem(), case.check.own_options().clone())
                };
                let attempts = case.attempts().into_iter().map(|case| move || make(case));
                Ok(CheckOutcome::of(subject.name, Some(*case), wanted, attempts))
            }
            What::Network { architecture, loss, images, words, mode } => {
                let count = images.labels.len();
                let problem = networks::problem(architecture, loss, images, *mode, context)?;
                let options = networks::options(architecture, count, context.seed)?;
                let about = format!("{}, {words}", images.about);
                // In single precision, a thousandth may be less than the round-off of a deep network.
                let mutants = wanted.mutants && context.dtype == DType::F64;
                Ok(CheckOutcome::of(
                    &architecture.name,
                    None,
                    Wanted { mutants, ..wanted },
                    [|| (about, problem, options)],
                ))
            }
        }
    }
}

/// Why a network cannot be checked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum TaskError {
    /// Its shapes do not fit.
    Shape(#[from] ShapeError),
    /// A data set that is there cannot be read.
    Data(#[from] backproof_data::DataError),
}

/// The names of Burn's operations that the suite has.
pub fn burn_operations() -> impl Iterator<Item = &'static str> {
    operations::subjects().map(|subject| subject.name)
}

/// The outcome of each task, in their order. `threads` take the next one in turn: most cases are too small for more than
/// one. `go_on` is called with each task that is done; where it says no, no other task is begun, and outcomes are fewer than tasks.
///
/// # Errors
///
/// A network whose shapes do not fit.
pub fn perform(
    tasks: &[Task],
    context: &Context,
    wanted: Wanted,
    threads: usize,
    go_on: &(dyn Fn(&Task) -> bool + Sync),
) -> Result<Vec<CheckOutcome>, ShapeError> {
    // Networks take longest, and come first, so that no core is left with one at the end.
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&index| matches!(tasks[index].0, What::Case(..)));
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let outcomes: Mutex<Vec<Option<Result<CheckOutcome, ShapeError>>>> =
        Mutex::new((0..tasks.len()).map(|_| None).collect());
    quietly(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads.min(tasks.len()) {
                scope.spawn(|| {
                    while !stopped.load(Ordering::Relaxed)
                        && let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let outcome = tasks[index].perform(context, wanted);
                        outcomes.lock().expect("no panic while it is held")[index] = Some(outcome);
                        if !go_on(&tasks[index]) {
                            stopped.store(true, Ordering::Relaxed);
                        }
                    }
                });
            }
        })
    });
    outcomes.into_inner().expect("no thread panics").into_iter().flatten().collect()
}
