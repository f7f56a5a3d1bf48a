//! What a program reads of a comparison.

use std::path::Path;

use backproof_suite::CheckOutcome;
use serde::Serialize;

use super::hard_summary;
use super::lines::{Heading, Line, conclusion, lines};

#[derive(Serialize)]
struct Json<'o> {
    schema: u32,
    backend: &'o str,
    dtype: String,
    unit_roundoff: f64,
    seed: u64,
    seconds: f64,
    proven: bool,
    /// Some checks were not made.
    interrupted: bool,
    summary: String,
    subjects: Vec<Line>,
    points: Vec<hard_summary::Line>,
    checks: &'o [CheckOutcome],
}

pub(super) fn write(path: &Path, heading: &Heading<'_>, outcomes: &[CheckOutcome]) -> anyhow::Result<()> {
    let json = Json {
        schema: 1,
        backend: heading.backend.name(),
        dtype: format!("{:?}", heading.context.dtype).to_lowercase(),
        unit_roundoff: heading.context.unit_roundoff,
        seed: heading.context.seed,
        seconds: heading.seconds,
        proven: !heading.interrupted && !outcomes.iter().any(CheckOutcome::failed),
        interrupted: heading.interrupted,
        summary: conclusion(heading, outcomes),
        subjects: lines(outcomes),
        points: hard_summary::lines(outcomes),
        checks: outcomes,
    };
    Ok(backproof_train::write_json(path, &json)?)
}
