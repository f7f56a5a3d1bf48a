//! Which point of a sweep is the best, and which others its seeds do not tell apart from it.

use backproof_report::{Contrast, LEVEL, against_first, holm};
use serde::Serialize;

use super::outcome::Figures;
use super::point::{Point, ToBest};

/// The accuracy by which points are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RankedBy {
    /// The best validation accuracy of each run.
    Validation,
    /// Where no run has validation images. Who chooses by it tunes on the test images.
    Test,
}

impl RankedBy {
    /// How points are sorted, in sentences.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Validation => {
                "Points are sorted by the best validation accuracy of each run. The test accuracy is that of the last \
                 weights. Do not choose by it."
            }
            Self::Test => {
                "No run has validation images, so points are sorted by the test accuracy of the last weights. Whoever \
                 chooses by it tunes on the test images."
            }
        }
    }

    fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Validation => figures.validation_accuracy,
            Self::Test => Some(figures.test_accuracy),
        }
    }

    fn mean(self, point: &Point) -> Option<f64> {
        match self {
            Self::Validation => point.validation_accuracy_mean,
            Self::Test => point.test_accuracy_mean,
        }
    }
}

/// Sorts the points, best first, and compares each with the first, if it has all seeds of the first. Points without an accuracy come last, and points that
/// are equally good stay in the order of the file.
pub(crate) fn rank(points: &mut [Point]) -> RankedBy {
    let by = if points.iter().any(|point| point.validation_accuracy_mean.is_some()) {
        RankedBy::Validation
    } else {
        RankedBy::Test
    };
    points.sort_by(|one, other| {
        let key = |point: &Point| by.mean(point).unwrap_or(f64::NEG_INFINITY);
        key(other).total_cmp(&key(one))
    });
    let Some(best) = points.first() else { return by };
    let seeds: Vec<u64> =
        best.figures().filter(|(_, figures)| by.of(figures).is_some()).map(|(seed, _)| seed).collect();
    let rows: Vec<Option<Vec<f64>>> = points.iter().map(|point| accuracies(by, point, &seeds)).collect();
    let complete: Vec<Vec<f64>> = rows.iter().flatten().cloned().collect();
    let Some(contrasts) = against_first(&complete) else { return by };
    let p: Vec<f64> = contrasts.iter().map(|contrast| contrast.p).collect();
    let mut compared = contrasts.into_iter().zip(holm(&p));
    for (point, _) in points.iter_mut().zip(&rows).skip(1).filter(|(_, row)| row.is_some()) {
        point.to_best = compared.next().map(|(Contrast { mean, interval, .. }, p)| ToBest {
            difference: mean,
            interval,
            p,
            seeds: seeds.len(),
            within_noise: p >= LEVEL,
        });
    }
    by
}

/// The accuracies of a point with these seeds; `None` where one of them is missing.
fn accuracies(by: RankedBy, point: &Point, seeds: &[u64]) -> Option<Vec<f64>> {
    let of_seed = |seed: &u64| point.figures().find(|(other, _)| other == seed).and_then(|(_, figures)| by.of(figures));
    seeds.iter().map(of_seed).collect()
}

/// The run of a point to use: that of the seed with the highest accuracy, the first of equal ones. Its place among the
/// runs of the point.
pub(crate) fn best_run(by: RankedBy, point: &Point) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (place, run) in point.runs.iter().enumerate() {
        let accuracy = run.outcome.as_ref().and_then(|outcome| by.of(outcome.figures.as_ref()?));
        if let Some(accuracy) = accuracy
            && best.is_none_or(|(_, most)| accuracy > most)
        {
            best = Some((place, accuracy));
        }
    }
    best.map(|(place, _)| place)
}
