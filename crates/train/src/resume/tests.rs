//! A run that was stopped anywhere and resumed is the run that was never stopped, to the last bit of every file.

mod early_stopping;
mod evaluations;
mod moving;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use backproof_spec::Experiment;

use super::*;
use crate::testing::{experiment, run, setup};
use evaluations::stopped_at;

/// Raises the flag after an iteration, or before the final evaluation.
struct StopAt<'a>(Option<usize>, &'a AtomicBool);

impl Observer for StopAt<'_> {
    fn iteration(&mut self, iteration: usize) {
        if self.0 == Some(iteration) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

/// A run that is stopped after each of the iterations `stops` and resumed.
fn stopped(experiment: &Experiment, stops: &[usize], runs: &Path) -> RunFolder {
    let mut stops = stops.iter().copied();
    let mut ending = {
        let stop = AtomicBool::new(false);
        crate::train(experiment, &setup(runs), &mut StopAt(stops.next(), &stop), &stop).unwrap()
    };
    loop {
        match ending {
            Ending::Finished(finished) => return RunFolder::open(&finished.folder).unwrap(),
            Ending::Interrupted { folder, .. } => {
                let stop = AtomicBool::new(false);
                let folder = RunFolder::open(&folder).unwrap();
                let mut observer = StopAt(stops.next(), &stop);
                ending = resume(folder, None, None, &setup(runs), &mut observer, &stop).unwrap();
            }
        }
    }
}

/// Asserts that two runs have the same files with the same content, but for what the clock says.
fn assert_same(one: &RunFolder, other: &RunFolder, what: &str) {
    let without_clock = |run: &RunFolder| -> Vec<(String, String)> {
        let mut files: Vec<_> = files(run.path()).into_iter().map(|name| content(run, name)).collect();
        files.sort();
        files
    };
    for (one, other) in without_clock(one).into_iter().zip(without_clock(other)) {
        assert!(one == other, "{what}: {} and {} differ:\n{}\n{}", one.0, other.0, one.1, other.1);
    }
}

/// The paths of the files of a run folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => names.extend(files(&path).into_iter().map(|inner| format!("{name}/{inner}"))),
            false => names.push(name),
        }
    }
    names
}

/// A file as it must be in two runs that are one: JSON without the times, the log without them and without the
/// resuming, and of what has no text its SHA-256.
fn content(run: &RunFolder, name: String) -> (String, String) {
    let bytes = fs::read(run.path().join(&name)).unwrap();
    let text = match name.rsplit('/').next().unwrap() {
        "run.json" => json(&bytes, &["started", "ended", "training_seconds"]),
        "state.json" => json(&bytes, &["seconds", "optimizer_sha256"]),
        // Burn numbers the parameters of a process, and the numbers are in the file: `tests/reliability` compares its
        // bytes. Here the weights after it show that it is the same.
        "optimizer.bpk" => String::new(),
        "metrics.jsonl" => {
            let clock = ["images_per_second", "seconds", "seconds_left"];
            bytes.split_inclusive(|&byte| byte == b'\n').map(|line| json(line, &clock)).collect()
        }
        "log.txt" => {
            let lines = std::str::from_utf8(&bytes).unwrap().lines();
            let own = lines.filter(|line| !line.starts_with("interrupted at ") && !line.starts_with("resumed at "));
            own.map(|line| line.split(" img/s").next().unwrap()[..line.len().min(60)].to_owned() + "\n").collect()
        }
        _ => backproof_data::sha256(&bytes),
    };
    (name, text)
}

fn json(bytes: &[u8], clock: &[&str]) -> String {
    fn strip(value: &mut serde_json::Value, clock: &[&str]) {
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| !clock.contains(&key.as_str()));
            object.values_mut().for_each(|value| strip(value, clock));
        }
    }
    let mut value = serde_json::from_slice(bytes).unwrap();
    strip(&mut value, clock);
    value.to_string() + "\n"
}

