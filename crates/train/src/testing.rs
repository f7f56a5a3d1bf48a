//! Small runs on the bundled digits, within a test.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_spec::{Experiment, UpdateRule};
use burn::tensor::Device;

use crate::{Ending, RunFolder, Setup, Silent, TrainError, resume, train};

/// 20 iterations of `mnist-baseline` on the bundled digits, changed by `overrides`.
pub(crate) fn experiment(overrides: &[&str]) -> Experiment {
    const TEXT: &str = r#"
        name = "test"
        [data]
        dataset = "mnist-sample"
        [model]
        name = "mnist-baseline"
        [optimizer]
        learning_rate = 0.05
        [training]
        iterations = 20
        report_every = 5
    "#;
    from_toml(TEXT, overrides)
}

/// An optimizer of every kind: some with all that it may remember, some with the least.
pub(crate) fn optimizers() -> Vec<UpdateRule> {
    const KEYS: [&str; 11] = [
        "kind=momentum weight_decay=1e-2",
        "kind=momentum update=before-momentum",
        "kind=sgd weight_decay=1e-2",
        "kind=sgd momentum=0.9 nesterov=true weight_decay=1e-2",
        "kind=sgd momentum=0.9 dampening=0.3",
        "kind=adagrad learning_rate_decay=0.1 weight_decay=1e-2",
        "kind=rmsprop weight_decay=1e-2",
        "kind=rmsprop momentum=0.9 centered=true epsilon=1e-3",
        "kind=adam weight_decay=1e-2",
        "kind=adam amsgrad=true",
        "kind=adamw amsgrad=true weight_decay=1e-2",
    ];
    let optimizer = |keys: &str| {
        let keys: Vec<String> = keys.split(' ').map(|key| format!("optimizer.{key}")).collect();
        experiment(&keys.iter().map(String::as_str).collect::<Vec<_>>()).optimizer.rule
    };
    KEYS.map(optimizer).into()
}

/// The experiment in `text`, changed by `overrides`.
pub(crate) fn from_toml(text: &str, overrides: &[&str]) -> Experiment {
    let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
    Experiment::from_toml("test", text, &overrides, &backproof_data::data_sets())
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn setup(runs: &Path) -> Setup {
    Setup {
        tensorboard: false,
        device: Device::flex(),
        backend: "flex".to_owned(),
        device_name: "flex".to_owned(),
        data_dir: None,
        runs_dir: runs.to_owned(),
        command_line: Vec::new(),
        git_revision: None,
    }
}

fn finished(ending: Ending) -> RunFolder {
    let Ending::Finished(finished) = ending else { panic!("interrupted") };
    RunFolder::open(&finished.folder).unwrap()
}

/// A finished run in `runs`.
pub(crate) fn run(experiment: &Experiment, runs: &Path) -> Result<RunFolder, TrainError> {
    train(experiment, &setup(runs), &mut Silent, &AtomicBool::new(false)).map(finished)
}

/// A finished run that goes on to `iterations`.
pub(crate) fn go_on(run: RunFolder, iterations: usize) -> RunFolder {
    let ending = resume(run, Some(iterations), None, &setup(Path::new("")), &mut Silent, &AtomicBool::new(false));
    finished(ending.unwrap())
}

/// Asserts that two runs are one and the same to the last bit.
pub(crate) fn assert_same(one: &RunFolder, other: &RunFolder, what: &str) {
    for name in ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv", "config.toml"] {
        let read = |run: &RunFolder| std::fs::read(run.path().join(name)).unwrap();
        assert!(read(one) == read(other), "{what}: {name} differs");
    }
}
