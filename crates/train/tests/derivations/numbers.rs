//! Rates of an evaluation.

use crate::Recompute;
use crate::page::Block;

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[
    ("rates_of_two_classes", rates_of_two_classes),
    ("confusion", confusion),
    ("confusion_uneven", confusion_uneven),
    ("roc", roc),
];

fn rates_of_two_classes(block: &Block) {
    let [tp, fn_, fp, tn] = ["TP", "FN", "FP", "TN"].map(|name| block.number(name));
    let (precision, recall) = (tp / (tp + fp), tp / (tp + fn_));
    block.states("accuracy", &[(tp + tn) / (tp + fn_ + fp + tn)]);
    block.states("precision", &[precision]);
    block.states("FDR", &[fp / (tp + fp)]);
    block.states("recall", &[recall]);
    block.states("FNR", &[fn_ / (tp + fn_)]);
    block.states("FPR", &[fp / (fp + tn)]);
    block.states("F1", &[2.0 * precision * recall / (precision + recall)]);
}

/// Recall and precision of three classes.
fn of_classes(counts: &[f64]) -> [Vec<f64>; 2] {
    let at = |row: usize, column: usize| counts[3 * row + column];
    let recall = |class: usize| at(class, class) / (0..3).map(|other| at(class, other)).sum::<f64>();
    let precision = |class: usize| at(class, class) / (0..3).map(|other| at(other, class)).sum::<f64>();
    [(0..3).map(recall).collect(), (0..3).map(precision).collect()]
}

fn confusion(block: &Block) {
    let counts = block.row("counts");
    let [recall, precision] = of_classes(&counts);
    block.states("accuracy", &[(counts[0] + counts[4] + counts[8]) / counts.iter().sum::<f64>()]);
    block.states("FNR", &recall.iter().map(|recall| 1.0 - recall).collect::<Vec<_>>());
    block.states("FDR", &precision.iter().map(|precision| 1.0 - precision).collect::<Vec<_>>());
    block.states("recall", &recall);
    block.states("precision", &precision);
}

fn confusion_uneven(block: &Block) {
    let [recall, precision] = of_classes(&block.row("counts"));
    block.states("recall", &recall);
    block.states("precision", &precision);
}

fn roc(block: &Block) {
    let (positives, negatives) = (block.row("positives"), block.row("negatives"));
    let mut thresholds = [positives.clone(), negatives.clone()].concat();
    thresholds.sort_by(|a, b| b.total_cmp(a));
    let share = |of: &[f64]| {
        let above = |threshold: &f64| of.iter().filter(|&score| score >= threshold).count() as f64 / of.len() as f64;
        std::iter::once(0.0).chain(thresholds.iter().map(above)).collect::<Vec<_>>()
    };
    block.states("FPR", &share(&negatives));
    block.states("recall", &share(&positives));
    let pairs = positives.iter().flat_map(|positive| negatives.iter().map(move |negative| (positive, negative)));
    let in_order = pairs.filter(|(positive, negative)| positive > negative).count();
    block.states("area", &[in_order as f64 / (positives.len() * negatives.len()) as f64]);
}
