//! Runs that end early, and those of them that were stopped before.

use super::*;

/// An improvement by 1,000 does not happen: the first epoch of 6 iterations stays the best, and the run ends after two
/// more.
fn ends_at_18(engine: &str, watch: &str, more: &[&str]) -> Experiment {
    let rule = format!("training.early_stopping={{watch=\"{watch}\",patience=2,least_change=1000.0}}");
    let mut changes = vec!["training.iterations=100", &rule];
    changes.extend(more);
    small(LINEAR, engine, &changes)
}

#[test]
fn a_run_ends_early_with_everything_that_belongs_to_an_end() {
    for watch in ["training-loss", "validation-loss", "validation-accuracy"] {
        let runs = tempfile::tempdir().unwrap();
        let folder = run(&ends_at_18("compiled", watch, &[]), runs.path()).unwrap();
        let summary = folder.record().unwrap().summary.unwrap();
        let ended_early = summary.ended_early.unwrap();
        assert_eq!((ended_early.iteration, ended_early.best_iteration, ended_early.waited), (18, 6, 2), "{watch}");
        assert_eq!(ended_early.watch.name(), watch);
        // The end has a report, a validation and a checkpoint, though none of them is due after 18 iterations.
        let last = folder.reports().unwrap().pop().unwrap();
        assert_eq!((last.iteration, last.epoch), (18, 3.0));
        assert!(last.validation_accuracy.is_some());
        assert_eq!(folder.last().position().unwrap().iteration, 18);
        let log = fs::read_to_string(folder.path().join("log.txt")).unwrap();
        assert!(log.contains("ended early at iteration 18: the "), "{log}");

        let refused = |iterations| {
            let folder = RunFolder::open(folder.path()).unwrap();
            let stop = AtomicBool::new(false);
            resume(folder, iterations, None, &setup(runs.path()), &mut crate::Silent, &stop).unwrap_err().to_string()
        };
        for iterations in [None, Some(200)] {
            let error = refused(iterations);
            assert!(error.starts_with("the run ended early at iteration 18: "), "{error}");
        }
    }
}

#[test]
fn the_value_that_is_watched_is_that_of_the_epoch() {
    let runs = tempfile::tempdir().unwrap();
    // A report at the end of each epoch has the same images.
    let experiment = ends_at_18("compiled", "training-loss", &["training.report_every=6"]);
    let folder = run(&experiment, runs.path()).unwrap();
    let first = folder.reports().unwrap().remove(0);
    assert_eq!(first.iteration, 6);
    let best = folder.record().unwrap().summary.unwrap().ended_early.unwrap().best;
    assert!((best - first.classification_loss).abs() < 1e-12, "{best}, {}", first.classification_loss);
}

#[test]
fn a_run_that_is_stopped_ends_early_where_it_would_have() {
    for engine in ENGINES {
        for watch in ["training-loss", "validation-loss"] {
            for stops in [&[5][..], &[6], &[12, 13], &[17]] {
                assert_exact(&ends_at_18(engine, watch, &[]), stops, &format!("{engine}, {watch}, {stops:?}"));
            }
        }
        let random = ends_at_18(engine, "validation-accuracy", &["data.order=random"]);
        assert_exact(&random, &[7, 11], &format!("{engine}, random batches"));
    }
}
