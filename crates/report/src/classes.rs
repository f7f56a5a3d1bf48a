//! Precision, recall, F1, areas and support of each class, and their means; the pairs that are confused most often.

use backproof_train::{ClassResult, EvaluationResult};
use serde::Serialize;

use crate::mistakes::Mistakes;
use crate::ranking::Ranking;

/// Rows of a table that is read as a whole. Of more classes, so many with the lowest F1 have a table before that of all.
const MOST: usize = 20;
/// Rows of the table of pairs.
const PAIRS: usize = 20;
/// Of so few classes, the confusion matrix is read at a glance and needs no list of pairs.
const FEW: usize = 10;

/// A row of the table: percentages with two decimals, areas with four, a dash where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ClassRow {
    pub(crate) name: String,
    pub(crate) precision: String,
    pub(crate) recall: String,
    pub(crate) f1: String,
    pub(crate) auc: String,
    pub(crate) average_precision: String,
    pub(crate) true_positives: usize,
    pub(crate) support: usize,
}

/// The rows of all classes, in label order, and what is made of them.
#[derive(Debug, Serialize)]
pub(crate) struct Classes {
    pub(crate) rows: Vec<ClassRow>,
    /// Plain (macro) means over the classes that have the figure; sums of images.
    pub(crate) mean: ClassRow,
    /// The rows with the lowest F1, the lowest first; empty of so few classes that all are read.
    worst: Vec<ClassRow>,
    /// Whether there are areas.
    pub(crate) has_areas: bool,
}

/// A pair of classes that was confused.
#[derive(Debug, Serialize)]
pub(crate) struct PairRow {
    label: String,
    predicted: String,
    count: usize,
    /// The share of the images of the true class, 0 to 1.
    share: f64,
    /// Which pair it is for the list of misclassified images, if that has one of it.
    leads_to: Option<[usize; 2]>,
}

impl Classes {
    pub(crate) fn new(result: &EvaluationResult, ranking: Option<&Ranking>) -> Self {
        let classes = &result.classes;
        let ranked = |class: usize| ranking.and_then(|ranking| ranking.classes.get(class)?.as_ref());
        let auc = |class: usize| ranked(class).and_then(|ranked| ranked.areas.auc);
        let average_precision = |class: usize| ranked(class).and_then(|ranked| ranked.areas.average_precision);
        let row = |(label, class): (usize, &ClassResult)| ClassRow {
            name: class.class.clone(),
            precision: percent(class.precision),
            recall: percent(class.recall),
            f1: percent(class.f1()),
            auc: area(auc(label)),
            average_precision: area(average_precision(label)),
            true_positives: class.true_positives,
            support: class.support,
        };
        let rows: Vec<ClassRow> = classes.iter().enumerate().map(row).collect();
        let mut worst: Vec<usize> = if rows.len() > MOST { (0..rows.len()).collect() } else { Vec::new() };
        // A class without F1 is not the worst.
        worst.sort_by(|&a, &b| classes[a].f1().unwrap_or(2.0).total_cmp(&classes[b].f1().unwrap_or(2.0)));
        worst.truncate(MOST);
        let mean = ClassRow {
            name: "mean".to_owned(),
            precision: percent(result.measures.macro_precision),
            recall: percent(result.measures.balanced_accuracy),
            f1: percent(result.measures.macro_f1),
            auc: area(mean((0..classes.len()).map(auc))),
            average_precision: area(mean((0..classes.len()).map(average_precision))),
            true_positives: classes.iter().map(|class| class.true_positives).sum(),
            support: classes.iter().map(|class| class.support).sum(),
        };
        Self {
            worst: worst.into_iter().map(|class| rows[class].clone()).collect(),
            rows,
            mean,
            has_areas: ranking.is_some(),
        }
    }
}

