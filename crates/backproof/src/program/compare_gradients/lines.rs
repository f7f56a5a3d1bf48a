//! What was found of each layer, network or operation, and of all of them.

use std::collections::BTreeSet;

use backproof::backend::Backend;
use backproof_gradcheck::{Mutant, Verdict};
use backproof_spec::{are, counted, plural, thousands};
use backproof_suite::{CheckOutcome, CheckStatus, Context};
use serde::Serialize;

/// The verdict on an operation that the backend does not have.
const NOT_SUPPORTED: &str = "NOT SUPPORTED";

/// The verdict on an operation that is wrong in no other way than the list says.
const KNOWN_FAULT: &str = "KNOWN FAULT";

/// What holds for all checks.
pub(crate) struct Heading<'c> {
    pub(crate) backend: Backend,
    pub(crate) context: &'c Context,
    pub(crate) seconds: f64,
    /// Some checks were not made.
    pub(crate) interrupted: bool,
}

/// Everything that was found of one layer, network or operation.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Line {
    pub(super) subject: String,
    /// Shapes and options of the only check, or nothing.
    pub(super) about: String,
    pub(super) checks: usize,
    pub(super) proven: bool,
    /// The worst verdict.
    pub(super) verdict: String,
    pub(super) gradients_proven: usize,
    pub(super) gradients: usize,
    pub(super) elements_checked: usize,
    pub(super) elements: usize,
    pub(super) kinks: usize,
    /// The largest error of a checked element over its tolerance.
    pub(super) worst: f64,
    pub(super) mutants_killed: usize,
    pub(super) mutants: usize,
    /// Core seconds.
    pub(super) seconds: f64,
}

impl Line {
    fn of(outcomes: &[&CheckOutcome]) -> Self {
        let mut line = Self { subject: outcomes[0].subject.clone(), checks: outcomes.len(), ..Self::default() };
        if outcomes[0].case.is_none() {
            line.about.clone_from(&outcomes[0].about);
        }
        line.proven = outcomes.iter().all(|outcome| outcome.proven());
        let unsupported = outcomes.iter().all(|outcome| outcome.unsupported());
        let mut worst = Verdict::Pass;
        for outcome in outcomes {
            line.seconds += outcome.seconds;
            if let Some(mutants) = &outcome.mutants {
                line.mutants += mutants.tried.len();
                line.mutants_killed += mutants.killed();
            }
            let Some(report) = &outcome.report else { continue };
            for row in &report.rows {
                line.gradients += 1;
                line.gradients_proven += usize::from(row.verdict.proven());
                line.elements_checked += row.checked;
                line.elements += row.total;
                line.kinks += row.kinks;
                if let Some(element) = &row.worst {
                    line.worst = line.worst.max(element.over_tolerance());
                }
            }
            let verdicts = report.rows.iter().map(|row| row.verdict);
            let forwards = report.forwards.iter().map(|forward| forward.verdict);
            worst = verdicts.chain(forwards).fold(worst, Verdict::max);
        }
        let panicked = outcomes.iter().any(|outcome| outcome.panic.is_some());
        let unproven = || outcomes.iter().filter(|outcome| !outcome.proven());
        line.verdict = match worst {
            _ if unsupported => NOT_SUPPORTED.to_owned(),
            _ if !line.proven && unproven().all(|outcome| outcome.status == CheckStatus::Known) => {
                KNOWN_FAULT.to_owned()
            }
            _ if panicked => "PANICKED".to_owned(),
            // A kink that was accepted is a pass; how many there were has a column.
            verdict if verdict.proven() => Verdict::Pass.to_string(),
            verdict => verdict.to_string(),
        };
        line
    }
}

/// One line for each layer or operation at general points, and for each mode of a network.
pub(super) fn lines(outcomes: &[CheckOutcome]) -> Vec<Line> {
    let mut groups: Vec<Vec<&CheckOutcome>> = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.general()) {
        match groups.last_mut() {
            Some(group) if group[0].subject == outcome.subject && outcome.case.is_some() => group.push(outcome),
            _ => groups.push(vec![outcome]),
        }
    }
    groups.iter().map(|group| Line::of(group)).collect()
}

/// What came of it, in a few lines.
pub(super) fn conclusion(heading: &Heading<'_>, outcomes: &[CheckOutcome]) -> String {
    let lines = lines(outcomes);
    let sum = |of: fn(&Line) -> usize| lines.iter().map(of).sum::<usize>();
    let (proven, gradients) = (sum(|line| line.gradients_proven), sum(|line| line.gradients));
    let checks = sum(|line| line.checks);
    let Heading { backend, context, seconds, interrupted } = heading;
    let verdict = match outcomes {
        _ if outcomes.iter().any(CheckOutcome::failed) => "NOT PROVEN",
        _ if *interrupted => "not all checks were made; of those that were, proven",
        _ if outcomes.iter().any(|outcome| outcome.status == CheckStatus::Known) => "proven but for known faults",
        _ => "proven",
    };
    let mut text = format!(
        "{verdict}: {} of {} {} in {} {}, by {} on {} in {:?} (unit round-off {:.1e}), against differences in F64, in {seconds:.0} s",
        thousands(proven),
        thousands(gradients),
        plural(gradients, "gradient"),
        thousands(checks),
        plural(checks, "check"),
        sources(outcomes).join(", "),
        backend.name(),
        context.dtype,
        context.unit_roundoff,
    );
    let hard: Vec<&CheckOutcome> = outcomes.iter().filter(|outcome| !outcome.general()).collect();
    if !hard.is_empty() {
        let count = |status: CheckStatus| thousands(hard.iter().filter(|outcome| outcome.status == status).count());
        text += &format!(
            "\nat hard points: {} of {} {} proven, {} left out where there is no derivative, {} not decided",
            count(CheckStatus::Proven),
            thousands(hard.len()),
            plural(hard.len(), "check"),
            count(CheckStatus::LeftOut),
            count(CheckStatus::Undecided),
        );
    }
    let unsupported = lines.iter().filter(|line| line.verdict == NOT_SUPPORTED).count();
    if unsupported > 0 {
        text += &format!("\n{} {} not supported there", counted(unsupported, "operation"), are(unsupported));
    }
    let mutants: Vec<&Mutant> =
        outcomes.iter().filter_map(|outcome| outcome.mutants.as_ref()).flat_map(|mutants| &mutants.tried).collect();
    if !mutants.is_empty() {
        let killed = mutants.iter().filter(|mutant| mutant.killed).count();
        text += &format!(
            "\n{} of {} {} killed",
            thousands(killed),
            thousands(mutants.len()),
            plural(mutants.len(), "mutant")
        );
    }
    text
}

/// Who computed gradients, in the order of their names.
fn sources(outcomes: &[CheckOutcome]) -> Vec<&str> {
    let rows = outcomes.iter().filter_map(|outcome| outcome.report.as_ref()).flat_map(|report| &report.rows);
    rows.map(|row| row.source.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}
