//! The curves of the groups: the mean over their runs, with a band from the lowest to the highest.

use std::collections::BTreeMap;

use backproof_train::TrainingReport;

use super::group::Group;
use crate::ReportError;
use crate::chart::{Chart, LABELS_WIDE};
use crate::contents::Contents;
use crate::curves::nats;
use crate::figure::Figure;
use crate::medium::Medium;
use crate::scale::Axis;
use crate::series::{Look, Series};

/// More colours cannot be told apart: the curves of all further groups are grey.
const COLOURED: usize = 10;

/// A chart for each figure that the runs report. `labels` stand at the ends of the curves.
pub(super) fn figures(
    groups: &[Group],
    contents: &[Contents],
    labels: &[String],
    medium: Medium,
) -> Result<Vec<Figure>, ReportError> {
    let series = |value: fn(&TrainingReport) -> Option<f64>| -> Vec<Series> {
        let of_group = |(index, group): (usize, &Group)| {
            let (points, band) = mean(group.runs.iter().map(|&run| contents[run].reports.as_slice()), value);
            let look = if index < COLOURED { Look::of(index) } else { Look::GREY };
            Series { name: labels[index].clone(), points, band, look, group: Some(index) }
        };
        groups.iter().enumerate().map(of_group).collect()
    };
    let accuracy = |name, title, value| Chart {
        name,
        title,
        unit: "% of images".to_owned(),
        axis: Axis::OfValues,
        most: Some(100.0),
        format: |percent| format!("{percent:.2} %"),
        labels: LABELS_WIDE,
        series: series(value),
    };
    let loss = |name, title, value| Chart {
        name,
        title,
        unit: "nats, without weight decay".to_owned(),
        axis: Axis::FromZero,
        most: None,
        format: nats,
        labels: LABELS_WIDE,
        series: series(value),
    };
    let charts = [
        accuracy("validation-accuracy", "Validation accuracy", |it| Some(100.0 * it.validation_accuracy?)),
        loss("validation-loss", "Validation loss", |it| it.validation_loss),
        accuracy("training-accuracy", "Training accuracy", |it| Some(100.0 * it.training_accuracy)),
        loss("training-loss", "Training loss", |it| Some(it.classification_loss)),
    ];
    charts.into_iter().filter_map(|chart| chart.figure(medium).transpose()).collect()
}

/// Points of a curve, and its band: iteration, lowest and highest.
type Curve = (Vec<(f64, f64)>, Vec<[f64; 3]>);

/// The mean at each iteration that all runs with reports have, and the band of two runs or more.
fn mean<'a>(runs: impl Iterator<Item = &'a [TrainingReport]>, value: fn(&TrainingReport) -> Option<f64>) -> Curve {
    let runs: Vec<&[TrainingReport]> = runs.filter(|reports| !reports.is_empty()).collect();
    let mut at: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for report in runs.iter().copied().flatten() {
        at.entry(report.iteration).or_default().extend(value(report));
    }
    at.retain(|_, values| values.len() == runs.len());
    let points =
        at.iter().map(|(&iteration, values)| (iteration as f64, values.iter().sum::<f64>() / values.len() as f64));
    let band = at.iter().map(|(&iteration, values)| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        [iteration as f64, low, high]
    });
    (points.collect(), if runs.len() > 1 { band.collect() } else { Vec::new() })
}