/// The pairs that are confused most often; none of so few classes that the matrix shows them.
pub(crate) fn pairs(result: &EvaluationResult, mistakes: &Mistakes) -> Vec<PairRow> {
    if result.classes.len() <= FEW {
        return Vec::new();
    }
    let row = |pair: &crate::mistakes::Pair| PairRow {
        label: mistakes.names[pair.label].clone(),
        predicted: mistakes.names[pair.predicted].clone(),
        count: pair.count,
        share: pair.count as f64 / result.classes[pair.label].support.max(1) as f64,
        leads_to: mistakes.shows(pair.label, pair.predicted).then_some([pair.label, pair.predicted]),
    };
    mistakes.pairs.iter().take(PAIRS).map(row).collect()
}

/// The mean over the classes that have the figure.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", 100.0 * share))
}

fn area(area: Option<f64>) -> String {
    area.map_or_else(|| "–".to_owned(), |area| format!("{area:.4}"))
}

#[cfg(test)]
mod tests {
    use backproof_spec::Loss;
    use backproof_train::{Evaluation, Prediction};

    use super::*;

    fn evaluation(classes: usize, said: &[(usize, usize)]) -> (Vec<String>, Evaluation) {
        let mut evaluation = Evaluation::new(Loss::CrossEntropy, classes);
        evaluation.predictions = said
            .iter()
            .enumerate()
            .map(|(index, &(label, predicted))| {
                let mut probabilities = vec![0.1 / classes as f64; classes];
                probabilities[predicted] = 0.9;
                Prediction { index, label, predicted, probabilities: probabilities.into(), loss: 0.0 }
            })
            .collect();
        ((0..classes).map(|class| format!("c{class}")).collect(), evaluation)
    }

    #[test]
    fn a_mean_leaves_out_what_is_not_defined() {
        let (names, evaluation) = evaluation(3, &[(0, 0), (0, 1), (1, 1), (1, 1)]);
        let ranking = Ranking::of_predictions(names.clone(), &evaluation.predictions);
        let classes = Classes::new(&evaluation.result("test", None, &names), Some(&ranking));
        let [first, .., last] = &classes.rows[..] else { panic!() };
        assert_eq!((first.recall.as_str(), first.precision.as_str(), first.f1.as_str()), ("50.00", "100.00", "66.67"));
        assert_eq!((last.recall.as_str(), last.f1.as_str(), last.auc.as_str()), ("–", "–", "–"));
        assert_eq!((classes.mean.recall.as_str(), classes.mean.f1.as_str()), ("75.00", "73.33"));
        // c0: of the 4 pairs of an image of it and one of others, 2 are right, and 2 equal: 0.75. So are those of c1.
        assert_eq!((first.auc.as_str(), classes.mean.auc.as_str()), ("0.7500", "0.7500"));
        assert!(classes.worst.is_empty());
    }

    #[test]
    fn of_many_classes_the_lowest_f1_comes_first_and_pairs_have_their_share() {
        let mut said: Vec<(usize, usize)> = (0..30).flat_map(|class| [(class, class), (class, class)]).collect();
        said.extend([(7, 9), (7, 9), (8, 2)]);
        let (names, evaluation) = evaluation(30, &said);
        let result = evaluation.result("test", None, &names);
        let classes = Classes::new(&result, None);
        // c7 has 2 of 4 and c9 also 2 wrong ones: both 2/3.
        let worst: Vec<&str> = classes.worst.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((worst.len(), &worst[..4]), (MOST, &["c7", "c9", "c2", "c8"][..]));
        assert_eq!(classes.rows[0].auc, "–");
        let mistakes = Mistakes::new(names, &evaluation.predictions, None);
        let pairs = pairs(&result, &mistakes);
        assert_eq!((pairs.len(), pairs[0].count, pairs[0].share), (2, 2, 0.5));
        assert_eq!(
            (pairs[0].label.as_str(), pairs[0].predicted.as_str(), pairs[0].leads_to),
            ("c7", "c9", Some([7, 9]))
        );
    }
}
