//! Runs that report the moving averages of the course.

use super::*;
use crate::TrainingReport;

const EVERY: [&str; 3] = ["training.report_every=1", "training.validate_every=5", "training.iterations=30"];

/// The reports of a run of 30 iterations, one for each.
fn reports(more: &[&str], runs: &Path) -> (RunFolder, Vec<TrainingReport>) {
    let folder = run(&small(LINEAR, "compiled", &[&EVERY, more].concat()), runs).unwrap();
    let reports = folder.reports().unwrap();
    assert_eq!(reports.len(), 30);
    (folder, reports)
}

#[test]
fn the_averages_are_those_of_the_figures_of_each_iteration() {
    let runs = tempfile::tempdir().unwrap();
    let (plain_run, plain) = reports(&[], runs.path());
    let (moving_run, moving) = reports(&["training.averages=moving"], runs.path());
    let [mut loss, mut total, mut accuracy, mut validation] = [0.0; 4];
    for (n, (plain, moving)) in (1..).zip(plain.iter().zip(&moving)) {
        let average = |a: f64, new: f64| {
            if n <= 20 { (a * f64::from(n - 1) + new) / f64::from(n) } else { 0.995 * a + 0.005 * new }
        };
        loss = average(loss, plain.classification_loss);
        total = average(total, plain.total_loss);
        accuracy = average(accuracy, plain.training_accuracy);
        for (found, expected) in
            [(moving.classification_loss, loss), (moving.total_loss, total), (moving.training_accuracy, accuracy)]
        {
            assert!((found - expected).abs() < 1e-12, "iteration {n}: {found}, not {expected}");
        }
        assert_eq!(moving.weight_decay_loss, plain.weight_decay_loss);
        assert_eq!(moving.validation_accuracy.is_some(), n % 5 == 0, "iteration {n}");
        if let Some(new) = plain.validation_accuracy {
            validation = (validation + new) / 2.0;
            assert_eq!(moving.validation_accuracy, Some(validation), "iteration {n}");
        }
        assert_eq!(moving.validation_loss, plain.validation_loss);
    }
    // Only what is said of the run differs: the best checkpoint is that of the best validation.
    assert_eq!(plain_run.weights(false).unwrap(), moving_run.weights(false).unwrap());
    assert_eq!(plain_run.weights(true).unwrap(), moving_run.weights(true).unwrap());
    let best = |run: &RunFolder| run.record().unwrap().summary.unwrap().best_validation;
    assert_eq!(best(&plain_run), best(&moving_run));
    let log = fs::read_to_string(moving_run.path().join("log.txt")).unwrap();
    assert!(log.contains(" ≈ "), "{log}");
}

#[test]
fn a_run_that_is_stopped_reports_the_averages_that_it_would_have() {
    for engine in ENGINES {
        let experiment = small(LINEAR, engine, &["training.averages=moving"]);
        for stops in [&[1][..], &[6], &[7, 8, 13], &[20, 22]] {
            assert_exact(&experiment, stops, &format!("{engine}, {stops:?}"));
        }
    }
}
