//! What is evaluated, with which weights, and how a run ends that cannot go on.

use std::fs;

use backproof_models::{Network, load_weights, save_weights};
use backproof_spec::ImageSource;
use burn::module::{Module, ModuleMapper, Param};
use safetensors::SafeTensors;

use std::path::Path;

use super::*;
use crate::evaluation::argmax;
use crate::testing::{experiment, run, setup};
use crate::{BestValidation, CheckpointName, Evaluated, EvaluationResult, Split, Weights, evaluate, resume};

fn accuracy(folder: &RunFolder, split: Split, weights: &Weights) -> EvaluationResult {
    evaluate(folder, split, weights, None, &setup(Path::new("")), &mut crate::Silent, &AtomicBool::new(false))
        .unwrap()
        .result
}

#[test]
fn an_evaluation_of_the_last_and_the_best_weights_is_what_the_run_said_of_them() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&["training.validate_every=5"]), runs.path()).unwrap();
    let result = folder.result().unwrap().unwrap();
    assert_eq!(accuracy(&folder, Split::Test, &Weights::Last), result);
    assert_eq!(folder.predictions(&result).unwrap().len(), 500);

    let reports = folder.reports().unwrap();
    let last = accuracy(&folder, Split::Validation, &Weights::Last);
    assert_eq!((last.split.as_str(), last.iteration), ("validation", Some(20)));
    assert_eq!(Some(last.accuracy), reports.last().unwrap().validation_accuracy);
    let BestValidation { accuracy: best, iteration } =
        folder.record().unwrap().summary.unwrap().best_validation.unwrap();
    let found = accuracy(&folder, Split::Validation, &Weights::Best);
    assert_eq!((found.accuracy, found.iteration), (best, Some(iteration)));
    assert!(folder.path().join("evaluation/validation/result.json").is_file());
    assert_eq!(accuracy(&folder, Split::Training, &Weights::Last).images, 4_000);
    assert_eq!(folder.result().unwrap().unwrap(), result, "another split leaves the result of the test images");
}

#[test]
fn the_logits_of_a_file_lead_to_the_predictions() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let path = runs.path().join("logits.safetensors");
    let Evaluated { result, kept_files, kept_logits, .. } = evaluate(
        &folder,
        Split::Test,
        &Weights::Last,
        Some(&path),
        &setup(Path::new("")),
        &mut crate::Silent,
        &AtomicBool::new(false),
    )
    .unwrap();
    assert!(kept_files.is_ok() && kept_logits.is_ok());
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("images").unwrap().shape(), [64, 1, 28, 28]);
    let integers = |name: &str| -> Vec<usize> {
        let numbers = file.tensor(name).unwrap().data().as_chunks().0.to_vec();
        numbers.into_iter().map(|bytes| i64::from_le_bytes(bytes) as usize).collect()
    };
    let logits: Vec<f64> = {
        let view = file.tensor("logits").unwrap();
        assert_eq!(view.shape(), [500, 10]);
        view.data().as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
    };
    let found: Vec<_> =
        integers("indices").into_iter().zip(integers("labels")).zip(logits.chunks(10).map(argmax)).collect();
    let predictions = folder.predictions(&result).unwrap();
    let told: Vec<_> = predictions.iter().map(|it| ((it.index, it.label), it.predicted)).collect();
    assert_eq!(found, told);
}

/// Weights of `folder`'s network, each `factor` times what it was, in a file.
fn scaled_weights(folder: &RunFolder, factor: f32, path: &Path) -> Weights {
    struct Times(f32);
    impl ModuleMapper for Times {
        fn map_float<const D: usize>(&mut self, parameter: Param<burn::Tensor<D>>) -> Param<burn::Tensor<D>> {
            let (id, value, mapper) = parameter.consume();
            Param::from_mapped_value(id, value * self.0, mapper)
        }
    }
    let network = Network::new(&folder.experiment().unwrap().model, 1, &setup(path).device).unwrap();
    let network = load_weights(network, &folder.weights(false).unwrap().0, &[]).unwrap().0.map(&mut Times(factor));
    fs::write(path, save_weights(&network).unwrap()).unwrap();
    Weights::File(path.to_owned())
}

