//! What came of one check.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use crate::point::Point;
use backproof_gradcheck::{Mutants, Options, Problem, Report, Value};
use serde::Serialize;

use crate::case_id::CaseId;
use crate::domain;
use crate::known::{self, Known, Setting};
use crate::subject::shape;
use crate::symptoms::{self, Kind, Symptom};

/// One check: of a layer or an operation at one point, or of a network.
#[derive(Clone, Serialize)]
pub struct CheckOutcome {
    /// The layer, network or operation.
    pub subject: String,
    /// The number of the case; none for a network.
    pub case: Option<u64>,
    /// The point's name; `general` for a network too.
    pub point: String,
    /// Shapes and options.
    pub about: String,
    /// How long it took.
    pub seconds: f64,
    /// What came of it.
    pub status: CheckStatus,
    /// Why nothing is asked of a gradient at this point.
    pub left_out: Option<String>,
    /// What is wrong.
    pub wrong: Vec<Symptom>,
    /// The entries of the list that explain it, if they explain all of it.
    #[serde(skip)]
    pub known: Vec<&'static Known>,
    /// Some gradient is neither proven nor wrong.
    #[serde(skip)]
    undecided: bool,
    /// What was found; none if the code under test panicked.
    pub report: Option<Report>,
    /// What it panicked with.
    pub panic: Option<String>,
    /// The negative control, if it was asked for.
    pub mutants: Option<Mutants>,
    /// Named tensors for other frameworks, if they were asked for.
    #[serde(skip)]
    pub tensors: Vec<(String, Value)>,
}

/// What came of a check in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Every gradient is proven, and every mutant was found out.
    Proven,
    /// The backend does not have the operation.
    NotSupported,
    /// The function has no value or no derivative at this point.
    LeftOut,
    /// Everything that is wrong is on the list of known faults.
    Known,
    /// Nothing is wrong, but something is not proven.
    Undecided,
    /// Something is wrong that is not on the list.
    New,
}

/// Shapes and options in words, the problem, and how much of it is checked.
pub(crate) type Made = (String, Problem<'static>, Options);

/// What is wanted beside the report.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Whether gradients are falsified on purpose, to see that the check finds it.
    pub mutants: bool,
    /// Whether the tensors are kept, for other frameworks.
    pub tensors: bool,
    /// Where Burn's operations run, whose faults may be known; none for our own layers and networks.
    pub setting: Option<Setting>,
}

impl CheckOutcome {
    /// Whether it is at a general point.
    pub fn general(&self) -> bool {
        self.point == Point::General.name()
    }

    /// The backend does not have the operation, and says so: nothing is wrong, and nothing is proven.
    pub fn unsupported(&self) -> bool {
        self.status == CheckStatus::NotSupported
    }

    /// Something is wrong that is not on the list of known faults, or could not be proven.
    pub fn failed(&self) -> bool {
        // At hard points differences may decide nothing, which is counted.
        self.status == CheckStatus::New || (self.status == CheckStatus::Undecided && self.general())
    }

    /// Every gradient is proven, and every mutant was found out.
    pub fn proven(&self) -> bool {
        self.status == CheckStatus::Proven
    }

    /// Runs the first check of the attempts whose function has a value at its point. Code under test that panics is an
    /// outcome too.
    pub(crate) fn of<M: FnOnce() -> Made>(
        subject: &str,
        id: Option<CaseId>,
        wanted: Wanted,
        attempts: impl IntoIterator<Item = M>,
    ) -> Self {
        let start = Instant::now();
        let point = id.map_or(Point::General, |id| id.point);
        let mut outcome = Self {
            subject: subject.to_owned(),
            case: id.map(|id| id.number),
            point: point.name(),
            about: String::new(),
            seconds: 0.0,
            status: CheckStatus::New,
            left_out: None,
            wrong: Vec::new(),
            known: Vec::new(),
            undecided: false,
            report: None,
            panic: None,
            mutants: None,
            tensors: Vec::new(),
        };
        let examined = catch_unwind(AssertUnwindSafe(|| match point {
            Point::General => attempts.into_iter().for_each(|make| outcome.examine(make(), wanted, point)),
            _ => outcome.examine_hard(attempts, wanted, point),
        }));
        if let Err(payload) = examined {
            outcome.panic = Some(LAST_PANIC.take().unwrap_or_else(|| message(&*payload)));
        }
        outcome.status = outcome.judge(wanted.setting, point);
        outcome.seconds = start.elapsed().as_secs_f64();
        outcome
    }

