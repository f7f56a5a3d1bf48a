//! How well the probability of each class tells its images from all others: ROC, precision and recall at every threshold.

use backproof_train::{Areas, EvaluationResult, Prediction};

use crate::ReportError;
use crate::figure::Figure;
use crate::medium::Medium;
use crate::share_chart::{ShareChart, ShareCurve};

/// Each class against the rest, in label order; `None` of a class without images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    pub(crate) names: Vec<String>,
    pub(crate) classes: Vec<Option<Ranked>>,
}

/// The images, ranked by their probability of one class. Images with equal probabilities are taken together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) areas: Areas,
    /// (false positive rate, true positive rate), from (0, 0) to (1, 1), without points within straight lines.
    /// Empty, as the next one, where not every probability is kept.
    roc: Vec<[f64; 2]>,
    /// (recall, precision) of each threshold that finds more images of the class than the one before, by rising recall.
    precision_recall: Vec<[f64; 2]>,
}

impl Ranking {
    /// Of an evaluation and its predictions.
    pub(crate) fn new(result: &EvaluationResult, predictions: &[Prediction]) -> Self {
        let names = result.classes.iter().map(|class| class.class.clone()).collect();
        if predictions.iter().all(|it| it.every().is_some()) {
            return Self::of_predictions(names, predictions);
        }
        // Of so many classes the evaluation itself gives the areas, and the curves are not known.
        let of_class = |areas: Areas| {
            areas.average_precision.map(|_| Ranked { areas, roc: Vec::new(), precision_recall: Vec::new() })
        };
        Self { classes: result.classes.iter().map(|class| of_class(class.areas)).collect(), names }
    }

    /// Of predictions over the classes `names` that have every probability.
    pub(crate) fn of_predictions(names: Vec<String>, predictions: &[Prediction]) -> Self {
        let mut scores = Vec::with_capacity(predictions.len());
        let mut of_class = |class: usize| {
            scores.clear();
            scores.extend(predictions.iter().filter_map(|it| Some((it.every()?[class], it.label == class))));
            Ranked::new(&mut scores)
        };
        Self { classes: (0..names.len()).map(&mut of_class).collect(), names }
    }

    /// The figures `roc` and `precision-recall`.
    pub(crate) fn figures(&self, medium: Medium) -> Result<Vec<Figure>, ReportError> {
        let ranked = || {
            let known = self.names.iter().zip(&self.classes).filter_map(|(name, it)| Some((name, it.as_ref()?)));
            known.filter(|(_, it)| !it.roc.is_empty())
        };
        let curve = |name: &String, area: f64, points: Vec<[f64; 2]>| ShareCurve { name: name.clone(), area, points };
        let roc = ShareChart {
            name: "roc",
            title: "ROC: each class against the rest",
            axes: ["false positive rate", "true positive rate"],
            area: "area under the curve (AUC)",
            diagonal: true,
            curves: ranked().filter_map(|(name, it)| Some(curve(name, it.areas.auc?, it.roc.clone()))).collect(),
        };
        let precision_recall = ShareChart {
            name: "precision-recall",
            title: "Precision and recall: each class against the rest",
            axes: ["recall", "precision"],
            area: "average precision (AP)",
            diagonal: false,
            curves: ranked()
                .filter_map(|(name, it)| Some(curve(name, it.areas.average_precision?, it.steps())))
                .collect(),
        };
        let figures = [roc.figure(medium)?, precision_recall.figure(medium)?];
        Ok(figures.into_iter().flatten().collect())
    }
}

impl Ranked {
    /// Of a probability for each image, and whether the image is of the class; these are sorted.
    fn new(scores: &mut [(f64, bool)]) -> Option<Self> {
        let positives = scores.iter().filter(|(_, is_of_class)| *is_of_class).count();
        let negatives = scores.len() - positives;
        if positives == 0 {
            return None;
        }
        scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let recall = |found: usize| found as f64 / positives as f64;
        // False and true positives at each threshold.
        let mut corners = vec![[0, 0]];
        let (mut counts, mut precision_recall) = (Vec::new(), Vec::new());
        let mut before = [0, 0];
        for equal in scores.chunk_by(|a, b| a.0 == b.0) {
            let found = equal.iter().filter(|(_, is_of_class)| *is_of_class).count();
            let now = [before[0] + equal.len() - found, before[1] + found];
            counts.push([equal.len() - found, found]);
            if found > 0 {
                let precision = now[1] as f64 / (now[0] + now[1]) as f64;
                precision_recall.push([recall(now[1]), precision]);
            }
            if let [.., first, second] = corners[..]
                && is_straight(first, second, now)
            {
                corners.pop();
            }
            corners.push(now);
            before = now;
        }
        let rate = |count: usize, of: usize| if of > 0 { count as f64 / of as f64 } else { 0.0 };
        Some(Self {
            areas: Areas::of(&counts),
            roc: corners.iter().map(|&[wrong, right]| [rate(wrong, negatives), rate(right, positives)]).collect(),
            precision_recall,
        })
    }

