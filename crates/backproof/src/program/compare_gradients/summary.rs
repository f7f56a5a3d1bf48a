//! What a person reads of a comparison, and what a program does.

use std::collections::BTreeSet;
use std::path::Path;

use backproof::backend::Backend;
use backproof::cli::{CompareGradients, Precision, Suite};
use backproof_gradcheck::{Mutant, Verdict};
use backproof_spec::{are, counted, plural, thousands};
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::hard_summary;
use super::outcome::{Outcome, Status};
use super::subject::Context;

/// How many failures are shown in full; of the others, the command that does.
const IN_FULL: usize = 3;

/// The verdict on an operation that the backend does not have.
const NOT_SUPPORTED: &str = "NOT SUPPORTED";

/// The verdict on an operation that is wrong in no other way than the list says.
const KNOWN_FAULT: &str = "KNOWN FAULT";

/// What holds for all checks.
pub(crate) struct Heading<'c> {
    pub(crate) backend: Backend,
    pub(crate) context: &'c Context,
    pub(crate) seconds: f64,
}

/// Everything that was found of one layer, network or operation.
#[derive(Debug, Clone, Default, Serialize)]
struct Line {
    subject: String,
    /// Shapes and options of the only check, or nothing.
    about: String,
    checks: usize,
    proven: bool,
    /// The worst verdict.
    verdict: String,
    gradients_proven: usize,
    gradients: usize,
    elements_checked: usize,
    elements: usize,
    kinks: usize,
    /// The largest error of a checked element over its tolerance.
    worst: f64,
    mutants_killed: usize,
    mutants: usize,
    /// Core seconds.
    seconds: f64,
}

impl Line {
    fn of(outcomes: &[&Outcome]) -> Self {
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
                    line.worst = line.worst.max(element.error / element.tolerance.total().max(f64::MIN_POSITIVE));
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
            _ if !line.proven && unproven().all(|outcome| outcome.status == Status::Known) => KNOWN_FAULT.to_owned(),
            _ if panicked => "PANICKED".to_owned(),
            // A kink that was accepted is a pass; how many there were has a column.
            verdict if verdict.proven() => Verdict::Pass.to_string(),
            verdict => verdict.to_string(),
        };
        line
    }
}

/// One line for each layer or operation at general points, and for each mode of a network.
fn lines(outcomes: &[Outcome]) -> Vec<Line> {
    let mut groups: Vec<Vec<&Outcome>> = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.general()) {
        match groups.last_mut() {
            Some(group) if group[0].subject == outcome.subject && outcome.case.is_some() => group.push(outcome),
            _ => groups.push(vec![outcome]),
        }
    }
    groups.iter().map(|group| Line::of(group)).collect()
}

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn print(heading: &Heading<'_>, outcomes: &[Outcome], arguments: &CompareGradients) {
    if let [outcome] = outcomes {
        println!("{}", in_full(outcome));
    } else {
        let (general, hard) = (lines(outcomes), hard_summary::lines(outcomes));
        if !general.is_empty() {
            println!("{}", table(&general, arguments.mutants));
        }
        if !hard.is_empty() {
            println!("\n{}", hard_summary::table(&hard));
        }
        if let Some(faults) = hard_summary::known_faults(outcomes) {
            println!("\n{faults}");
        }
        let mut failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.failed()).collect();
        if failed.len() > 1 {
            println!("\nwhat it looks like");
            for (count, symptom) in symptoms(&failed) {
                println!("{count:>5} ×  {symptom}");
            }
        }
        // Those first from which most can be seen.
        failed.sort_by_key(|outcome| opacity(outcome));
        for outcome in failed.iter().take(IN_FULL) {
            println!("\n{}\nreplay: {}", in_full(outcome), replay(outcome, heading, arguments));
        }
        if failed.len() > IN_FULL {
            println!("\n{} more failed; to see one in full:", failed.len() - IN_FULL);
            for outcome in failed.iter().skip(IN_FULL).take(20) {
                println!("  {}", replay(outcome, heading, arguments));
            }
        }
    }
    println!("\n{}", conclusion(heading, outcomes));
}