#[test]
fn a_file_of_weights_is_evaluated_without_a_trace_in_the_run_folder() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let path = runs.path().join("weights.safetensors");
    let weights = scaled_weights(&folder, 1.0, &path);
    fs::remove_dir_all(folder.path().join("evaluation")).unwrap();
    let found = accuracy(&folder, Split::Test, &weights);
    assert_eq!(found.iteration, None);
    assert_eq!(found.accuracy, folder.record().unwrap().summary.unwrap().test_accuracy);
    assert_eq!(folder.result().unwrap(), None);
}

#[test]
fn weights_that_cannot_be_evaluated_are_refused_by_the_name_of_their_file() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let setup = setup(Path::new(""));
    let refused = |weights: &Weights| {
        evaluate(&folder, Split::Test, weights, None, &setup, &mut crate::Silent, &AtomicBool::new(false))
            .unwrap_err()
            .to_string()
    };
    let path = runs.path().join("weights.safetensors");
    let file = Weights::File(path.clone());
    assert_eq!(refused(&file), format!("cannot read {}", path.display()));
    fs::write(&path, "not weights").unwrap();
    assert!(refused(&file).contains("weights.safetensors is no file of tensors; expected safetensors, a MATLAB file"));
    let other = Network::new(&backproof_spec::published::lenet_5(), 1, &setup.device).unwrap();
    fs::write(&path, save_weights(&other).unwrap()).unwrap();
    assert_eq!(refused(&file), format!("{} does not fit the network", path.display()));
    let large = scaled_weights(&folder, 1e30, &path);
    let not_finite = "the weights are so large that the network's output is not finite";
    assert_eq!(refused(&large), not_finite);
    let predictor = crate::Predictor::open(&folder, &large, &setup, &mut crate::Silent).unwrap();
    assert_eq!(predictor.probabilities(vec![255; 784]).unwrap_err().to_string(), not_finite);
    fs::remove_dir_all(folder.path().join("checkpoints/best")).unwrap();
    assert!(refused(&Weights::Best).starts_with("there is no checkpoint "));
}

#[test]
fn of_a_run_without_validation_images_there_are_none_to_evaluate() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&["data.validation_images=0"]), runs.path()).unwrap();
    let error = evaluate(
        &folder,
        Split::Validation,
        &Weights::Last,
        None,
        &setup(Path::new("")),
        &mut crate::Silent,
        &AtomicBool::new(false),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "the run has no validation images");
    assert!(folder.reports().unwrap().iter().all(|report| report.validation_accuracy.is_none()));
    assert_eq!(folder.record().unwrap().summary.unwrap().best_validation, None);
}

#[test]
fn a_run_that_diverges_says_where_and_leaves_its_last_good_checkpoint() {
    for engine in ["engine=autodiff", "engine=manual", "engine=compiled"] {
        let runs = tempfile::tempdir().unwrap();
        let overrides = [engine, "optimizer.learning_rate=1e12", "training.checkpoint_every=1"];
        let error = run(&experiment(&overrides), runs.path()).unwrap_err();
        let TrainError::Diverged { iteration, what, batch, last_good } = &error else { panic!("{error}") };
        assert!(what.contains("finite") || what.starts_with("the loss is"), "{what}");
        assert_eq!(batch.len(), experiment(&[]).training.batch_size);
        let folder = RunFolder::open(&runs.path().join("test/latest")).unwrap();
        assert_eq!(folder.record().unwrap().status, RunStatus::Diverged);
        let log = fs::read_to_string(folder.path().join("log.txt")).unwrap();
        assert!(log.ends_with(&format!("stopped: training diverged at iteration {iteration}: {what}\n")), "{log}");
        assert_eq!(last_good.as_ref().map(|(_, at)| *at), folder.last().position().ok().map(|it| it.iteration));
        assert!(last_good.as_ref().is_none_or(|(_, at)| at < iteration));
    }
}

