//! `train --tensorboard`, as typed, read back with a reader that shares nothing with the writer but the format.

use std::fs;

use backproof_tests::events::{metrics, scalars};
use backproof_tests::{backproof, latest};

#[test]
fn tensorboard_has_every_figure_of_the_metrics_also_of_a_resumed_run() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke", "--tensorboard"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let events = run.join("tensorboard");
    assert_eq!(scalars(&events), metrics(&run));
    // Reports at 5, 10, 15, 20, of which 10 and 20 are validated.
    let of_layers = |tag: &str| tag.contains("/conv") || tag.contains("/linear") || tag.contains("/relu");
    let (layers, others): (Vec<_>, Vec<_>) = scalars(&events).into_iter().partition(|(_, tag, _)| of_layers(tag));
    assert_eq!(others.len(), 4 * 5 + 2 * 2);
    // Looks at the layers at 1 and 20. The biases are zero at first, so that there is no ratio.
    assert!(layers.iter().all(|(step, ..)| [1, 20].contains(step)), "{layers:?}");
    assert!(layers.iter().any(|(step, tag, _)| (*step, tag.as_str()) == (20, "update_over_weight/conv1.weight")));

    backproof(folder.path()).args(["resume", "runs/quickstart/latest", "--iterations", "30"]).assert().success();
    assert_eq!(scalars(&events), metrics(&run));
    assert_eq!(fs::read_dir(&events).unwrap().count(), 2, "a file for each time");
}

#[test]
fn nothing_is_written_for_tensorboard_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    backproof(folder.path()).args(["resume", "runs/quickstart/latest", "--iterations", "25"]).assert().success();
    assert!(!latest(folder.path(), "quickstart").join("tensorboard").exists());
}

#[test]
fn a_run_that_is_resumed_with_tensorboard_has_the_figures_from_before_too() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let resume = |more: &[&str]| {
        backproof(folder.path()).args(["resume", "runs/quickstart/latest"]).args(more).assert().success();
        assert_eq!(scalars(&run.join("tensorboard")), metrics(&run));
    };
    resume(&["--iterations", "25", "--tensorboard"]);
    // From then on without being asked.
    resume(&["--iterations", "30"]);
}
