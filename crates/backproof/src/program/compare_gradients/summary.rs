//! What a person reads of a comparison.

use backproof::backend::Backend;
use backproof::cli::{CompareGradientsArguments, Precision, Suite};
use backproof_spec::thousands;
use backproof_suite::CheckOutcome;
use comfy_table::Cell;

use super::hard_summary;
use super::lines::{Heading, Line, conclusion, lines};
use super::verdict::{colour, painted};
use crate::table::right;
use crate::terminal;

/// How many failures are shown in full; of the others, the command that does.
const IN_FULL: usize = 3;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn print(heading: &Heading<'_>, outcomes: &[CheckOutcome], arguments: &CompareGradientsArguments) {
    let of_one_network = arguments.model.is_some() || arguments.config.is_some();
    if outcomes.len() == 1 || of_one_network {
        // The conclusion follows below, of all of them at once.
        println!("{}", in_full_of(outcomes));
    } else {
        let (general, hard) = (lines(outcomes), hard_summary::lines(outcomes));
        if !general.is_empty() {
            println!("{}", table(&general, arguments.mutants));
        }
        if !hard.is_empty() {
            println!("\n{}", hard_summary::table(&hard));
        }
        if let Some(faults) = hard_summary::known_faults(outcomes) {
            println!("\n{}", terminal::flowing(&faults));
        }
        let mut failed: Vec<&CheckOutcome> = outcomes.iter().filter(|outcome| outcome.failed()).collect();
        if failed.len() > 1 {
            println!("\nwhat it looks like");
            for (count, symptom) in symptoms(&failed) {
                println!("{count:>5} ×  {symptom}");
            }
        }
        // Those first from which most can be seen.
        failed.sort_by_key(|outcome| opacity(outcome));
        for outcome in failed.iter().take(IN_FULL) {
            println!("\n{}\nreplay: {}", shown(&in_full(outcome)), replay(outcome, heading, arguments));
        }
        if failed.len() > IN_FULL {
            println!("\n{} more failed; to see one in full:", failed.len() - IN_FULL);
            for outcome in failed.iter().skip(IN_FULL).take(20) {
                println!("  {}", replay(outcome, heading, arguments));
            }
        }
    }
    println!("\n{}", terminal::flowing(&conclusion(heading, outcomes)));
}

/// How little a failure shows: a diagnosis at some element, then the smaller the better; a wrong shape shows less, a
/// panic least.
fn opacity(outcome: &CheckOutcome) -> (u8, usize) {
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
fn symptoms(failed: &[&CheckOutcome]) -> Vec<(usize, String)> {
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

fn table(lines: &[Line], mutants: bool) -> String {
    let mut heads = vec![
        Cell::new(""),
        right("checks"),
        right("gradients proven"),
        right("elements checked"),
        right("kinks"),
        right("error / tolerance"),
        Cell::new("verdict"),
    ];
    if mutants {
        heads.push(right("mutants killed"));
    }
    let row = |line: &Line| {
        let name =
            if line.about.is_empty() { line.subject.clone() } else { format!("{} ({})", line.subject, line.about) };
        let mut cells = vec![
            Cell::new(name),
            right(thousands(line.checks)),
            right(share(line.gradients_proven, line.gradients)),
            right(share(line.elements_checked, line.elements)),
            right(if line.kinks == 0 { "–".to_owned() } else { thousands(line.kinks) }),
            right(format!("{:.2}", line.worst)),
            Cell::new(&line.verdict).fg(colour(&line.verdict)),
        ];
        if mutants {
            cells.push(right(share(line.mutants_killed, line.mutants)));
        }
        cells
    };
    crate::table::text(heads, lines.iter().map(row).collect(), &["elements checked", "kinks", "checks"])
}

/// A text as a terminal has it.
fn shown(text: &str) -> String {
    painted(&terminal::flowing(text))
}

/// Several checks, each with its report.
pub(super) fn in_full_of(outcomes: &[CheckOutcome]) -> String {
    shown(&outcomes.iter().map(in_full).collect::<Vec<_>>().join("\n\n"))
}

/// A check with its report, or the panic in its place, and the mutants that survived.
fn in_full(outcome: &CheckOutcome) -> String {
    let case = outcome.case.map(|case| format!(", case {case}")).unwrap_or_default();
    let case = if outcome.general() { case } else { format!(" at {}{case}", outcome.point) };
    let mut text = format!("{}{case}: {}\n", outcome.subject, outcome.about);
    match (&outcome.report, &outcome.panic) {
        (Some(report), _) => text += report.findings().to_string().trim_end(),
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
fn replay(outcome: &CheckOutcome, heading: &Heading<'_>, arguments: &CompareGradientsArguments) -> String {
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

fn share(part: usize, whole: usize) -> String {
    format!("{} of {}", thousands(part), thousands(whole))
}
