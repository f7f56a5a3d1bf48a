use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use crate::{Role, Verdict};

/// What [`Problem::examine`](crate::Problem::examine) found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this structure as JSON; 1.
    pub schema: u32,
    /// The problem's name.
    pub name: String,
    /// The precision of the code under test.
    pub dtype: String,
    /// The precision of the differences: `f64` but for functions that cannot be evaluated in it.
    #[serde(default = "double")]
    pub differences: String,
    /// What holds for the whole check and should be known.
    #[serde(default)]
    pub note: Option<String>,
    /// What drew the cotangents and the elements: the same seed checks the same.
    pub seed: u64,
    /// The output's dimensions.
    pub output: Vec<usize>,
    /// How many cotangents were random.
    pub random_cotangents: usize,
    /// Whether every output was also taken by itself: the full Jacobian.
    pub jacobian: bool,
    /// The forward of every source that has one, against the function in double precision.
    pub forwards: Vec<ForwardRow>,
    /// Every source's gradient of every differentiated tensor.
    pub rows: Vec<Row>,
    /// Everything is proven: there are rows, and every verdict is a pass or an accepted kink.
    pub proven: bool,
}

/// Whether a source computes the function at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForwardRow {
    /// The source, or `reference` for the function in double precision itself.
    pub source: String,
    /// [`Verdict::Pass`], or what is wrong.
    pub verdict: Verdict,
    /// Index in the output of the worst element.
    pub position: Vec<usize>,
    /// The source's value there.
    pub value: f64,
    /// The value in double precision there.
    pub reference: f64,
    /// How far they may be apart.
    pub tolerance: f64,
    /// With what it panicked, or what else is known.
    #[serde(default)]
    pub note: Option<String>,
}

fn double() -> String {
    "f64".into()
}

/// One source's gradient of one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The source.
    pub source: String,
    /// The tensor.
    pub tensor: String,
    /// What it is for.
    pub role: Role,
    /// Elements an axis.
    pub dims: Vec<usize>,
    /// What is known.
    pub verdict: Verdict,
    /// Elements held against differences, and elements in all.
    pub checked: usize,
    /// See `checked`.
    pub total: usize,
    /// Checked elements on an accepted kink under at least one cotangent.
    pub kinks: usize,
    /// Checked elements that are wrong, and those whose tolerance says nothing, under at least one cotangent.
    pub mismatched: usize,
    /// See `mismatched`.
    pub unresolved: usize,
    /// The element with the largest error beside its tolerance.
    pub worst: Option<Worst>,
    /// With three or more sides (the differences are one): the only one that the others contradict.
    pub odd_one_out: Option<String>,
    /// What the mismatch looks like, in a sentence.
    pub diagnosis: Option<String>,
    /// The error of the worst element against the step of the differences.
    pub sweep: Option<ErrorCurve>,
    /// Why it was skipped, with what it panicked, or why the gradient is zero.
    pub note: Option<String>,
}

/// An element, and what everybody says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    /// Row-major.
    pub index: usize,
    /// Along every axis.
    pub position: Vec<usize>,
    /// The tensor's value there.
    pub value: f64,
    /// The cotangent: `random 0`, or `output 7`.
    pub cotangent: String,
    /// What each source says; `None` if it has no gradient.
    pub gradients: Vec<(String, Option<f64>)>,
    /// What the differences say.
    pub difference: f64,
    /// Of the source of this row, against the differences.
    pub error: f64,
    /// How much of an error is excused.
    pub tolerance: Tolerance,
    /// The step of the differences.
    pub step: f64,
    /// The derivatives on both sides, if there is a kink.
    pub kink: Option<[f64; 2]>,
}

impl Worst {
    /// The error over its tolerance: above 1, the gradient is wrong there.
    pub fn over_tolerance(&self) -> f64 {
        self.error / self.tolerance.total().max(f64::MIN_POSITIVE)
    }
}

/// The terms of a tolerance. They are added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// The disagreement of the extrapolated difference with the plain one.
    pub truncation: f64,
    /// The round-off of the outputs over the step.
    pub noise: f64,
    /// The round-off of the code under test.
    pub roundoff: f64,
}

impl Tolerance {
    /// Their sum.
    pub fn total(&self) -> f64 {
        self.truncation + self.noise + self.roundoff
    }
}

/// The error of a gradient against the central difference at several steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorCurve {
    /// Step and absolute error.
    pub points: Vec<(f64, f64)>,
    /// Whether the error stays whatever the step: then the gradient is wrong. One that moves with the step is the
    /// differences' own.
    pub stays: bool,
}

impl Report {
    /// Rows and forwards whose verdict is a fault: the code is wrong, as opposed to not proven.
    pub fn faults(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.verdict);
        rows.chain(self.forwards.iter().map(|forward| forward.verdict)).filter(|verdict| verdict.is_fault()).count()
    }

    /// The verdict on a source's gradient of a tensor, if there is such a row.
    pub fn verdict(&self, source: &str, tensor: &str) -> Option<Verdict> {
        self.row(source, tensor).map(|row| row.verdict)
    }

    /// The row of a source's gradient of a tensor.
    pub fn row(&self, source: &str, tensor: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.source == source && row.tensor == tensor)
    }

    /// For tests.
    ///
    /// # Panics
    ///
    /// Panics with the table if anything is not proven.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.proven, "the gradients are not proven\n\n{self}");
    }

    /// The report as JSON, with `null` for what is not finite.
    ///
    /// # Panics
    ///
    /// Never: every key is a string.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has string keys only")
    }
}

pub(crate) fn dtype_name(dtype: DType) -> String {
    format!("{dtype:?}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examine::tests::{claims, only, options, problem, variable};

    /// The sources `right` and `wrong` of y = 3 x.
    fn report() -> Report {
        let mut problem = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
        for (name, gradient) in [("right", 3.0), ("wrong", 4.0)] {
            problem = claims(problem, only(move |_| vec![gradient]));
            problem.sources.last_mut().unwrap().name = name.into();
        }
        problem.examine(&options()).report().clone()
    }

    #[test]
    fn a_row_is_found_by_source_and_tensor() {
        let report = report();
        assert_eq!(report.verdict("right", "x"), Some(Verdict::Pass));
        assert_eq!(report.verdict("wrong", "x"), Some(Verdict::Mismatch));
        assert!(report.row("wrong", "y").is_none() && report.row("nobody", "x").is_none());
    }

    #[test]
    fn faults_are_counted_and_asserted_against() {
        let mut report = report();
        assert_eq!(report.faults(), 1);
        assert!(std::panic::catch_unwind(|| report.assert()).is_err());
        report.rows.clear();
        report.proven = true;
        assert_eq!(report.faults(), 0);
        report.assert();
    }

    #[test]
    fn a_report_comes_back_from_json() {
        let report = report();
        assert_eq!(serde_json::from_str::<Report>(&report.to_json()).unwrap(), report);
        assert_eq!(report.dtype, "f64");
    }
}
