use std::fmt::{self, Display, Formatter};

use crate::Verdict;
use crate::report::{ForwardRow, Report, Row};
use crate::words::{are, counted};

/// A table with a line for every source and tensor, and below it the details of what is not proven.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let looks = if self.jacobian { " and the full Jacobian" } else { "" };
        let cotangents = counted(self.random_cotangents, "random cotangent");
        writeln!(f, "{} · {} · seed {} · {cotangents}{looks}", self.name, self.dtype, self.seed)?;
        if let Some(note) = &self.note {
            writeln!(f, "  note: {note}")?;
        }
        let header = ["tensor", "shape", "source", "verdict", "checked", "kinks", "worst error", "tolerance"];
        let mut lines = vec![header.map(String::from)];
        lines.extend(self.forwards.iter().map(forward_line));
        lines.extend(self.rows.iter().map(line));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 8] = std::array::from_fn(width);
        for line in &lines {
            let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
                0..4 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        for forward in self.forwards.iter().filter(|forward| !forward.verdict.proven()) {
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
        for row in self.rows.iter().filter(|row| !row.verdict.proven()) {
            writeln!(f, "\n{}/{}: {}", row.source, row.tensor, row.verdict)?;
            details(f, row)?;
        }
        let zeros = self.rows.iter().filter(|row| row.verdict == Verdict::Pass);
        for (row, note) in zeros.filter_map(|row| Some((row, row.note.as_ref()?))) {
            writeln!(f, "\n{}/{}: {note}", row.source, row.tensor)?;
        }
        let (proven, total) = (self.rows.iter().filter(|row| row.verdict.proven()).count(), self.rows.len());
        let conclusion = if self.proven { "proven" } else { "NOT PROVEN" };
        write!(f, "\n{conclusion}: {proven} of {}", counted(total, "gradient"))
    }
}

fn line(row: &Row) -> [String; 8] {
    let checked = format!("{}/{}", row.checked, row.total);
    let kinks = if row.kinks == 0 { String::new() } else { row.kinks.to_string() };
    let (error, tolerance) = match &row.worst {
        Some(worst) => (format!("{:.1e}", worst.error), format!("{:.1e}", worst.tolerance.total())),
        None => Default::default(),
    };
    let shape = format!("{:?}", row.dims);
    [row.tensor.clone(), shape, row.source.clone(), row.verdict.to_string(), checked, kinks, error, tolerance]
}

fn forward_line(row: &ForwardRow) -> [String; 8] {
    let error = format!("{:.1e}", (row.value - row.reference).abs());
    let tolerance = format!("{:.1e}", row.tolerance);
    let [shape, checked, kinks] = [const { String::new() }; 3];
    ["(forward)".into(), shape, row.source.clone(), row.verdict.to_string(), checked, kinks, error, tolerance]
}

fn details(f: &mut Formatter<'_>, row: &Row) -> fmt::Result {
    if let Some(diagnosis) = &row.diagnosis {
        writeln!(f, "  looks like: {diagnosis}")?;
    }
    match row.verdict {
        Verdict::Unobservable => writeln!(f, "  the function moves with no tensor at all, so that nothing was seen")?,
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
