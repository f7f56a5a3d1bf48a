//! The curves of one run: losses, accuracies and true positives by iteration.

use backproof_spec::{counted, plural, thousands};
use backproof_train::TrainingReport;

use crate::ReportError;
use crate::chart::{Chart, LABELS};
use crate::explore::{Along, Explored, Milestone};
use crate::figure::Figure;
use crate::medium::Medium;
use crate::scale::Axis;
use crate::series::{Look, Marker, Series};

const TRAINING: Look = Look::new(0, "", None);
const VALIDATION: Look = Look::new(1, "", Some(Marker::Circle));
const TOTAL: Look = Look::new(6, "7 4", None);
const DECAY: Look = Look::new(2, "2 4", None);

/// The chart that is folded on a page.
pub(crate) const WEIGHT_DECAY: &str = "Loss with weight decay";

/// `loss`, `accuracy`, `learning-rate`, `training-true-positives`, with validation images `true-positives`, and with
/// weight decay `loss-with-weight-decay`.
pub(crate) fn figures(
    reports: &[TrainingReport],
    batch_size: usize,
    validation_images: usize,
    medium: Medium,
) -> Result<Vec<Figure>, ReportError> {
    let charts = charts(reports, batch_size, validation_images).into_iter();
    charts.filter_map(|chart| chart.figure(medium).transpose()).collect()
}

/// The same for a page whose reader looks up values.
pub(crate) fn explored(
    reports: &[TrainingReport],
    batch_size: usize,
    validation_images: usize,
    milestones: Vec<Milestone>,
) -> Result<Vec<Explored>, ReportError> {
    // The epochs of a report have few digits; the last one has most of them.
    let of = |report: &TrainingReport| report.epoch / report.iteration as f64;
    let epochs_an_iteration = reports.last().map(of).filter(|&epochs| epochs > 0.0 && epochs.is_finite());
    let along = Along { epochs_an_iteration, milestones };
    let charts = charts(reports, batch_size, validation_images).into_iter();
    charts.filter_map(|chart| chart.explored(&along).transpose()).collect()
}

fn charts(reports: &[TrainingReport], batch_size: usize, validation_images: usize) -> [Chart; 6] {
    [
        loss(reports),
        accuracy(reports),
        true_positives(reports, validation_images),
        training_true_positives(reports, batch_size),
        learning_rate(reports),
        with_weight_decay(reports),
    ]
}

fn series(
    name: &str,
    look: Look,
    reports: &[TrainingReport],
    value: impl Fn(&TrainingReport) -> Option<f64>,
) -> Series {
    let points = reports.iter().filter_map(|report| Some((report.iteration as f64, value(report)?)));
    Series { name: name.to_owned(), points: points.collect(), band: Vec::new(), group: None, look }
}

/// A loss with four decimals, or, of a run that diverged, with its power of ten.
pub(crate) fn nats(loss: f64) -> String {
    if loss.abs() < 1e4 { format!("{loss:.4}") } else { format!("{loss:.3e}") }
}

fn loss(reports: &[TrainingReport]) -> Chart {
    Chart {
        name: "loss",
        title: "Loss",
        unit: "nats".to_owned(),
        axis: Axis::FromZero,
        most: None,
        format: nats,
        labels: LABELS,
        series: vec![
            series("training", TRAINING, reports, |report| Some(report.classification_loss)),
            series("validation", VALIDATION, reports, |report| report.validation_loss),
        ],
    }
}

fn with_weight_decay(reports: &[TrainingReport]) -> Chart {
    let reports = if reports.iter().any(|report| report.weight_decay_loss > 0.0) { reports } else { &[] };
    Chart {
        name: "loss-with-weight-decay",
        title: WEIGHT_DECAY,
        series: vec![
            series("classification", TRAINING, reports, |report| Some(report.classification_loss)),
            series("weight decay", DECAY, reports, |report| Some(report.weight_decay_loss)),
            series("total", TOTAL, reports, |report| Some(report.total_loss)),
        ],
        ..loss(reports)
    }
}

fn accuracy(reports: &[TrainingReport]) -> Chart {
    Chart {
        name: "accuracy",
        title: "Accuracy",
        unit: "% of images".to_owned(),
        axis: Axis::OfValues,
        most: Some(100.0),
        format: |percent| format!("{percent:.2} %"),
        labels: LABELS,
        series: vec![
            series("training", TRAINING, reports, |report| Some(100.0 * report.training_accuracy)),
            series("validation", VALIDATION, reports, |report| Some(100.0 * report.validation_accuracy?)),
        ],
    }
}

fn true_positives(reports: &[TrainingReport], images: usize) -> Chart {
    let count = |report: &TrainingReport| Some((report.validation_accuracy? * images as f64).round());
    Chart {
        name: "true-positives",
        title: "True positives",
        unit: format!("correctly classified of {} {}", thousands(images), plural(images, "validation image")),
        axis: Axis::OfValues,
        most: Some(images as f64),
        format: |count| thousands(count as usize),
        labels: LABELS,
        series: vec![series("validation", VALIDATION, if images > 0 { reports } else { &[] }, count)],
    }
}

/// Of a batch, as a mean over the iterations since the report before.
fn training_true_positives(reports: &[TrainingReport], batch_size: usize) -> Chart {
    Chart {
        name: "training-true-positives",
        title: "True positives in training",
        unit: format!("correctly classified of the {} of a batch", counted(batch_size, "image")),
        axis: Axis::OfValues,
        most: Some(batch_size as f64),
        format: |count| format!("{count:.2}"),
        labels: LABELS,
        series: vec![series("training", TRAINING, if batch_size > 0 { reports } else { &[] }, |report| {
            Some(report.training_accuracy * batch_size as f64)
        })],
    }
}

fn learning_rate(reports: &[TrainingReport]) -> Chart {
    Chart {
        name: "learning-rate",
        title: "Learning rate",
        unit: "α of each iteration".to_owned(),
        axis: Axis::FromZero,
        most: None,
        format: |rate| format!("{rate:.2e}"),
        labels: LABELS,
        series: vec![series("α", TRAINING, reports, |report| Some(report.learning_rate))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(iteration: usize, validation_accuracy: Option<f64>) -> TrainingReport {
        TrainingReport {
            iteration,
            epoch: 0.0,
            learning_rate: 0.1,
            classification_loss: 2.0,
            weight_decay_loss: 0.5,
            total_loss: 2.5,
            training_accuracy: 0.25,
            validation_accuracy,
            validation_loss: validation_accuracy.map(|_| 1.5),
            images_per_second: 1.0,
            seconds: 1.0,
            seconds_left: 0.0,
            averages: backproof_spec::Averages::Plain,
        }
    }

    #[test]
    fn true_positives_are_the_images_behind_the_validation_accuracy() {
        let reports = [report(10, Some(0.1)), report(20, None), report(30, Some(0.29))];
        let chart = true_positives(&reports, 100);
        assert_eq!(chart.series[0].points, [(10.0, 10.0), (30.0, 29.0)]);
        let chart = training_true_positives(&reports, 16);
        assert_eq!(chart.series[0].points, [(10.0, 4.0), (20.0, 4.0), (30.0, 4.0)]);
    }

    #[test]
    fn without_validation_images_nothing_is_said_of_them() {
        let figures = figures(&[report(10, None), report(20, None)], 16, 0, Medium::Screen).unwrap();
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["loss", "accuracy", "training-true-positives", "learning-rate", "loss-with-weight-decay"]);
        assert!(figures.iter().all(|figure| !figure.description.contains("validation")));
    }
}
