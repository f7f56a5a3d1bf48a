//! The results for scripts: `results.csv` and `runs.csv`. Columns keep their names, and those of the keys come last.

use ::csv::Writer;

use super::results::Results;

impl Results {
    /// `results.csv`: a line for each point, best first.
    pub(crate) fn points_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = Writer::from_writer(Vec::new());
        let head = [
            "rank",
            "point",
            "seeds",
            "failed",
            "missing",
            "test_accuracy_mean",
            "test_accuracy_deviation",
            "validation_accuracy_mean",
            "validation_accuracy_deviation",
            "difference_to_best",
            "p_value",
            "parameters",
            "training_seconds_median",
        ];
        csv.write_record(head.into_iter().chain(self.keys.iter().map(String::as_str)))?;
        for (rank, point) in self.points.iter().enumerate() {
            let fixed = [
                (rank + 1).to_string(),
                point.name.clone().unwrap_or_default(),
                point.seeds.to_string(),
                point.failed.to_string(),
                point.missing.to_string(),
                number(point.test_accuracy_mean),
                number(point.test_accuracy_deviation),
                number(point.validation_accuracy_mean),
                number(point.validation_accuracy_deviation),
                number(point.to_best.as_ref().map(|it| it.difference)),
                number(point.to_best.as_ref().map(|it| it.p)),
                point.parameters.to_string(),
                number(point.training_seconds_median),
            ];
            let values = self.keys.iter().map(|key| point.value(key).unwrap_or_default().to_owned());
            csv.write_record(fixed.into_iter().chain(values))?;
        }
        Ok(csv.into_inner()?)
    }

    /// `runs.csv`: a line for each run, in the order of the sweep.
    pub(crate) fn runs_csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = Writer::from_writer(Vec::new());
        let head = [
            "number",
            "point",
            "seed",
            "status",
            "test_accuracy",
            "test_loss",
            "validation_accuracy",
            "parameters",
            "training_seconds",
            "folder",
        ];
        csv.write_record(head.into_iter().chain(self.keys.iter().map(String::as_str)))?;
        let mut runs: Vec<_> =
            self.points.iter().flat_map(|point| point.runs.iter().map(move |run| (run, point))).collect();
        runs.sort_by_key(|(run, _)| run.number);
        for (run, point) in runs {
            let figures = run.outcome.as_ref().and_then(|outcome| outcome.figures.as_ref());
            let status = match &run.outcome {
                Some(outcome) => outcome.status.name(),
                None if run.unreadable.is_some() => "unreadable",
                None => "missing",
            };
            let fixed = [
                run.number.to_string(),
                point.name.clone().unwrap_or_default(),
                run.seed.to_string(),
                status.to_owned(),
                number(figures.map(|it| it.test_accuracy)),
                number(figures.map(|it| it.test_loss)),
                number(figures.and_then(|it| it.validation_accuracy)),
                point.parameters.to_string(),
                number(figures.map(|it| it.training_seconds)),
                run.folder.clone(),
            ];
            let values = self.keys.iter().map(|key| point.value(key).unwrap_or_default().to_owned());
            csv.write_record(fixed.into_iter().chain(values))?;
        }
        Ok(csv.into_inner()?)
    }
}

/// The shortest digits that give the same number back; nothing for none.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
