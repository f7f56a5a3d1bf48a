//! Right backward passes at generated points: none is called wrong.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Options, Report, Value, Verdict};

use crate::draw::Draw;
use crate::functions::{Function, all};
use crate::points::{KINDS, Setting, Size};
use crate::told::tell;

/// What became of the rows of one function: the number of each verdict.
#[derive(Default)]
pub(crate) struct Tally {
    /// By function and verdict.
    pub(crate) rows: BTreeMap<&'static str, BTreeMap<Verdict, usize>>,
    /// Points at which the function or its gradient is not finite in this precision, or has lost its digits.
    pub(crate) left_out: BTreeMap<&'static str, usize>,
    /// Where a right backward is called wrong, and how often by function.
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) alarmed: BTreeMap<&'static str, usize>,
    /// The smallest of those that are not resolved, by function.
    pub(crate) unresolved: BTreeMap<&'static str, Alarm>,
}

/// A case to look at, with its report.
#[derive(Clone)]
pub(crate) struct Alarm {
    pub(crate) function: &'static str,
    pub(crate) seed: u64,
    /// In all tensors.
    pub(crate) elements: usize,
    pub(crate) report: String,
}

/// So many alarms of one function are kept.
const KEPT: usize = 1000;

/// The case of a function with this number. One in 400 is large.
pub(crate) fn setting(seed: u64) -> Setting {
    let mut setting = Setting::of(seed);
    if setting.draw.once_in(400) {
        (setting.size, setting.kind) = (Size::Many, setting.draw.of(&KINDS));
    }
    setting
}

/// The report of a right backward; `None` where the point is left out.
pub(crate) fn examined(function: &Function, seed: u64) -> Option<Report> {
    let mut setting = setting(seed);
    let tensors = (function.tensors)(&mut setting);
    let mut problem = function.problem(setting.single, tensors, setting.draw.once_in(3));
    let values = problem.values();
    if !is_right(function, setting.single, &values, &mut setting.draw) {
        return None;
    }
    if std::env::var_os("BACKPROOF_REPLAY").is_some() {
        problem.tensors.iter().for_each(|tensor| println!("{} = {}", tensor.name, tensor.value));
    }
    problem.sources = vec![function.source(setting.single, setting.draw.once_in(2))];
    Some(problem.examine(&Options { seed, ..Options::default() }).report().clone())
}

/// The right backward is finite here, and within a thousandth of the largest of the gradient in f64: it is what the
/// precision can give. Sums whose terms cancel to nothing are no test of the checker.
fn is_right(function: &Function, single: bool, values: &[Value], draw: &mut Draw) -> bool {
    let output = function.forward(single, values);
    if !finite(&output) || !finite(&function.forward(false, values)) {
        return false;
    }
    let cotangent = Value::new(output.dims(), (0..output.len()).map(|_| draw.normal()).collect());
    let (found, exact) = (function.backward(single, values, &cotangent), function.backward(false, values, &cotangent));
    found.iter().zip(&exact).all(|pair| match pair {
        (Some(found), Some(exact)) => {
            let most = exact.data().iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-3 * most + if single { 1e-36 } else { 0.0 };
            finite(found) && finite(exact) && found.data().iter().zip(exact.data()).all(near)
        }
        _ => true,
    })
}

fn finite(value: &Value) -> bool {
    value.data().iter().all(|x| x.is_finite())
}

impl Tally {
    pub(crate) fn checks(&self) -> usize {
        self.rows.values().flat_map(BTreeMap::values).sum()
    }

    pub(crate) fn of(&self, verdict: Verdict) -> usize {
        self.rows.values().filter_map(|verdicts| verdicts.get(&verdict)).sum()
    }