/// How little a failure shows: a diagnosis at some element, then the smaller the better; a wrong shape shows less, a
/// panic least.
fn opacity(outcome: &Outcome) -> (u8, usize) {
    let Some(report) = &outcome.report else { return (4, 0) };
    let wrong = || report.rows.iter().filter(|row| !row.verdict.proven());
    let size = wrong().map(|row| row.total).sum();
    let diagnosed = wrong().filter(|row| row.worst.is_some()).filter_map(|row| row.diagnosis.as_ref()).next();
    match diagnosed {
        Some(diagnosis) if !diagnosis.starts_with("no known pattern") => (0, size),
        Some(_) => (1, size),
        None => (2, size),
    }
}

/// What is wrong, the most frequent first. Diagnoses that differ in numbers alone are one.
fn symptoms(failed: &[&Outcome]) -> Vec<(usize, String)> {
    let mut found: Vec<(String, usize, String)> = Vec::new();
    let mut add = |text: String| {
        let key: String = text.chars().filter(|c| !c.is_ascii_digit() && !"[], .-".contains(*c)).collect();
        match found.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, count, _)) => *count += 1,
            None => found.push((key, 1, text)),
        }
    };
    for outcome in failed {
        let subject = &outcome.subject;
        if let Some(panic) = &outcome.panic {
            add(format!("{subject} panicked: {}", panic.lines().next().unwrap_or_default()));
        }
        let Some(report) = &outcome.report else { continue };
        for row in report.rows.iter().filter(|row| !row.verdict.proven()) {
            let diagnosis = row.diagnosis.as_ref().map(|diagnosis| format!(": {diagnosis}")).unwrap_or_default();
            add(format!("{subject}: {}/{} {}{diagnosis}", row.source, row.tensor, row.verdict));
        }
        for forward in report.forwards.iter().filter(|forward| !forward.verdict.proven()) {
            add(format!("{subject}: the forward of {} {}", forward.source, forward.verdict));
        }
        for survivor in outcome.mutants.iter().flat_map(|mutants| mutants.survivors()) {
            add(format!("{subject}: the mutant {survivor} survived"));
        }
    }
    found.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    found.into_iter().map(|(_, count, text)| (count, text)).collect()
}

fn table(lines: &[Line], mutants: bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut head = vec!["", "checks", "gradients proven", "elements checked", "kinks", "error / tolerance", "verdict"];
    if mutants {
        head.push("mutants killed");
    }
    table.set_header(head.iter().enumerate().map(|(column, name)| aligned(column, (*name).to_owned())));
    for line in lines {
        let name =
            if line.about.is_empty() { line.subject.clone() } else { format!("{} ({})", line.subject, line.about) };
        let mut cells = vec![
            name,
            thousands(line.checks),
            share(line.gradients_proven, line.gradients),
            share(line.elements_checked, line.elements),
            if line.kinks == 0 { "–".to_owned() } else { thousands(line.kinks) },
            format!("{:.2}", line.worst),
            line.verdict.clone(),
        ];
        if mutants {
            cells.push(share(line.mutants_killed, line.mutants));
        }
        table.add_row(cells.into_iter().enumerate().map(|(column, cell)| aligned(column, cell)));
    }
    table
}

fn aligned(column: usize, text: String) -> Cell {
    let left = matches!(column, 0 | 6);
    Cell::new(text).set_alignment(if left { CellAlignment::Left } else { CellAlignment::Right })
}

