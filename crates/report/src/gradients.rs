//! The gradient proof of a run, if its folder has one.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use backproof_spec::thousands;
use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::figure::Figure;
use crate::medium::Medium;
use crate::scatter::{Dot, Scatter};

/// What is read of `gradients.json`, which `compare-gradients -c RUN/config.toml --json RUN/gradients.json` writes. Other
/// keys of the file are left alone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Gradients {
    /// Whether every gradient is proven.
    pub(crate) proven: bool,
    /// The outcome in a sentence.
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    checks: Vec<Check>,
}

/// A function whose gradients were checked: the network in training, and in inference.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Check {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    about: String,
    report: Option<Examined>,
    mutants: Option<Mutants>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Examined {
    #[serde(default)]
    rows: Vec<Row>,
}

/// The gradient of a tensor by one source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Row {
    source: String,
    tensor: String,
    #[serde(default)]
    dims: Vec<usize>,
    verdict: String,
    #[serde(default)]
    checked: usize,
    #[serde(default)]
    total: usize,
    #[serde(default)]
    kinks: usize,
    #[serde(default)]
    unresolved: usize,
    worst: Option<Worst>,
    diagnosis: Option<String>,
    note: Option<String>,
    sweep: Option<ErrorCurve>,
}

/// The element with the largest error beside its tolerance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Worst {
    position: Vec<usize>,
    #[serde(default)]
    gradients: Vec<(String, Option<f64>)>,
    difference: f64,
    error: f64,
    /// Its terms, which are added.
    tolerance: BTreeMap<String, f64>,
}

/// The error of the worst element against the step of the differences.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct ErrorCurve {
    points: Vec<(f64, f64)>,
    stays: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Mutants {
    #[serde(default)]
    tried: Vec<Mutant>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Mutant {
    mutation: String,
    killed: bool,
}

/// The section of the report.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    proven: bool,
    summary: String,
    tables: Vec<Table>,
    /// The kinds of mutants: tried and killed.
    mutants: Vec<(String, usize, usize)>,
    scatter: Option<String>,
}

/// Tensors by sources.
#[derive(Debug, Serialize)]
struct Table {
    name: String,
    sources: Vec<String>,
    tensors: Vec<Tensor>,
    /// What is to be said of single gradients.
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tensor {
    name: String,
    shape: String,
    checked: String,
    kinks: usize,
    unresolved: usize,
    cells: Vec<Option<Ratio>>,
}

/// The largest error of a gradient, over its tolerance.
#[derive(Debug, Serialize)]
struct Ratio {
    text: String,
    /// 0 to 1, for the shade.
    shade: f64,
    right: bool,
    words: String,
}

impl Gradients {
    /// The file at `path`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, as a verb phrase.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, String> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("is damaged ({error})")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot be read ({error})")),
        }
    }

    pub(crate) fn section(&self, scatter: Option<&Figure>) -> Result<Section, ReportError> {
        let mut mutants: Vec<(String, usize, usize)> = Vec::new();
        for mutant in self.checks.iter().filter_map(|check| check.mutants.as_ref()).flat_map(|mutants| &mutants.tried) {
            let place = mutants.iter().position(|(name, ..)| *name == mutant.mutation).unwrap_or_else(|| {
                mutants.push((mutant.mutation.clone(), 0, 0));
                mutants.len() - 1
            });
            mutants[place].1 += 1;
            mutants[place].2 += usize::from(mutant.killed);
        }
        Ok(Section {
            proven: self.proven,
            // The section begins with the word already.
            // Its lines are sentences.
            summary: self.summary.strip_prefix("proven: ").unwrap_or(&self.summary).replace('\n', "; "),
            tables: self.checks.iter().filter_map(Check::table).collect(),
            mutants,
            scatter: scatter.map(Figure::inline).transpose()?,
        })
    }

    /// Each gradient against its finite difference, at the element with the largest error.
    pub(crate) fn figure(&self, medium: Medium) -> Result<Option<Figure>, ReportError> {
        let rows = self.checks.iter().filter_map(|check| check.report.as_ref()).flat_map(|report| &report.rows);
        let dots = rows.enumerate().filter_map(|(number, row)| {
            let worst = row.worst.as_ref()?;
            let gradient = worst.gradient(&row.source)?;
            let words =
                format!("{} by {}: {gradient:.3e}, difference {:.3e}", row.tensor, row.source, worst.difference);
            Some(Dot { words, number: number + 1000, place: [worst.difference, gradient] })
        });
        let scatter = Scatter {
            name: "gradients-differences",
            title: "Gradients against finite differences",
            axes: ["finite difference".to_owned(), "gradient, at the element with the largest error".to_owned()],
            diagonal: true,
            dots: dots.collect(),
        };
        scatter.figure(medium)
    }
}

impl Worst {
    fn gradient(&self, source: &str) -> Option<f64> {
        self.gradients.iter().find(|(name, _)| name == source)?.1
    }
}

