use std::fmt::{self, Display, Formatter};

use crate::Verdict;
use crate::report::{ForwardRow, Report, Row};
use crate::words::{are, counted};

/// The findings, and below them how many gradients are proven.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (proven, total) = (self.rows.iter().filter(|row| row.verdict.proven()).count(), self.rows.len());
        let conclusion = if self.proven { "proven" } else { "NOT PROVEN" };
        write!(f, "{}\n{conclusion}: {proven} of {}", self.findings(), counted(total, "gradient"))
    }
}

impl Report {
    /// The report as text without its conclusion: a table with a line for each tensor, and below it the details of what
    /// is not proven. Sources that have the same verdict on a tensor share a line, which has the error of the worst.
    pub fn findings(&self) -> impl Display + '_ {
        Findings(self)
    }
}

struct Findings<'r>(&'r Report);

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let looks = if report.jacobian { " and the full Jacobian" } else { "" };
        let cotangents = counted(report.random_cotangents, "random cotangent");
        writeln!(f, "{} · {} · seed {} · {cotangents}{looks}", report.name, report.dtype, report.seed)?;
        if let Some(note) = &report.note {
            writeln!(f, "  note: {note}")?;
        }
        let sources = sources(report);
        if sources.len() > 1 {
            writeln!(f, "  sources: {}", sources.join(", "))?;
        }
        table(f, report)?;
        for forward in report.forwards.iter().filter(|forward| !forward.verdict.proven()) {
            writeln!(f, "\n{}: forward: {}", forward.source, forward.verdict)?;
            if let Some(note) = &forward.note {
                writeln!(f, "  {note}")?;
            }
            if forward.verdict != Verdict::Panicked {
                writeln!(
                    f,
                    "  at {:?}: {:e}, in double precision {:e}, tolerance {:.1e}",
                    forward.position, forward.value, forward.reference, forward.tolerance
                )?;
            }
        }
        for row in report.rows.iter().filter(|row| !row.verdict.proven()) {
            writeln!(f, "\n{}/{}: {}", row.source, row.tensor, row.verdict)?;
            details(f, row)?;
        }
        let zeros = report.rows.iter().filter(|row| row.verdict == Verdict::Pass);
        for (row, note) in zeros.filter_map(|row| Some((row, row.note.as_ref()?))) {
            writeln!(f, "\n{}/{}: {note}", row.source, row.tensor)?;
        }
        Ok(())
    }
}