/// The loss of the only batch is finite; the step after it goes too far.
#[test]
fn what_is_not_finite_after_the_last_batch_is_told_by_where_it_shows() {
    for (learning_rate, validation_images, told) in [
        ("1e30", 500, "the loss of a validation image is not finite"),
        ("1e30", 0, "the loss of a test image is not finite"),
        ("1e60", 500, "a weight is not finite"),
    ] {
        let runs = tempfile::tempdir().unwrap();
        let (rate, images) =
            (format!("optimizer.learning_rate={learning_rate}"), format!("data.validation_images={validation_images}"));
        let error = run(&experiment(&["training.iterations=1", &rate, &images]), runs.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("training diverged at iteration 1: {told}"));
    }
}

#[test]
fn two_reports_of_a_run_are_made_one_after_the_other() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let path = folder.path().to_owned();
    let first = folder.hold().unwrap();
    fs::create_dir(path.join(".writing-figures")).unwrap();
    folder.sweep_up();
    assert!(path.join(".writing-figures").exists(), "nobody sweeps up what is being written");
    let second = std::thread::spawn(move || RunFolder::open(&path).unwrap().hold().is_some());
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(!second.is_finished());
    drop(first);
    assert!(second.join().unwrap());
    folder.sweep_up();
    assert!(!folder.path().join(".writing-figures").exists());
}

#[test]
fn what_cannot_be_resumed_is_refused_and_the_folder_left_as_it_was() {
    let runs = tempfile::tempdir().unwrap();
    let path = run(&experiment(&["training.checkpoint_every=5"]), runs.path()).unwrap().path().to_owned();
    let record = fs::read(path.join("run.json")).unwrap();
    let config = fs::read_to_string(path.join("config.toml")).unwrap();
    let refused = |iterations: Option<usize>, checkpoint: Option<CheckpointName>| {
        let folder = RunFolder::open(&path).unwrap();
        let stop = AtomicBool::new(false);
        let ending = resume(folder, iterations, checkpoint, &setup(runs.path()), &mut crate::Silent, &stop);
        ending.unwrap_err().to_string()
    };
    assert_eq!(refused(None, None), "the run is at iteration 20 of 20: there is nothing left to do");
    assert_eq!(refused(Some(10), None), "the run is at iteration 20 of 10: there is nothing left to do");

    let held = RunFolder::open(&path).unwrap().locked().unwrap();
    held.write_record(&RunRecord { status: RunStatus::Running, ..held.record().unwrap() }).unwrap();
    assert!(RunFolder::is_busy(&path));
    assert_eq!(refused(Some(30), None), format!("another process is training in {}", path.display()));
    assert!(RunFolder::open(&path).unwrap().hold().is_none(), "a report does not wait until a run has ended");
    fs::write(path.join("run.json"), &record).unwrap();
    drop(held);
    assert!(!RunFolder::is_busy(&path));

    fs::write(path.join("config.toml"), config.replace("learning_rate = 0.05", "learning_rate = 0.5")).unwrap();
    let error = refused(Some(30), None);
    assert!(error.starts_with("the run's config.toml is not the config of "), "{error}");
    assert!(error.ends_with(": now `learning_rate = 0.5`, then `learning_rate = 0.05`"), "{error}");
    fs::write(path.join("config.toml"), config).unwrap();

    let mut other = RunFolder::open(&path).unwrap().record().unwrap();
    for sum in other.data_checksums.values_mut() {
        *sum = "0".repeat(64);
    }
    RunFolder::open(&path).unwrap().write_record(&other).unwrap();
    let error = refused(Some(30), None);
    assert!(error.contains(" is not what the run began with: its SHA-256 is "), "{error}");
    fs::write(path.join("run.json"), record).unwrap();

    fs::remove_dir_all(path.join("checkpoints/best")).unwrap();
    assert!(refused(Some(30), Some(CheckpointName::Best)).starts_with("there is no checkpoint "));
    assert!(!fs::read_to_string(path.join("log.txt")).unwrap().contains("resumed"));
}

