//! Every adversary on every function for which it makes sense.

use std::collections::BTreeMap;
use std::rc::Rc;

use backproof_gradcheck::{GradientSource, Options, Report, Verdict, unit_roundoff};

use crate::adversaries::{Adversary, Memory, all};
use crate::changed::is_wrong;
use crate::draw::Draw;
use crate::functions::{self, Function, dtype};
use crate::points::{KINDS, Kind, Setting, Size};
use crate::right::caught;
use crate::told::tell;

/// What became of one adversary, or of a family.
#[derive(Default, Clone)]
pub(crate) struct Tally {
    pub(crate) tried: usize,
    pub(crate) faults: usize,
    pub(crate) unresolved: usize,
    /// The functions on which it was tried.
    pub(crate) functions: BTreeMap<&'static str, usize>,
    /// The case, the number of elements and the report of each that was accepted, or of a panic.
    pub(crate) accepted: Vec<(Case, usize, String)>,
}

/// An adversary, a function and a point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) adversary: usize,
    pub(crate) function: usize,
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    pub(crate) single: bool,
    pub(crate) seed: u64,
}

impl Case {
    /// As [`numbers`](Self::numbers) tells it.
    pub(crate) fn of(numbers: &[u64]) -> Self {
        let [adversary, function, kind, size, single, seed] = numbers else { panic!("six numbers") };
        Self {
            adversary: *adversary as usize,
            function: *function as usize,
            kind: KINDS[*kind as usize],
            size: [Size::One, Size::Few, Size::Many][*size as usize],
            single: *single == 1,
            seed: *seed,
        }
    }

    /// What it is replayed by.
    pub(crate) fn numbers(&self) -> String {
        let kind = KINDS.iter().position(|&kind| kind == self.kind).expect("all are listed");
        let Self { adversary, function, size, single, seed, .. } = *self;
        format!("{adversary} {function} {kind} {} {} {seed}", size as usize, usize::from(single))
    }

    /// The report of the adversary at this point; `None` if it changes nothing there.
    pub(crate) fn examined(&self, adversary: &Rc<Adversary>, function: &Function) -> Option<Report> {
        let Case { kind, size, single, seed, .. } = *self;
        let mut setting = Setting { kind, size, single, draw: Draw::new(seed) };
        let tensors = (function.tensors)(&mut setting);
        let mut problem = function.problem(single, tensors, setting.draw.once_in(3));
        let values = problem.values();
        if std::env::var_os("BACKPROOF_REPLAY_ADVERSARY").is_some() {
            problem.tensors.iter().for_each(|tensor| println!("{} = {}", tensor.name, tensor.value));
        }
        let output = function.forward(false, &values);
        let finite = output.data().iter().all(|y| y.is_finite());
        if !finite || !is_wrong(adversary, function, single, &values, &mut setting.draw) {
            return None;
        }
        let (function, adversary, memory) = (*function, adversary.clone(), Memory::default());
        adversary.call(&function, single, &crate::changed::elsewhere(&values), &output, &memory);
        problem.sources =
            vec![GradientSource::new("adversary", unit_roundoff(dtype(single)), move |values, cotangent| {
                adversary.call(&function, single, values, cotangent, &memory)
            })];
        Some(problem.examine(&Options { seed, ..Options::default() }).report().clone())
    }
}

/// Tries every adversary on every function at about so many points, on all cores, or one in `every` pair of them. The
/// result is by adversary.
pub(crate) fn run(points: usize, every: u64) -> Vec<Tally> {
    let (adversaries, functions) = (all().len(), functions::all().len());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let start = |worker: usize| {
            scope.spawn(move || {
                let (adversaries, functions): (Vec<_>, _) =
                    (all().into_iter().map(Rc::new).collect(), functions::all());
                let mut tallies = vec![Tally::default(); adversaries.len()];
                for pair in (worker..adversaries.len() * functions.len()).step_by(workers) {
                    // Of one in so many pairs, those whose numbers are mixed up well.
                    if !(pair as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32).is_multiple_of(every) {
                        continue;
                    }
                    let (adversary, function) = (pair / functions.len(), pair % functions.len());
                    try_pair(
                        &adversaries[adversary],
                        adversary,
                        &functions[function],
                        function,
                        points,
                        &mut tallies[adversary],
                    );
                }
                tallies
            })
        };
        let running: Vec<_> = (0..workers).map(start).collect();
        let mut sums = vec![Tally::default(); adversaries];
        for worker in running {
            let tallies = worker.join().expect("a worker catches what panics");
            sums.iter_mut().zip(tallies).for_each(|(sum, tally)| sum.add(tally));
        }
        debug_assert!(functions > 0);
        sums
    })
}

fn try_pair(
    adversary: &Rc<Adversary>,
    number: usize,
    function: &Function,
    of_function: usize,
    points: usize,
    tally: &mut Tally,
) {
    for point in 0..points {
        // Three draws of a point for each, since the fault may not show at the first.
        for attempt in 0..3 {
            let seed = ((number * 64 + of_function) as u64) << 24 | ((point * 3 + attempt) as u64);
            let mut draw = Draw::new(!seed);
            // Of what is wrong in one element of many, an eighth is tried in large tensors.
            let large = if adversary.family == "one element of many" { 8 } else { 150 };
            let size = if draw.once_in(large) {
                Size::Many
            } else if draw.once_in(8) {
                Size::One
            } else {
                Size::Few
            };
            let kind = KINDS[(point + of_function + number) % KINDS.len()];
            let case = Case { adversary: number, function: of_function, kind, size, single: draw.once_in(2), seed };
            let outcome = caught(|| case.examined(adversary, function));
            if let Some(outcome) = outcome.as_ref().map(Option::as_ref).map_err(String::as_str).transpose() {
                tell(&format!("wrong {}", case.numbers()), outcome);
            }
            match outcome {
                Ok(None) => continue,
                Ok(Some(report)) => tally.count(case, function.name, &report),
                Err(panic) => tally.accepted.push((case, 0, format!("the prover panicked: {panic}"))),
            }
            break;
        }
    }
}

impl Tally {
    fn count(&mut self, case: Case, function: &'static str, report: &Report) {
        self.tried += 1;
        *self.functions.entry(function).or_default() += 1;
        let worst = report.rows.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Pass);
        if report.proven {
            let elements = report.rows.iter().map(|row| row.total).sum();
            self.accepted.push((case, elements, report.to_string()));
        } else if worst.is_fault() {
            self.faults += 1;
        } else {
            self.unresolved += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.faults += other.faults;
        self.unresolved += other.unresolved;
        other.functions.into_iter().for_each(|(name, count)| *self.functions.entry(name).or_default() += count);
        self.accepted.extend(other.accepted);
    }
}