    fn examine_hard<M: FnOnce() -> Made>(
        &mut self,
        attempts: impl IntoIterator<Item = M>,
        wanted: Wanted,
        point: Point,
    ) {
        let mut reason = None;
        for make in attempts {
            // A case that cannot be made of these tensors is none.
            let why = match catch_unwind(AssertUnwindSafe(make)) {
                Err(_) => "the case cannot be made of these tensors".to_owned(),
                Ok((about, problem, options)) => match domain::outside(&problem) {
                    Some(why) => why,
                    None => {
                        let tensors = problem.tensors.iter();
                        let shapes = tensors.map(|tensor| format!("{} {}", tensor.name, shape(tensor.value.dims())));
                        let shapes = shapes.collect::<Vec<_>>().join(", ");
                        let about = format!("{about}; at `{}`: {shapes}", self.point);
                        return self.examine((about, problem, options), wanted, point);
                    }
                },
            };
            reason.get_or_insert(why);
        }
        self.left_out = reason;
    }

    fn examine(&mut self, (about, problem, options): Made, wanted: Wanted, point: Point) {
        self.about = about;
        let hard = point != Point::General;
        let examination = match catch_unwind(AssertUnwindSafe(|| problem.examine(&options))) {
            Ok(examination) => examination,
            Err(_) if hard && !symptoms::a_source_panics(&problem) => {
                self.left_out = Some("the function is not defined around the point".to_owned());
                return;
            }
            Err(panic) => resume_unwind(panic),
        };
        let findings = symptoms::find(&problem, &examination, point);
        if findings.undefined && findings.wrong.is_empty() {
            self.left_out = Some("the function has no derivative there".to_owned());
        }
        (self.wrong, self.undecided) = (findings.wrong, findings.undecided);
        // What is zero at a hard point stays so when it is falsified.
        self.mutants = (wanted.mutants && point == Point::General).then(|| examination.mutants());
        if wanted.tensors {
            self.tensors = tensors(&problem, &examination);
        }
        self.report = Some(examination.report().clone());
    }

    /// Why a panic says that the point is none for this operation.
    fn unfit(&self, point: Point, panic: &str) -> Option<&'static str> {
        let is_module = self.subject.starts_with(char::is_uppercase);
        let structured = is_module || ["conv", "norm"].iter().any(|part| self.subject.contains(part));
        if point.changes_shapes() && structured {
            // A weight whose channels its groups do not divide, or offsets for fewer images than there are: only the
            // backward notices.
            return Some("the tensors' shapes do not fit each other");
        }
        // `Module::train` makes tensors that are no parameters, such as a table of sines, without checkpointing.
        panic.contains("checkpointing strategy mismatch").then_some("the module has tensors without checkpointing")
    }

    fn judge(&mut self, setting: Option<Setting>, point: Point) -> CheckStatus {
        if let Some(panic) = &self.panic {
            let (source, note) = ("autodiff".to_owned(), panic.clone());
            self.wrong.push(Symptom { source, tensor: None, kind: Kind::Panics, note });
        }
        let panics: Vec<&str> = self
            .wrong
            .iter()
            .filter(|symptom| symptom.kind == Kind::Panics)
            .map(|symptom| symptom.note.as_str())
            .collect();
        let says =
            |panic: &&str| ["not supported", "unsupported", "not implemented"].iter().any(|no| panic.contains(no));
        if panics.iter().any(says) {
            return CheckStatus::NotSupported;
        }
        if let Some(why) = panics.iter().find_map(|panic| self.unfit(point, panic)) {
            self.left_out = Some(why.to_owned());
            return CheckStatus::LeftOut;
        }
        let killed = self.mutants.as_ref().is_none_or(|mutants| mutants.survivors().next().is_none());
        let find = |symptom: &Symptom| setting.and_then(|at| known::find(&self.subject, at, point, symptom));
        let known: Vec<_> = self.wrong.iter().map_while(find).collect();
        match &self.wrong[..] {
            _ if !killed => CheckStatus::New,
            [] if self.left_out.is_some() => CheckStatus::LeftOut,
            [] if self.undecided || self.report.is_none() => CheckStatus::Undecided,
            [] => CheckStatus::Proven,
            wrong if wrong.len() == known.len() => {
                self.known = known;
                CheckStatus::Known
            }
            _ => CheckStatus::New,
        }
    }
}

thread_local! {
    /// Where this thread panicked last, and with what.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics off the terminal while `run` runs: they are outcomes.
pub fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(|location| format!(" ({location})")).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        LAST_PANIC.set(Some(format!("{message}{location}")));
    }));
    let result = run();
    std::panic::set_hook(hook);
    result
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

/// Everything that somebody needs to compute the same gradients: the tensors, the cotangent, and what each source found
/// under it.
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