/// A check with its report, or the panic in its place, and the mutants that survived.
fn in_full(outcome: &Outcome) -> String {
    let case = outcome.case.map(|case| format!(", case {case}")).unwrap_or_default();
    let case = if outcome.general() { case } else { format!(" at {}{case}", outcome.point) };
    let mut text = format!("{}{case}: {}\n", outcome.subject, outcome.about);
    match (&outcome.report, &outcome.panic) {
        (Some(report), _) => text += &report.to_string(),
        (None, None) if outcome.left_out.is_some() => {
            text += &format!("left out: {}", outcome.left_out.as_deref().unwrap_or_default());
        }
        (None, panic) => text += &format!("PANICKED: {}", panic.as_deref().unwrap_or("no message")),
    }
    if let Some(mutants) = &outcome.mutants {
        text += &format!("\n{mutants}");
    }
    text
}

/// The command that makes this check alone.
fn replay(outcome: &Outcome, heading: &Heading<'_>, arguments: &CompareGradients) -> String {
    let mut command = "cargo xtask compare-gradients".to_owned();
    let mut flag = |name: &str, value: &str| command += &format!(" --{name} {value}");
    if arguments.suite == Some(Suite::Burn) {
        flag("suite", "burn");
    }
    match (outcome.case, &arguments.config) {
        (Some(case), _) => {
            flag("layer", &outcome.subject);
            if !outcome.general() {
                flag("point", &outcome.point);
            }
            flag("case", &case.to_string());
        }
        (None, Some(config)) => flag("config", &backproof::shell::argument(config)),
        (None, None) => flag("model", &outcome.subject),
    }
    if heading.backend != Backend::Flex {
        flag("backend", heading.backend.name());
    }
    if arguments.dtype == Precision::F64 {
        flag("dtype", "f64");
    }
    if heading.context.seed != 0 {
        flag("seed", &heading.context.seed.to_string());
    }
    if arguments.mutants {
        command += " --mutants";
    }
    command
}

fn conclusion(heading: &Heading<'_>, outcomes: &[Outcome]) -> String {
    let lines = lines(outcomes);
    let sum = |of: fn(&Line) -> usize| lines.iter().map(of).sum::<usize>();
    let (proven, gradients) = (sum(|line| line.gradients_proven), sum(|line| line.gradients));
    let checks = sum(|line| line.checks);
    let Heading { backend, context, seconds } = heading;
    let verdict = match outcomes {
        _ if outcomes.iter().any(Outcome::failed) => "NOT PROVEN",
        _ if outcomes.iter().any(|outcome| outcome.status == Status::Known) => "proven but for known faults",
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
    let hard: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.general()).collect();
    if !hard.is_empty() {
        let count = |status: Status| thousands(hard.iter().filter(|outcome| outcome.status == status).count());
        text += &format!(
            "\nat hard points: {} of {} {} proven, {} left out where there is no derivative, {} not decided",
            count(Status::Proven),
            thousands(hard.len()),
            plural(hard.len(), "check"),
            count(Status::LeftOut),
            count(Status::Undecided),
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
fn sources(outcomes: &[Outcome]) -> Vec<&str> {
    let rows = outcomes.iter().filter_map(|outcome| outcome.report.as_ref()).flat_map(|report| &report.rows);
    rows.map(|row| row.source.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}

#[derive(Serialize)]
struct Json<'o> {
    schema: u32,
    backend: &'o str,
    dtype: String,
    unit_roundoff: f64,
    seed: u64,
    seconds: f64,
    proven: bool,
    summary: String,
    subjects: Vec<Line>,
    points: Vec<hard_summary::Line>,
    checks: &'o [Outcome],
}

pub(crate) fn write_json(path: &Path, heading: &Heading<'_>, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let json = Json {
        schema: 1,
        backend: heading.backend.name(),
        dtype: format!("{:?}", heading.context.dtype).to_lowercase(),
        unit_roundoff: heading.context.unit_roundoff,
        seed: heading.context.seed,
        seconds: heading.seconds,
        proven: !outcomes.iter().any(Outcome::failed),
        summary: conclusion(heading, outcomes),
        subjects: lines(outcomes),
        points: hard_summary::lines(outcomes),
        checks: outcomes,
    };
    Ok(backproof_train::write_json(path, &json)?)
}

fn share(part: usize, whole: usize) -> String {
    format!("{} of {}", thousands(part), thousands(whole))
}
