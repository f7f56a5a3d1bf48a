//! What came of one check.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use backproof_gradcheck::{Mutants, Options, Problem, Report, Value};
use serde::Serialize;

/// One check: of a layer or an operation at one point, or of a network.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    /// The layer, network or operation.
    pub(crate) subject: String,
    /// The number of the case; none for a network.
    pub(crate) case: Option<u64>,
    /// Shapes and options.
    pub(crate) about: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// What was found; none if the code under test panicked.
    pub(crate) report: Option<Report>,
    /// What it panicked with.
    pub(crate) panic: Option<String>,
    /// The negative control, if it was asked for.
    pub(crate) mutants: Option<Mutants>,
    /// Named tensors for other frameworks, if they were asked for.
    #[serde(skip)]
    pub(crate) tensors: Vec<(String, Value)>,
}

/// What is wanted beside the report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) mutants: bool,
    pub(crate) tensors: bool,
}

impl Outcome {
    /// The backend does not have the operation, and says so: nothing is wrong, and nothing is proven.
    pub(crate) fn unsupported(&self) -> bool {
        let says =
            |panic: &String| ["not supported", "unsupported", "not implemented"].iter().any(|no| panic.contains(no));
        self.panic.as_ref().is_some_and(says)
    }

    /// Something is wrong, or could not be proven.
    pub(crate) fn failed(&self) -> bool {
        !self.proven() && !self.unsupported()
    }

    /// Every gradient is proven, and every mutant was found out.
    pub(crate) fn proven(&self) -> bool {
        let killed = self.mutants.as_ref().is_none_or(|mutants| mutants.survivors().next().is_none());
        killed && self.report.as_ref().is_some_and(|report| report.proven)
    }

    /// Runs a check that `make` builds. Code under test that panics is an outcome too.
    pub(crate) fn of(
        subject: &str,
        case: Option<u64>,
        wanted: Wanted,
        make: impl FnOnce() -> (String, Problem<'static>, Options),
    ) -> Self {
        let start = Instant::now();
        let mut outcome = Self {
            subject: subject.to_owned(),
            case,
            about: String::new(),
            seconds: 0.0,
            report: None,
            panic: None,
            mutants: None,
            tensors: Vec::new(),
        };
        let about = &mut outcome.about;
        let examined = catch_unwind(AssertUnwindSafe(|| {
            let (words, problem, options) = make();
            *about = words;
            let examination = problem.examine(&options);
            let mutants = wanted.mutants.then(|| examination.mutants());
            let tensors = if wanted.tensors { tensors(&problem, &examination) } else { Vec::new() };
            (examination.report().clone(), mutants, tensors)
        }));
        match examined {
            Ok((report, mutants, tensors)) => {
                outcome.report = Some(report);
                outcome.mutants = mutants;
                outcome.tensors = tensors;
            }
            Err(payload) => outcome.panic = Some(LAST_PANIC.take().unwrap_or_else(|| message(&*payload))),
        }
        outcome.seconds = start.elapsed().as_secs_f64();
        outcome
    }
}

thread_local! {
    /// Where this thread panicked last, and with what.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics off the terminal while `run` runs: they are outcomes.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        LAST_PANIC.set(Some(format!("{message}{place}")));
    }));
    let result = run();
    std::panic::set_hook(hook);
    result
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

/// Everything that somebody needs to compute the same gradients: the tensors, the cotangent, and what each source found under it.
fn tensors(problem: &Problem<'_>, examination: &backproof_gradcheck::Examination<'_, '_>) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    for (tensor, value) in problem.tensors.iter().zip(problem.values()) {
        all.push((tensor.name.clone(), value));
    }
    if let Some((_, cotangent)) = examination.cotangents().next() {
        all.push(("cotangent".to_owned(), cotangent.clone()));
    }
    for source in &problem.sources {
        for tensor in &problem.tensors {
            if let Some(gradient) = examination.gradient(&source.name, &tensor.name, 0) {
                all.push((format!("gradient.{}.{}", source.name, tensor.name), gradient.clone()));
            }
        }
    }
    all
}
