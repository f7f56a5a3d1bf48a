//! Which point of a sweep is the best, and which others its seeds do not tell apart from it.

use backproof_report::{LEVEL, Paired, holm};
use serde::Serialize;

use super::outcome::Figures;
use super::point::{Point, ToBest};

/// Fewer seeds than these tell no point apart from another: with two, equal differences by chance have no deviation.
pub(crate) const FEWEST_SEEDS: usize = 3;

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

/// Sorts the points, best first, and compares each with the first. Points without an accuracy come last, and points that
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
    let Some((best, others)) = points.split_first_mut() else { return by };
    let compared: Vec<Option<Paired>> = others.iter().map(|point| paired(by, point, best)).collect();
    let p: Vec<f64> = compared.iter().flatten().map(|paired| paired.p).collect();
    let mut corrected = holm(&p).into_iter();
    for (point, paired) in others.iter_mut().zip(compared) {
        point.to_best = paired.map(|Paired { differences, mean, interval, .. }| {
            let p = corrected.next().expect("there is a corrected p-value for each comparison");
            ToBest { difference: mean, interval, p, seeds: differences.len(), within_noise: p >= LEVEL }
        });
    }
    by
}

/// The accuracies of `point` less those of `best`, seed by seed; `None` of too few seeds.
fn paired(by: RankedBy, point: &Point, best: &Point) -> Option<Paired> {
    let of_seed = |seed: u64| best.figures().find(|(other, _)| *other == seed).and_then(|(_, figures)| by.of(figures));
    let differences: Vec<f64> =
        point.figures().filter_map(|(seed, figures)| Some(by.of(figures)? - of_seed(seed)?)).collect();
    if differences.len() < FEWEST_SEEDS {
        return None;
    }
    Paired::of(differences)
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