    fn add(&mut self, function: &'static str, seed: u64, outcome: Result<Option<Report>, String>) {
        if let Some(outcome) = outcome.as_ref().map(Option::as_ref).map_err(String::as_str).transpose() {
            tell(&format!("right {function} {seed}"), outcome);
        }
        let mut alarm = Alarm { function, seed, elements: 0, report: String::new() };
        match outcome {
            Ok(None) => *self.left_out.entry(function).or_default() += 1,
            Err(panic) => self.alarm(Alarm { report: format!("the prover panicked: {panic}"), ..alarm }),
            Ok(Some(report)) => {
                let verdicts = self.rows.entry(function).or_default();
                report.rows.iter().for_each(|row| *verdicts.entry(row.verdict).or_default() += 1);
                let unresolved = report.rows.iter().any(|row| row.verdict == Verdict::Unresolved);
                alarm.elements = report.rows.iter().map(|row| row.total).sum();
                if report.faults() > 0 {
                    self.alarm(Alarm { report: report.to_string(), ..alarm });
                } else if unresolved
                    && self.unresolved.get(function).is_none_or(|least| alarm.elements < least.elements)
                {
                    self.unresolved.insert(function, Alarm { report: report.to_string(), ..alarm });
                }
            }
        }
    }

    fn alarm(&mut self, alarm: Alarm) {
        let count = self.alarmed.entry(alarm.function).or_default();
        *count += 1;
        if *count <= KEPT {
            self.alarms.push(alarm);
        }
    }

    fn join(mut self, other: Self) -> Self {
        for (function, verdicts) in other.rows {
            let sums = self.rows.entry(function).or_default();
            verdicts.into_iter().for_each(|(verdict, count)| *sums.entry(verdict).or_default() += count);
        }
        other.left_out.into_iter().for_each(|(function, count)| *self.left_out.entry(function).or_default() += count);
        other.alarmed.into_iter().for_each(|(function, count)| *self.alarmed.entry(function).or_default() += count);
        self.alarms.extend(other.alarms);
        for (function, alarm) in other.unresolved {
            if self.unresolved.get(function).is_none_or(|least| alarm.elements < least.elements) {
                self.unresolved.insert(function, alarm);
            }
        }
        self
    }

    /// A line for each function.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![format!(
            "{:22} {:>9} {:>9} {:>7} {:>10} {:>12} {:>7} {:>9}",
            "function", "checks", "PASS", "KINK", "UNRESOLVED", "UNOBSERVABLE", "faults", "left out"
        )];
        let sums = self.rows.values().fold(BTreeMap::new(), |mut sums: BTreeMap<Verdict, usize>, verdicts| {
            verdicts.iter().for_each(|(&verdict, count)| *sums.entry(verdict).or_default() += count);
            sums
        });
        let all = [("all", &sums, self.left_out.values().sum())];
        let of_function = |(&name, verdicts)| (name, verdicts, self.left_out.get(name).copied().unwrap_or(0));
        for (name, verdicts, left_out) in self.rows.iter().map(of_function).chain(all) {
            let of = |verdict: Verdict| verdicts.get(&verdict).copied().unwrap_or(0);
            let faults: usize = verdicts.iter().filter(|(verdict, _)| verdict.is_fault()).map(|(_, count)| count).sum();
            lines.push(format!(
                "{name:22} {:>9} {:>9} {:>7} {:>10} {:>12} {faults:>7} {left_out:>9}",
                verdicts.values().sum::<usize>(),
                of(Verdict::Pass),
                of(Verdict::Kink),
                of(Verdict::Unresolved),
                of(Verdict::Unobservable),
            ));
        }
        lines.join("\n")
    }
}

/// Checks right backward passes from this seed on until there are so many rows, on all cores.
pub(crate) fn run(from: u64, checks: usize) -> Tally {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let start = |worker: usize| {
            scope.spawn(move || {
                let (functions, mut tally) = (all(), Tally::default());
                let mut number = worker as u64;
                while tally.checks() < checks.div_ceil(workers) {
                    let function = &functions[number as usize % functions.len()];
                    let seed = from + number;
                    tally.add(function.name, seed, caught(|| examined(function, seed)));
                    number += workers as u64;
                }
                tally
            })
        };
        let running: Vec<_> = (0..workers).map(start).collect();
        let done = running.into_iter().map(|worker| worker.join().expect("a worker catches what panics"));
        done.fold(Tally::default(), Tally::join)
    })
}

/// What it returns, or the message of its panic.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    })
}
