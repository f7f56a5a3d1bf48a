//! Every verdict, for a comparison of two programs: `BACKPROOF_VERDICTS` names the file.

use std::fmt::Write as _;
use std::io::Write as _;

use backproof_gradcheck::Report;

/// Adds a line for each row: the case, the source, the tensor and the verdict. A panic is a row too.
pub(crate) fn tell(case: &str, outcome: Result<&Report, &str>) {
    let Some(path) = std::env::var_os("BACKPROOF_VERDICTS") else { return };
    let mut text = String::new();
    match outcome {
        Ok(report) => report.rows.iter().for_each(|row| {
            writeln!(text, "{case} {} {} {}", row.source, row.tensor, row.verdict).expect("a string takes all");
        }),
        Err(_) => writeln!(text, "{case} PANIC").expect("a string takes all"),
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    // In one piece, since several threads write.
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the file of the verdicts");
}
