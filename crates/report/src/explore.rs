//! What lets the reader of a page look up single values of a curve: `templates/curves.js` reads it.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is along a curve beside its iterations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Along {
    /// Epochs of an iteration, where they are known.
    pub(crate) epochs_an_iteration: Option<f64>,
    pub(crate) milestones: Vec<Milestone>,
}

/// Something that happened at an iteration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Milestone {
    pub(crate) iteration: usize,
    /// In a word or two.
    pub(crate) name: &'static str,
}

/// A chart on a page.
#[derive(Debug, Serialize)]
pub(crate) struct Explored {
    /// The `<svg>` element.
    pub(crate) figure: String,
    pub(crate) title: String,
    /// Its values as JSON.
    pub(crate) values: String,
}

/// Where the curves are in a drawing.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Plot {
    /// Left, top, right, bottom.
    pub(crate) plot: [f64; 4],
    /// The iterations at the left and at the right.
    pub(crate) range: [f64; 2],
}

/// The keys are those that the script reads.
#[derive(Serialize)]
struct Values<'a> {
    iterations: Vec<usize>,
    epochs: Option<Vec<String>>,
    #[serde(flatten)]
    plot: Plot,
    series: Vec<Series<'a>>,
}

#[derive(Serialize)]
struct Series<'a> {
    name: &'a str,
    /// At each of the iterations; none where the curve has no point there.
    values: Vec<Option<String>>,
}

impl Along {
    /// Those among the iterations that are drawn.
    pub(crate) fn milestones_between(&self, [from, to]: [f64; 2]) -> impl Iterator<Item = &Milestone> {
        self.milestones.iter().filter(move |milestone| (from..=to).contains(&(milestone.iteration as f64)))
    }

    /// The values of curves, each with its name and its points, for the script.
    pub(crate) fn values<'a>(
        &self,
        series: impl Iterator<Item = (&'a str, &'a [(f64, f64)])>,
        format: fn(f64) -> String,
        plot: Plot,
    ) -> String {
        let curves: Vec<(&str, BTreeMap<usize, f64>)> = series
            .map(|(name, points)| {
                (name, points.iter().map(|&(iteration, value)| (iteration as usize, value)).collect())
            })
            .collect();
        let mut iterations: Vec<usize> = curves.iter().flat_map(|(_, points)| points.keys().copied()).collect();
        iterations.sort_unstable();
        iterations.dedup();
        let epoch = |epochs: f64| iterations.iter().map(|&it| format!("{:.2}", it as f64 * epochs)).collect();
        let of_curve = |(name, points): &(&'a str, BTreeMap<usize, f64>)| Series {
            name,
            values: iterations.iter().map(|iteration| points.get(iteration).map(|&value| format(value))).collect(),
        };
        let values = Values {
            epochs: self.epochs_an_iteration.map(epoch),
            plot,
            series: curves.iter().map(of_curve).collect(),
            iterations: iterations.clone(),
        };
        // Inside of a script element, nothing may look like its end.
        serde_json::to_string(&values).expect("the keys are strings").replace('<', "\\u003c")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_has_its_values_at_the_iterations_of_all() {
        let along = Along { epochs_an_iteration: Some(0.1), milestones: Vec::new() };
        let curves = [("</script>", &[(10.0, 1.0), (20.0, 0.5)][..]), ("b", &[(20.0, 3.0)][..])];
        let text = along.values(
            curves.into_iter(),
            |value| format!("{value:.1}"),
            Plot { plot: [0.0; 4], range: [10.0, 20.0] },
        );
        assert!(text.contains("\"range\":[10.0,20.0]"), "{text}");
        assert!(!text.contains('<'), "{text}");
        let values: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(values["iterations"], serde_json::json!([10, 20]));
        assert_eq!(values["epochs"], serde_json::json!(["1.00", "2.00"]));
        assert_eq!(values["series"][0], serde_json::json!({"name": "</script>", "values": ["1.0", "0.5"]}));
        assert_eq!(values["series"][1]["values"], serde_json::json!([null, "3.0"]));
    }

    #[test]
    fn what_happened_before_the_first_point_or_after_the_last_is_left_out() {
        let milestone = |iteration| Milestone { iteration, name: "best" };
        let along = Along { epochs_an_iteration: None, milestones: vec![milestone(1), milestone(5), milestone(11)] };
        assert_eq!(along.milestones_between([2.0, 10.0]).collect::<Vec<_>>(), [&milestone(5)]);
    }
}