/// Every layer, and with it batch statistics, dropout and augmentation.
const EVERY_LAYER: &str = r#"[
    { type = "conv2d", out_channels = 4, kernel = 3, stride = 2, dilation = 2, groups = 1 }, "batch_norm", "relu",
    { type = "conv2d", out_channels = 4, kernel = 3, padding = 1, groups = 2, bias = false }, "leaky_relu",
    { type = "max_pool2d", kernel = 3, stride = 2, padding = 1 }, { type = "dropout", probability = 0.2 }, "prelu",
    { type = "avg_pool2d", kernel = 2 }, "elu", "flatten", { type = "linear", out_features = 12 }, "batch_norm", "gelu",
    { type = "linear", out_features = 8, bias = false }, "tanh", { type = "dropout", probability = 0.5 },
    { type = "linear", out_features = 10 }, "sigmoid"]"#;

/// 23 iterations of a small network with `layers`: reports, validations and checkpoints at different steps, and an end
/// that none of them divides.
fn small(layers: &str, engine: &str, changes: &[&str]) -> Experiment {
    const TEXT: &str = r#"
        name = "small"
        [data]
        dataset = "mnist-sample"
        training_images = 110
        validation_images = 40
        augmentation = { horizontal_flip = true, crop_padding = 2 }
        [model]
        input = [1, 28, 28]
        [optimizer]
        learning_rate = 0.01
        weight_decay = 0.001
        [training]
        iterations = 23
        batch_size = 20
        report_every = 4
        validate_every = 6
        checkpoint_every = 9
        layers_every = 3
    "#;
    let layers = format!("model.layers={}", layers.replace('\n', " "));
    let mut overrides: Vec<String> = vec![layers, format!("engine={engine}")];
    overrides.extend(changes.iter().map(|&it| it.to_owned()));
    Experiment::from_toml("small", TEXT, &overrides, &backproof_data::data_sets())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Trains `experiment` once, and again with a stop after each of `stops`.
fn assert_exact(experiment: &Experiment, stops: &[usize], what: &str) {
    let runs = tempfile::tempdir().unwrap();
    let whole = run(experiment, &runs.path().join("whole")).unwrap();
    assert_same(&whole, &stopped(experiment, stops, &runs.path().join("stopped")), what);
}

const ENGINES: [&str; 3] = ["autodiff", "manual", "compiled"];
/// Those that can train [`EVERY_LAYER`]: there are layers without a kernel.
const ON_TENSORS: [&str; 2] = ["autodiff", "manual"];
const LINEAR: &str = r#"["flatten", { type = "linear", out_features = 10 }]"#;

#[test]
fn a_run_can_be_stopped_after_any_iteration() {
    for engine in ON_TENSORS {
        let experiment = small(EVERY_LAYER, engine, &["optimizer.kind=adam"]);
        let runs = tempfile::tempdir().unwrap();
        let whole = run(&experiment, &runs.path().join("whole")).unwrap();
        for stop in 1..=23 {
            let stopped = stopped(&experiment, &[stop], &runs.path().join("stopped"));
            assert_same(&whole, &stopped, &format!("{engine}, stopped at {stop}"));
        }
        let every = stopped(&experiment, &(1..=23).collect::<Vec<_>>(), &runs.path().join("stopped"));
        assert_same(&whole, &every, &format!("{engine}, stopped after every iteration"));
    }
}

#[test]
fn a_line_one_cycle_and_every_augmentation_go_on_exactly() {
    for schedule in ["linear", "one-cycle"] {
        let key = format!("optimizer.schedule={schedule}");
        let flips = ["data.augmentation.horizontal_flip=false", "data.augmentation.alternating_flip=true"];
        let others = ["crop_border=reflect", "cutout=7", "brightness=0.1", "contrast=0.2"];
        let others = others.map(|key| format!("data.augmentation.{key}"));
        let keys: Vec<&str> =
            flips.into_iter().chain(others.iter().map(String::as_str)).chain([key.as_str()]).collect();
        assert_exact(&small(LINEAR, "autodiff", &keys), &[7, 13], schedule);
    }
}

#[test]
fn every_optimizer_and_schedule_goes_on_exactly() {
    let kinds: [&[&str]; 10] = [
        &["optimizer.kind=momentum"],
        &["optimizer.kind=momentum", "optimizer.update=before-momentum"],
        &["optimizer.kind=sgd"],
        &["optimizer.kind=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true"],
        &["optimizer.kind=adagrad", "optimizer.learning_rate_decay=0.1"],
        &["optimizer.kind=rmsprop"],
        &["optimizer.kind=rmsprop", "optimizer.momentum=0.9", "optimizer.centered=true"],
        &["optimizer.kind=adam"],
        &["optimizer.kind=adam", "optimizer.amsgrad=true"],
        &["optimizer.kind=adamw"],
    ];
    let schedules: [&[&str]; 4] = [
        &["optimizer.schedule=constant"],
        &["optimizer.schedule={ type = \"step\", every = 5, factor = 0.5 }"],
        &["optimizer.schedule=cosine"],
        &["optimizer.schedule=cosine", "optimizer.warmup=10"],
    ];
    for engine in ENGINES {
        for kind in kinds {
            for schedule in schedules {
                let experiment = small(LINEAR, engine, &[kind, schedule].concat());
                assert_exact(&experiment, &[7, 13], &format!("{engine}, {kind:?}, {schedule:?}"));
            }
        }
    }
}

#[test]
fn every_loss_normalisation_and_network_goes_on_exactly() {
    let baseline = ["model.name=mnist-baseline", "data.training_images=60"];
    for engine in ENGINES {
        for loss in ["cross-entropy", "mean-squared-error", "binary-cross-entropy"] {
            let change = format!("training.loss={loss}");
            assert_exact(&small(LINEAR, engine, &[&change]), &[5], &format!("{engine}, {loss}"));
        }
        for normalization in
            ["standardize", "subtract-mean", "{type=\"subtract-mean\",of=\"all\",pixels=\"bytes\"}", "unit"]
        {
            let change = format!("data.normalization={normalization}");
            assert_exact(&small(LINEAR, engine, &[&change]), &[5], &format!("{engine}, {normalization}"));
        }
        for network in [&["model.name=lenet-5", "data.padding=2"][..], &["model.name=petre-mlp-fashion"], &baseline] {
            let mut changes = vec!["training.iterations=6", "training.batch_size=10"];
            changes.extend(network);
            let engine = format!("engine={engine}");
            changes.push(&engine);
            assert_exact(&experiment(&changes), &[3], &format!("{engine}, {network:?}"));
        }
    }
}

#[test]
fn a_run_that_goes_on_past_its_end_is_the_longer_run() {
    for engine in ON_TENSORS {
        // A schedule that does not know the end, and an end that is a report, a validation, a look at the layers and a
        // checkpoint in both runs.
        let length = |iterations| small(EVERY_LAYER, engine, &[iterations, "training.checkpoint_every=12"]);
        let runs = tempfile::tempdir().unwrap();
        let longer = run(&length("training.iterations=24"), &runs.path().join("longer")).unwrap();
        let short = run(&length("training.iterations=12"), &runs.path().join("short")).unwrap();
        let log = fs::read_to_string(short.path().join("log.txt")).unwrap();
        let ending = resume(short, Some(24), None, &setup(runs.path()), &mut crate::Silent, &AtomicBool::new(false));
        let Ending::Finished(finished) = ending.unwrap() else { panic!("interrupted") };
        // That the shorter run had a result of its own is history, and stays in the log.
        let path = finished.folder.join("log.txt");
        let lines = fs::read_to_string(&path).unwrap();
        let result = log.lines().last().unwrap();
        assert_eq!(lines.matches(result).count(), 1);
        fs::write(&path, lines.replace(&format!("{result}\n"), "")).unwrap();
        assert_same(&longer, &RunFolder::open(&finished.folder).unwrap(), engine);
    }
}

#[test]
fn from_the_best_checkpoint_and_from_none_at_all_the_run_is_the_same() {
    let experiment = small(EVERY_LAYER, "autodiff", &[]);
    let runs = tempfile::tempdir().unwrap();
    let whole = run(&experiment, &runs.path().join("whole")).unwrap();
    let go_on = |run: RunFolder, checkpoint| {
        let ending = resume(run, None, checkpoint, &setup(runs.path()), &mut crate::Silent, &AtomicBool::new(false));
        let Ending::Finished(finished) = ending.unwrap() else { panic!("interrupted") };
        RunFolder::open(&finished.folder).unwrap()
    };
    let best = run(&experiment, &runs.path().join("best")).unwrap();
    let mut record = best.record().unwrap();
    record.status = RunStatus::Running;
    best.write_record(&record).unwrap();
    assert_same(&whole, &go_on(best, Some(CheckpointName::Best)), "from the best");

    for lost in [&["last"][..], &["last", "best"]] {
        let folder = run(&experiment, &runs.path().join("none")).unwrap();
        for name in lost {
            fs::remove_dir_all(folder.path().join("checkpoints").join(name)).unwrap();
        }
        folder.write_record(&record).unwrap();
        assert_same(&whole, &go_on(folder, None), &format!("without {lost:?}"));
    }
}

#[test]
fn what_a_killed_process_was_writing_is_swept_up() {
    let experiment = small(LINEAR, "compiled", &[]);
    let runs = tempfile::tempdir().unwrap();
    let whole = run(&experiment, &runs.path().join("whole")).unwrap();
    let stop = AtomicBool::new(false);
    let ending = crate::train(&experiment, &setup(runs.path()), &mut StopAt(Some(10), &stop), &stop).unwrap();
    let Ending::Interrupted { folder, .. } = ending else { panic!("it was not stopped") };
    fs::write(folder.join(".writing-abc"), "half").unwrap();
    fs::create_dir(folder.join("checkpoints/.writing-abc")).unwrap();
    for left in ["checkpoints/last.previous", "figures", "figures.previous"] {
        fs::create_dir_all(folder.join(left)).unwrap();
    }
    let link = folder.with_file_name(format!(".latest-{}", folder.file_name().unwrap().to_str().unwrap()));
    fs::write(&link, "").unwrap();
    fs::write(folder.join("checkpoints/.writing-abc/weights.safetensors"), "half").unwrap();
    // It was further than its checkpoint, and in the middle of a line.
    for (name, rest) in [("metrics.jsonl", "{\"iteration\":11"), ("log.txt", "iteration     11  loss")] {
        let mut text = fs::read_to_string(folder.join(name)).unwrap();
        let report = text.lines().find(|line| line.contains("iteration")).unwrap();
        let later = report.replace("\"iteration\":4", "\"iteration\":12");
        text += &format!("{}\n{rest}", later.replace("iteration      4 ", "iteration     12 "));
        fs::write(folder.join(name), text).unwrap();
    }
    let folder = RunFolder::open(&folder).unwrap();
    let path = folder.path().to_owned();
    resume(folder, None, None, &setup(runs.path()), &mut crate::Silent, &AtomicBool::new(false)).unwrap();
    assert_same(&whole, &RunFolder::open(&path).unwrap(), "swept up");
    for left in [link, path.join("checkpoints/last.previous"), path.join("figures.previous")] {
        assert!(!left.exists(), "{} is left", left.display());
    }
}

#[test]
fn a_run_that_goes_on_by_another_engine_warns_and_says_so_in_its_record_and_log() {
    struct Warned(Option<String>);
    impl Observer for Warned {
        fn started(&mut self, started: &crate::Started<'_>) {
            self.0 = started.warnings.first().cloned();
        }
    }
    let runs = tempfile::tempdir().unwrap();
    let setup = setup(runs.path());
    let (folder, _) = stopped_at(&small(LINEAR, "compiled", &[]), 7, &setup);
    let path = folder.path().to_owned();
    let config = fs::read_to_string(path.join("config.toml")).unwrap();
    fs::write(path.join("config.toml"), config.replace("engine = \"compiled\"", "engine = \"manual\"")).unwrap();
    let mut warned = Warned(None);
    resume(folder, None, None, &setup, &mut warned, &AtomicBool::new(false)).unwrap();
    let warning = warned.0.expect("the bits differ");
    assert!(warning.starts_with("iterations up to 7 were computed by engine compiled with "), "{warning}");
    assert!(warning.contains("and the next ones by engine manual on flex: the last bits may differ"), "{warning}");
    let folder = RunFolder::open(&path).unwrap();
    let computations = folder.record().unwrap().computations;
    let told: Vec<_> = computations.iter().map(|it| (it.from, it.engine)).collect();
    assert_eq!(told, [(0, Engine::Compiled), (7, Engine::Manual)]);
    let log = fs::read_to_string(path.join("log.txt")).unwrap();
    assert!(log.starts_with("engine       compiled, instruction set "), "{log}");
    assert!(
        log.contains(&format!("warning: {warning}\nengine       manual, no CPU kernels\nBurn         every layer: "))
    );

    // Once more by the same engine is no change.
    let mut warned = Warned(None);
    resume(folder, Some(25), None, &setup, &mut warned, &AtomicBool::new(false)).unwrap();
    assert_eq!(warned.0, None);
    assert_eq!(RunFolder::open(&path).unwrap().record().unwrap().computations, computations);
}