impl Check {
    fn table(&self) -> Option<Table> {
        let rows = &self.report.as_ref()?.rows;
        let mut sources: Vec<String> = Vec::new();
        let mut tensors: Vec<&Row> = Vec::new();
        for row in rows {
            if !sources.contains(&row.source) {
                sources.push(row.source.clone());
            }
            if !tensors.iter().any(|other| other.tensor == row.tensor) {
                tensors.push(row);
            }
        }
        let of_tensor = |first: &&Row| {
            let of = || rows.iter().filter(|row| row.tensor == first.tensor);
            Tensor {
                name: first.tensor.clone(),
                shape: first.dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("×"),
                checked: match first.checked == first.total {
                    true => thousands(first.total),
                    false => format!("{} of {}", thousands(first.checked), thousands(first.total)),
                },
                kinks: of().map(|row| row.kinks).max().unwrap_or(0),
                unresolved: of().map(|row| row.unresolved).max().unwrap_or(0),
                cells: sources.iter().map(|source| of().find(|row| row.source == *source).map(Row::ratio)).collect(),
            }
        };
        let name = if self.about.is_empty() { self.subject.clone() } else { self.about.clone() };
        let tensors = tensors.iter().map(of_tensor).collect();
        Some(Table { name, tensors, remarks: rows.iter().filter_map(Row::remark).collect(), sources })
    }
}

impl Row {
    fn is_right(&self) -> bool {
        matches!(self.verdict.as_str(), "pass" | "kink")
    }

    fn ratio(&self) -> Ratio {
        let ratio = self.worst.as_ref().map(|worst| worst.error / worst.tolerance.values().sum::<f64>());
        let shown = ratio.filter(|ratio| ratio.is_finite()).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let text = match self.verdict.as_str() {
            "pass" => shown,
            verdict => format!("{shown} {verdict}"),
        };
        let words = self.worst.as_ref().map_or_else(String::new, |worst| {
            let error = format!("error {:.1e} at {:?}", worst.error, worst.position);
            format!("{error}, tolerance {:.1e}", worst.tolerance.values().sum::<f64>())
        });
        Ratio { text, shade: ratio.map_or(0.0, |ratio| ratio.clamp(0.0, 1.0)), right: self.is_right(), words }
    }

    /// What is known of a gradient that is not proven, or whose proof needs a word.
    fn remark(&self) -> Option<String> {
        let mut words: Vec<String> = self.diagnosis.iter().chain(&self.note).cloned().collect();
        if let Some(curve) = self.sweep.as_ref().filter(|_| !self.is_right()) {
            let errors: Vec<String> =
                curve.points.iter().map(|(step, error)| format!("{error:.1e} at a step of {step:.1e}")).collect();
            let meaning = match curve.stays {
                true => "The error stays whatever the step is, so it is the gradient's",
                false => "The error moves with the step, so it may be the differences' own",
            };
            words.push(format!("{meaning}: {}", errors.join(", ")));
        }
        if words.is_empty() {
            return None;
        }
        Some(format!("{} by {}: {}", self.tensor, self.source, words.join(". ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verdict_is_needed_and_other_keys_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gradients.json");
        assert_eq!(Gradients::read(&path), Ok(None));
        std::fs::write(
            &path,
            r#"{"schema": 9, "proven": true, "subjects": [{"subject": "relu", "verdict": "PASS", "n": 1}]}"#,
        )
        .unwrap();
        let gradients = Gradients::read(&path).unwrap().unwrap();
        assert!(gradients.proven && gradients.section(None).unwrap().tables.is_empty());
        std::fs::write(&path, "{}").unwrap();
        assert!(Gradients::read(&path).is_err());
    }

    #[test]
    fn a_table_has_a_row_for_each_tensor_and_a_column_for_each_source() {
        let row = |source: &str, tensor: &str, verdict: &str, error: f64| {
            serde_json::json!({ "source": source, "tensor": tensor, "dims": [2, 3], "verdict": verdict, "checked": 5,
                "total": 6, "kinks": 1, "unresolved": 0, "diagnosis": (verdict == "mismatch").then_some("factor 2"),
                "worst": { "position": [0, 1], "gradients": [[source, 1.5]], "difference": 1.0, "error": error,
                    "tolerance": { "noise": 0.5, "roundoff": 1.5 } },
                "sweep": (verdict == "mismatch").then(|| serde_json::json!({ "points": [[0.1, 3.0]], "stays": true })) })
        };
        let mutant = |killed: bool| serde_json::json!({ "mutation": "sign", "killed": killed });
        let rows =
            [row("autodiff", "x", "pass", 0.5), row("manual", "x", "mismatch", 3.0), row("manual", "w", "kink", 0.0)];
        let check = serde_json::json!({ "subject": "a", "about": "training", "report": { "rows": rows },
            "mutants": { "tried": [mutant(true), mutant(false)] } });
        let text = serde_json::json!({ "proven": false, "summary": "s", "checks": [check] });
        let gradients: Gradients = serde_json::from_value(text).unwrap();
        let section = gradients.section(None).unwrap();
        let table = &section.tables[0];
        assert_eq!(table.sources, ["autodiff", "manual"]);
        assert_eq!((table.tensors[0].shape.as_str(), table.tensors[0].checked.as_str()), ("2×3", "5 of 6"));
        let texts: Vec<Vec<Option<&str>>> = table
            .tensors
            .iter()
            .map(|tensor| tensor.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.text.as_str())).collect())
            .collect();
        assert_eq!(texts, [[Some("0.25"), Some("1.50 mismatch")], [None, Some("0.00 kink")]]);
        let stays = "The error stays whatever the step is, so it is the gradient's: 3.0e0 at a step of 1.0e-1";
        assert_eq!(table.remarks, [format!("x by manual: factor 2. {stays}")]);
        assert_eq!(section.mutants, [("sign".to_owned(), 2, 1)]);
        assert!(gradients.figure(Medium::Screen).unwrap().is_none(), "all differences are equal");
    }
}