    /// Precision as the steps under which average precision is the area.
    fn steps(&self) -> Vec<[f64; 2]> {
        let mut steps = Vec::with_capacity(2 * self.precision_recall.len());
        let mut recall = 0.0;
        for &[next, precision] in &self.precision_recall {
            steps.extend([[recall, precision], [next, precision]]);
            recall = next;
        }
        steps
    }
}

/// Whether the second of three points, none of which is left of or below the one before, lies on a line between the
/// others.
fn is_straight(first: [usize; 2], second: [usize; 2], third: [usize; 2]) -> bool {
    let [along, up] = [second[0] - first[0], second[1] - first[1]];
    along * (third[1] - second[1]) == up * (third[0] - second[0])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn pairs(value: &Value) -> Vec<[f64; 2]> {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn are_close(one: &[f64; 2], other: &[f64; 2]) -> bool {
        (one[0] - other[0]).abs() < 1e-12 && (one[1] - other[1]).abs() < 1e-12
    }

    #[test]
    fn curves_and_areas_are_those_of_scikit_learn() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/evaluation/evaluations.json");
        let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut compared = 0;
        for case in cases.as_array().unwrap() {
            let labels: Vec<usize> = serde_json::from_value(case["labels"].clone()).unwrap();
            let rows: Vec<Vec<f64>> = serde_json::from_value(case["probabilities"].clone()).unwrap();
            let names: Vec<String> = (0..rows[0].len()).map(|class| class.to_string()).collect();
            let prediction = |(&label, probabilities): (&usize, &Vec<f64>)| Prediction {
                index: 0,
                label,
                predicted: 0,
                probabilities: probabilities.clone().into(),
                loss: 0.0,
            };
            let predictions: Vec<Prediction> = labels.iter().zip(&rows).map(prediction).collect();
            let ranking = Ranking::of_predictions(names, &predictions);
            for (ours, theirs) in ranking.classes.iter().zip(case["classes"].as_array().unwrap()) {
                let Some(ours) = ours else {
                    assert!(theirs.is_null());
                    continue;
                };
                let auc = ours.areas.auc.unwrap();
                assert!((auc - theirs["auc"].as_f64().unwrap()).abs() < 1e-12, "{auc}");
                let average = ours.areas.average_precision.unwrap();
                assert!((average - theirs["average_precision"].as_f64().unwrap()).abs() < 1e-12, "{average}");
                // Ours leave out points within lines; so none is missing where each is theirs and the area is the same.
                let (roc, curve) = (pairs(&theirs["roc"]), pairs(&theirs["precision_recall"]));
                assert!(ours.roc.iter().all(|point| roc.iter().any(|it| are_close(point, it))), "{:?}", ours.roc);
                let area: f64 =
                    ours.roc.windows(2).map(|two| (two[1][0] - two[0][0]) * (two[1][1] + two[0][1]) / 2.0).sum();
                assert!((area - auc).abs() < 1e-12 && ours.roc.len() < roc.len().max(3));
                let is_theirs = |point: &[f64; 2]| curve.iter().any(|it| are_close(point, it));
                assert!(ours.precision_recall.iter().all(is_theirs), "{:?}", ours.precision_recall);
                let steps = ours.steps();
                let area: f64 = steps.windows(2).map(|two| (two[1][0] - two[0][0]) * two[0][1]).sum();
                assert!((area - average).abs() < 1e-12, "{area}");
                compared += 1;
            }
        }
        assert_eq!(compared, 12);
    }

    #[test]
    fn a_class_without_images_has_no_curve_and_one_with_all_has_no_roc() {
        let prediction = |probabilities: [f64; 2]| Prediction {
            index: 0,
            label: 1,
            predicted: 1,
            probabilities: probabilities.to_vec().into(),
            loss: 0.0,
        };
        let names = vec!["a".to_owned(), "b".to_owned()];
        let ranking = Ranking::of_predictions(names.clone(), &[prediction([0.1, 0.9]), prediction([0.4, 0.6])]);
        assert_eq!(ranking.classes[0], None);
        let ranked = ranking.classes[1].as_ref().unwrap();
        assert_eq!(ranked.areas, Areas { auc: None, average_precision: Some(1.0) });
        let figures: Vec<String> =
            ranking.figures(Medium::Screen).unwrap().into_iter().map(|figure| figure.name).collect();
        assert_eq!(figures, ["precision-recall"]);
        assert!(Ranking::of_predictions(names, &[]).figures(Medium::Screen).unwrap().is_empty());
    }
}
