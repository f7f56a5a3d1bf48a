//! Runs that end early, and those of them that were stopped before.

use super::*;

/// An improvement by 1,000 does not happen: the first epoch of 6 iterations stays the best, and the run ends after two
/// more.
fn ends_at_18(engine: &str, watch: &str, more: &[&str]) -> Experiment {
    let rule = format!("training.early_stopping={{watch=\"{watch}\",patience=2,least_change=1000.0}}");
    let changes = [&["training.iterations=100", &rule][..], more].concat();
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

const RESTORE: &str = "training.early_stopping.restore_best=true";

#[test]
fn a_run_that_restores_the_best_epoch_ends_with_its_weights() {
    for watch in ["training-loss", "validation-loss", "validation-accuracy"] {
        let runs = tempfile::tempdir().unwrap();
        let short = run(&small(LINEAR, "compiled", &["training.iterations=6"]), runs.path()).unwrap();
        let folder = run(&ends_at_18("compiled", watch, &[RESTORE]), runs.path()).unwrap();
        let [ended, six] = [&folder, &short].map(|run| run.record().unwrap().summary.unwrap());
        assert_eq!((ended.ended_early.unwrap().iteration, ended.restored), (18, Some(6)), "{watch}");
        assert_eq!((ended.test_accuracy, ended.test_loss), (six.test_accuracy, six.test_loss));
        assert_eq!(folder.result().unwrap().unwrap().iteration, Some(6));
        let log = fs::read_to_string(folder.path().join("log.txt")).unwrap();
        assert!(log.contains("the weights of iteration 6, the end of the best epoch, are restored\n"), "{log}");
        // Who takes the weights of the run takes those; the checkpoint keeps the last ones too.
        assert_eq!(folder.weights(false).unwrap(), short.weights(false).unwrap());
        let again = crate::evaluate(
            &folder,
            crate::Split::Test,
            &crate::Weights::Last,
            None,
            &setup(runs.path()),
            &mut crate::Silent,
            &AtomicBool::new(false),
        );
        let again = again.unwrap().result;
        assert_eq!((again.iteration, again.accuracy), (Some(6), six.test_accuracy));
        let last = folder.path().join("checkpoints/last");
        let [kept, restored] =
            ["weights", "best_epoch"].map(|name| fs::read(last.join(name).with_extension("safetensors")));
        assert_ne!(kept.unwrap(), restored.unwrap());
        assert_eq!(folder.last().sound(), Some(18));
    }
}

#[test]
fn a_damaged_file_of_the_best_epoch_is_refused_by_name() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&ends_at_18("compiled", "training-loss", &[RESTORE]), runs.path()).unwrap();
    fs::write(folder.path().join("checkpoints/last/best_epoch.safetensors"), "other").unwrap();
    assert!(folder.weights(false).unwrap_err().to_string().contains("best_epoch.safetensors"));
    assert_eq!(folder.last().sound(), None);
}

#[test]
fn a_run_that_is_over_without_an_early_end_restores_too_and_goes_on_from_its_last_weights() {
    let rule = "training.early_stopping={patience=100,least_change=1000.0,restore_best=true}";
    let length = |iterations| small(LINEAR, "compiled", &[rule, iterations, "training.checkpoint_every=12"]);
    let runs = tempfile::tempdir().unwrap();
    let longer = run(&length("training.iterations=24"), &runs.path().join("longer")).unwrap();
    let short = run(&length("training.iterations=12"), &runs.path().join("short")).unwrap();
    for run in [&longer, &short] {
        let summary = run.record().unwrap().summary.unwrap();
        assert_eq!((summary.ended_early, summary.restored), (None, Some(6)));
    }
    let ending = resume(short, Some(24), None, &setup(runs.path()), &mut crate::Silent, &AtomicBool::new(false));
    let Ending::Finished(finished) = ending.unwrap() else { panic!("interrupted") };
    let went_on = RunFolder::open(&finished.folder).unwrap();
    for name in ["weights.safetensors", "best_epoch.safetensors", "config.toml"] {
        let [one, other] =
            [&longer, &went_on].map(|run| fs::read(run.path().join("checkpoints/last").join(name)).unwrap());
        assert!(one == other, "{name} differs");
    }
}

#[test]
fn a_run_that_is_stopped_restores_what_it_would_have() {
    for engine in ENGINES {
        for watch in ["training-loss", "validation-loss"] {
            for stops in [&[5][..], &[6], &[12, 13], &[17]] {
                assert_exact(&ends_at_18(engine, watch, &[RESTORE]), stops, &format!("{engine}, {watch}, {stops:?}"));
            }
        }
    }
    // Every improvement counts, so that the best epoch changes while the run is stopped and goes on.
    let improving = ["training.iterations=60", "training.early_stopping={patience=3,restore_best=true}"];
    assert_exact(&small(LINEAR, "compiled", &improving), &[7, 20, 33, 47], "improving");
}
