//! Precision, recall, F1 and support of each class, and their means.

use backproof_train::{ClassResult, EvaluationResult};
use serde::Serialize;

/// A row of the table: percentages with two decimals, a dash where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ClassRow {
    pub(crate) name: String,
    pub(crate) precision: String,
    pub(crate) recall: String,
    pub(crate) f1: String,
    pub(crate) true_positives: usize,
    pub(crate) support: usize,
}

/// A row for each class, and the last for their plain (macro) mean.
pub(crate) fn rows(result: &EvaluationResult) -> (Vec<ClassRow>, ClassRow) {
    let classes = &result.classes;
    let row = |class: &ClassResult| ClassRow {
        name: class.class.clone(),
        precision: percent(class.precision),
        recall: percent(class.recall),
        f1: percent(f1(class)),
        true_positives: class.true_positives,
        support: class.support,
    };
    let mean = ClassRow {
        name: "mean".to_owned(),
        precision: percent(mean(classes.iter().map(|class| class.precision))),
        recall: percent(mean(classes.iter().map(|class| class.recall))),
        f1: percent(mean(classes.iter().map(f1))),
        true_positives: classes.iter().map(|class| class.true_positives).sum(),
        support: classes.iter().map(|class| class.support).sum(),
    };
    (classes.iter().map(row).collect(), mean)
}

/// The harmonic mean of precision and recall; 0 where both are 0, none where one of them is not defined.
fn f1(class: &ClassResult) -> Option<f64> {
    let (precision, recall) = (class.precision?, class.recall?);
    Some(if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 })
}

/// The mean over the classes that have the figure.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_is_the_harmonic_mean_and_undefined_without_precision() {
        let class =
            |precision, recall| ClassResult { class: "a".to_owned(), precision, recall, true_positives: 1, support: 2 };
        // 2 · 0.5 · 1 / 1.5
        assert_eq!(f1(&class(Some(0.5), Some(1.0))), Some(1.0 / 1.5));
        assert_eq!(f1(&class(Some(0.0), Some(0.0))), Some(0.0));
        assert_eq!(f1(&class(None, Some(0.0))), None);
    }

    #[test]
    fn a_mean_leaves_out_what_is_not_defined() {
        assert_eq!(mean([Some(1.0), None, Some(0.5)].into_iter()), Some(0.75));
        assert_eq!(mean([None].into_iter()), None);
    }
}