#[test]
fn a_run_that_is_to_have_events_only_when_it_goes_on_has_those_before_too() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let with_events = Setup { tensorboard: true, ..setup(runs.path()) };
    let path = folder.path().to_owned();
    let stop = AtomicBool::new(false);
    resume(folder, Some(30), None, &with_events, &mut crate::Silent, &stop).unwrap();
    assert_eq!(crate::tensorboard::tests::steps(&path), [5, 10, 15, 20, 25, 30]);
    // A run that has events goes on with them unasked, and a step that is done again is there once.
    let folder = RunFolder::open(&path).unwrap();
    resume(folder, Some(40), None, &setup(runs.path()), &mut crate::Silent, &stop).unwrap();
    assert_eq!(crate::tensorboard::tests::steps(&path), [5, 10, 15, 20, 25, 30, 35, 40]);
}

/// Puts a folder where the run would write its figures.
struct InTheWay;

impl Observer for InTheWay {
    fn started(&mut self, started: &Started<'_>) {
        fs::create_dir(started.folder.join("metrics.jsonl")).unwrap();
    }
}

#[test]
fn a_run_that_cannot_write_ends_as_failed_and_logs_why() {
    let runs = tempfile::tempdir().unwrap();
    let error = train(&experiment(&[]), &setup(runs.path()), &mut InTheWay, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().ends_with("metrics.jsonl"), "{error}");
    let folder = RunFolder::open(&runs.path().join("test/latest")).unwrap();
    let record = folder.record().unwrap();
    assert_eq!((record.status, record.summary), (RunStatus::Failed, None));
    assert!(record.ended.is_some());
    let log = fs::read_to_string(folder.path().join("log.txt")).unwrap();
    assert!(log.ends_with(&format!("\nstopped: {error}\n")), "{log}");
}

#[test]
fn a_folder_called_latest_stays_and_the_run_is_made_without_a_link() {
    let runs = tempfile::tempdir().unwrap();
    let latest = runs.path().join("test/latest");
    fs::create_dir_all(&latest).unwrap();
    fs::write(latest.join("mine"), "kept").unwrap();
    let folder = run(&experiment(&["training.iterations=1"]), runs.path()).unwrap();
    assert_eq!(fs::read_to_string(latest.join("mine")).unwrap(), "kept");
    assert!(folder.path().join("evaluation/result.json").is_file());
    assert_eq!(fs::read_dir(runs.path().join("test")).unwrap().count(), 2, "the run, and what was there");
}

#[test]
fn the_sound_checkpoints_are_those_whose_files_are_as_saved() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    assert!(folder.last().exists());
    let best = folder.best().position().unwrap().iteration;
    assert_eq!(folder.sound_checkpoints(), [(CheckpointName::Last, 20), (CheckpointName::Best, best)]);
    fs::write(folder.path().join("checkpoints/last/weights.safetensors"), "cut").unwrap();
    assert_eq!(folder.sound_checkpoints(), [(CheckpointName::Best, best)]);
}

/// An experiment that was made by a program, or whose data set says what it is only now.
#[test]
fn a_network_that_does_not_go_with_the_data_is_refused_before_there_is_a_run_folder() {
    let runs = tempfile::tempdir().unwrap();
    let mut experiment = experiment(&[]);
    let Some(backproof_spec::LayerSpec::Linear(last)) = experiment.model.layers.last_mut() else {
        panic!("a linear layer")
    };
    last.out_features = 7;
    experiment.model.name = "seven".to_owned();
    let error = run(&experiment, runs.path()).unwrap_err().to_string();
    assert!(error.starts_with("`seven` ends in 7 scores, and mnist-sample has 10 classes\n"), "{error}");
    assert!(error.ends_with("help: end it with a `linear` layer of 10 features"), "{error}");
    experiment.data.images = ImageSource::DataSet("letters".to_owned());
    let error = run(&experiment, runs.path()).unwrap_err().to_string();
    assert!(error.contains("there is no data set `letters`"), "{error}");
    assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 0);
}