/// The names of the sources, in the order of the report.
fn sources(report: &Report) -> Vec<&str> {
    let forwards = report.forwards.iter().map(|forward| forward.source.as_str());
    let mut names: Vec<&str> = Vec::new();
    for name in report.rows.iter().map(|row| row.source.as_str()).chain(forwards) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn table(f: &mut Formatter<'_>, report: &Report) -> fmt::Result {
    let header = ["tensor", "shape", "source", "verdict", "checked", "kinks", "error", "tolerance"];
    let mut lines = vec![header.map(String::from)];
    let mut forwards: Vec<Vec<&ForwardRow>> = Vec::new();
    for forward in &report.forwards {
        join(&mut forwards, forward, |known| known.verdict == forward.verdict);
    }
    lines.extend(forwards.iter().map(|group| forward_line(group, report.forwards.len())));
    let mut rows: Vec<Vec<&Row>> = Vec::new();
    for row in &report.rows {
        join(&mut rows, row, |known| known.tensor == row.tensor && known.verdict == row.verdict);
    }
    // In the order of the tensors, whatever the order of the sources.
    let place = |tensor: &str| report.rows.iter().position(|row| row.tensor == tensor);
    rows.sort_by_key(|group| place(&group[0].tensor));
    let of_tensor = |tensor: &str| report.rows.iter().filter(|row| row.tensor == tensor).count();
    lines.extend(rows.iter().map(|group| line(group, of_tensor(&group[0].tensor))));
    // Few functions have kinks, and a line is to fit a terminal.
    let kinked = lines[1..].iter().any(|line| !line[KINKS].is_empty());
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    for line in &lines {
        let cells = line.iter().zip(widths).enumerate();
        let cells =
            cells.filter(|&(column, _)| kinked || column != KINKS).map(|(column, (cell, width))| match column {
                0..4 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// The column of the table that is left out where it says nothing.
const KINKS: usize = 5;

/// Adds `row` to the group that it `belongs` to, or makes one for it.
fn join<'r, R>(groups: &mut Vec<Vec<&'r R>>, row: &'r R, belongs: impl Fn(&R) -> bool) {
    match groups.iter_mut().find(|group| belongs(group[0])) {
        Some(group) => group.push(row),
        None => groups.push(vec![row]),
    }
}

/// Who is meant: the names where they are one or two, else how many of how many.
fn who(names: &[&str], all: usize) -> String {
    match names {
        [_] | [_, _] => names.join(", "),
        _ if names.len() == all => format!("all {all}"),
        _ => format!("{} of {all}", names.len()),
    }
}

/// What the sources of a group have found of a tensor, with the error that is largest beside its tolerance.
fn line(group: &[&Row], all: usize) -> [String; 8] {
    let first = group[0];
    let checked = group.iter().map(|row| row.checked).min().unwrap_or(0);
    let kinks = group.iter().map(|row| row.kinks).max().filter(|&kinks| kinks > 0);
    let worst = group
        .iter()
        .filter_map(|row| row.worst.as_ref())
        .max_by(|a, b| a.over_tolerance().total_cmp(&b.over_tolerance()));
    let (error, tolerance) = match worst {
        Some(worst) => (format!("{:.1e}", worst.error), format!("{:.1e}", worst.tolerance.total())),
        None => Default::default(),
    };
    [
        first.tensor.clone(),
        shape(&first.dims),
        who(&group.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), all),
        first.verdict.to_string(),
        format!("{checked}/{}", first.total),
        kinks.map(|kinks| kinks.to_string()).unwrap_or_default(),
        error,
        tolerance,
    ]
}

/// Elements along each axis.
fn shape(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    if dims.is_empty() { "1".to_owned() } else { dims.join("×") }
}

fn forward_line(group: &[&ForwardRow], all: usize) -> [String; 8] {
    let error = |row: &ForwardRow| (row.value - row.reference).abs();
    let over = |row: &ForwardRow| error(row) / row.tolerance.max(f64::MIN_POSITIVE);
    let worst = group.iter().max_by(|a, b| over(a).total_cmp(&over(b))).expect("a group has a row");
    let [shape, checked, kinks] = [const { String::new() }; 3];
    let sources = who(&group.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), all);
    let (error, tolerance) = (format!("{:.1e}", error(worst)), format!("{:.1e}", worst.tolerance));
    ["(forward)".into(), shape, sources, group[0].verdict.to_string(), checked, kinks, error, tolerance]
}

fn details(f: &mut Formatter<'_>, row: &Row) -> fmt::Result {
    if let Some(diagnosis) = &row.diagnosis {
        writeln!(f, "  looks like: {diagnosis}")?;
    }
    match row.verdict {
        Verdict::Unobservable => writeln!(f, "  the function moves with no tensor at all, so that nothing was seen")?,
        Verdict::Unresolved if row.note.is_some() => {
            writeln!(f, "  {} of {} not decided", row.unresolved, counted(row.checked, "element"))?;
        }
        Verdict::Unresolved => writeln!(
            f,
            "  {} of {}: the tolerance is more than a tenth of the gradient",
            row.unresolved,
            counted(row.checked, "element")
        )?,
        Verdict::Mismatch if row.mismatched > 0 => {
            let (checked, are) = (counted(row.checked, "checked element"), are(row.mismatched));
            writeln!(f, "  {} of {checked} {are} wrong", row.mismatched)?;
        }
        _ => {}
    }
    if let Some(note) = &row.note {
        writeln!(f, "  {note}")?;
    }
    if let Some(odd) = &row.odd_one_out {
        writeln!(f, "  odd one out: {odd}")?;
    }
    let Some(worst) = &row.worst else { return Ok(()) };
    writeln!(
        f,
        "  worst element {:?}, where the tensor is {:.6}, under cotangent {}:",
        worst.position, worst.value, worst.cotangent
    )?;
    let width = worst.gradients.iter().map(|(source, _)| source.chars().count()).max().unwrap_or(0).max(11);
    for (source, gradient) in &worst.gradients {
        match gradient {
            Some(gradient) => writeln!(f, "    {source:<width$}  {gradient:>+.12e}")?,
            None => writeln!(f, "    {source:<width$}  none")?,
        }
    }
    writeln!(f, "    {:<width$}  {:>+.12e}", "differences", worst.difference)?;
    if let Some([low, high]) = worst.kink {
        writeln!(f, "    a kink: from {low:+.6e} to {high:+.6e}")?;
    }
    let tolerance = &worst.tolerance;
    writeln!(
        f,
        "  tolerance {:.1e} = truncation {:.1e} + noise {:.1e} + round-off {:.1e}, step {:.1e}",
        tolerance.total(),
        tolerance.truncation,
        tolerance.noise,
        tolerance.roundoff,
        worst.step
    )?;
    if let Some(sweep) = &row.sweep {
        let points: Vec<String> = sweep.points.iter().map(|(step, error)| format!("{step:.0e}: {error:.1e}")).collect();
        let meaning = if sweep.stays { "stays: a wrong gradient" } else { "moves with the step" };
        writeln!(f, "  error against step ({meaning})\n    {}", points.join("  "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Report;
    use crate::examine::tests::{claims, only, options, problem, variable};

    /// Sources of y = 3 x that claim these gradients.
    fn report(claimed: &[(&str, f64)]) -> Report {
        let mut problem = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
        for &(name, gradient) in claimed {
            problem = claims(problem, only(move |_| vec![gradient]));
            problem.sources.last_mut().unwrap().name = name.into();
        }
        problem.examine(&options()).report().clone()
    }

    fn line(text: &str, of: &str) -> String {
        let words = |line: &str| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
        text.lines().map(words).find(|line| line.starts_with("x 1 ") && line.contains(of)).unwrap_or_default()
    }

    #[test]
    fn sources_that_agree_share_a_line() {
        let text = report(&[("a", 3.0), ("b", 3.0), ("c", 3.0)]).to_string();
        assert!(text.contains("  sources: a, b, c\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("x ")).count(), 1, "{text}");
        assert!(text.contains("x       1      all 3   PASS"), "{text}");
        assert!(text.ends_with("\nproven: 3 of 3 gradients"), "{text}");
    }

    #[test]
    fn a_source_that_is_wrong_has_a_line_of_its_own() {
        let text = report(&[("a", 3.0), ("wrong", 4.0), ("b", 3.0), ("c", 3.0)]).to_string();
        assert_eq!(line(&text, "wrong"), "x 1 wrong MISMATCH", "{text}");
        assert!(text.contains("3 of 4"), "{text}");
        assert!(text.contains("\nwrong/x: MISMATCH\n"), "{text}");
        assert!(text.ends_with("\nNOT PROVEN: 3 of 4 gradients"), "{text}");
    }

    #[test]
    fn one_source_goes_by_its_name_and_findings_have_no_conclusion() {
        let report = report(&[("right", 3.0)]);
        let text = report.findings().to_string();
        assert_eq!(line(&text, "right"), "x 1 right PASS", "{text}");
        assert!(!text.contains("sources:") && !text.contains("proven"), "{text}");
    }
}
