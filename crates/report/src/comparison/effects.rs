//! What each key of a sweep does by itself: the accuracy of each of its values, over the points that have it.

use serde::Serialize;

use crate::statistics::mean_and_deviation;

/// A key with its values.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Effect {
    pub(super) key: String,
    pub(super) values: Vec<ValueEffect>,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ValueEffect {
    pub(super) value: String,
    /// Mean and sample standard deviation over the points, in percent.
    pub(super) accuracy: String,
    pub(super) points: usize,
}

/// The effects of `keys`. Each point has a value for each key, and a mean accuracy if some run of it is done. Of a single
/// key the table of points says the same, so there are none.
pub(super) fn effects(keys: &[String], points: &[(&[String], Option<f64>)]) -> Vec<Effect> {
    if keys.len() < 2 {
        return Vec::new();
    }
    let of_key = |(place, key): (usize, &String)| {
        let mut values: Vec<&String> = Vec::new();
        for (of_point, _) in points {
            if !values.contains(&&of_point[place]) {
                values.push(&of_point[place]);
            }
        }
        let of_value = |value: &String| {
            let with_it = points.iter().filter(|(of_point, _)| of_point[place] == *value);
            let accuracies: Vec<f64> = with_it.filter_map(|(_, accuracy)| *accuracy).collect();
            let (mean, deviation) = mean_and_deviation(&accuracies)?;
            let percent = |share: f64| format!("{:.2}", 100.0 * share);
            let accuracy = deviation.map_or(percent(mean), |it| format!("{} ± {}", percent(mean), percent(it)));
            Some(ValueEffect { value: value.clone(), accuracy, points: accuracies.len() })
        };
        Effect { key: key.clone(), values: values.into_iter().filter_map(of_value).collect() }
    };
    // A key whose every point has a value of its own has no effect by itself.
    keys.iter().enumerate().map(of_key).filter(|effect| effect.values.iter().any(|value| value.points > 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_of_a_value_is_the_mean_over_the_points_that_have_it() {
        let values = |rate: &str, momentum: &str| [rate.to_owned(), momentum.to_owned()];
        let points = [values("0.1", "0.9"), values("0.1", "0.5"), values("0.2", "0.9"), values("0.2", "0.5")];
        let accuracies = [Some(0.9), Some(0.8), Some(0.7), None];
        let points: Vec<(&[String], Option<f64>)> = points.iter().map(|values| &values[..]).zip(accuracies).collect();
        let keys = ["rate".to_owned(), "momentum".to_owned()];
        let effects = effects(&keys, &points);
        let found: Vec<(&str, &str, usize)> = effects
            .iter()
            .flat_map(|effect| &effect.values)
            .map(|it| (it.value.as_str(), it.accuracy.as_str(), it.points))
            .collect();
        assert_eq!(
            found,
            [("0.1", "85.00 ± 7.07", 2), ("0.2", "70.00", 1), ("0.9", "80.00 ± 14.14", 2), ("0.5", "80.00", 1)]
        );
        assert!(super::effects(&keys[..1], &points).is_empty());
    }
}
