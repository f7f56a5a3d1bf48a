//! What a person reads of hard points and of faults that are known.

use backproof_spec::thousands;
use backproof_suite::{CheckOutcome, CheckStatus, Point};
use comfy_table::{Cell, Color};
use serde::Serialize;

use crate::table::right;

/// What came of the checks at one hard point.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    point: String,
    checks: usize,
    proven: usize,
    /// The function has no value or no derivative there, or the backend does not have the operation.
    left_out: usize,
    undecided: usize,
    known: usize,
    new: usize,
}

/// One line for each hard point that was tried, in the order of the points.
pub(crate) fn lines(outcomes: &[CheckOutcome]) -> Vec<Line> {
    let of = |point: &Point| {
        let mut line = Line { point: point.name(), ..Line::default() };
        for outcome in outcomes.iter().filter(|outcome| outcome.point == line.point) {
            line.checks += 1;
            *match outcome.status {
                CheckStatus::Proven => &mut line.proven,
                CheckStatus::LeftOut | CheckStatus::NotSupported => &mut line.left_out,
                CheckStatus::Undecided => &mut line.undecided,
                CheckStatus::Known => &mut line.known,
                CheckStatus::New => &mut line.new,
            } += 1;
        }
        line
    };
    Point::hard().iter().map(of).filter(|line| line.checks > 0).collect()
}

/// A table of them.
pub(crate) fn table(lines: &[Line]) -> String {
    let heads = ["checks", "proven", "left out", "not decided", "known faults", "new faults"];
    let heads = std::iter::once(Cell::new("hard point")).chain(heads.map(right)).collect();
    let row = |line: &Line| {
        let count = |count: usize| right(if count == 0 { "–".to_owned() } else { thousands(count) });
        let Line { point, checks, proven, left_out, undecided, known, new } = line;
        let mut cells = vec![Cell::new(point)];
        cells.extend([checks, proven, left_out, undecided, known].map(|&number| count(number)));
        cells.push(if *new > 0 { count(*new).fg(Color::Red) } else { count(0) });
        cells
    };
    crate::table::text(heads, lines.iter().map(row).collect(), &["left out", "checks"])
}

/// The known faults that were met, the most frequent first; nothing if there are none.
pub(crate) fn known_faults(outcomes: &[CheckOutcome]) -> Option<String> {
    let met = outcomes.iter().filter(|outcome| outcome.status == CheckStatus::Known);
    let mut faults: Vec<(usize, String)> = Vec::new();
    for outcome in met.clone() {
        let mut lines: Vec<String> = outcome
            .known
            .iter()
            .map(|known| format!("{}: {} ({})", known.operation, known.cause, known.location))
            .collect();
        lines.dedup();
        for line in lines {
            match faults.iter_mut().find(|(_, other)| *other == line) {
                Some((count, _)) => *count += 1,
                None => faults.push((1, line)),
            }
        }
    }
    faults.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let lines: Vec<String> = faults.iter().map(|(count, line)| format!("{count:>5} ×  {line}")).collect();
    (!lines.is_empty()).then(|| {
        let (checks, faults) = (backproof_spec::counted(met.count(), "check"), lines.len());
        let heading = format!("known faults of Burn, which docs/upstream.md lists: {faults}, met by {checks}");
        format!("{heading}\n{}", lines.join("\n"))
    })
}
