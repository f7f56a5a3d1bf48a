//! Burn's optimizers against PyTorch's, and each of them across a checkpoint.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_spec::Experiment;
use burn::Tensor;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, TensorData};
use safetensors::SafeTensors;

use super::*;
use crate::{Ending, RunFolder, Setup, Silent, resume, train};

/// An experiment with this `[optimizer]`.
fn experiment(optimizer: &str) -> Experiment {
    let text = format!(
        "name = \"test\"\n[data]\ndataset = \"mnist-sample\"\n[model]\nname = \"mnist-baseline\"\n\
         [training]\niterations = 20\nreport_every = 5\n[optimizer]\n{optimizer}\n"
    );
    Experiment::from_toml("test", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[derive(Module, Debug)]
struct OneWeight {
    weight: Param<Tensor<2>>,
}

#[test]
fn the_first_steps_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/optimizers/optimizers.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        let view = file.tensor(name).unwrap();
        view.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    };
    let device = Device::flex();
    let tensor = |values: &[f64]| -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [3, 4]), (&device, DType::F64))
    };
    let mut checked = 0;
    for (case, config) in header.metadata().as_ref().unwrap().iter().filter(|(name, _)| *name != "made_by") {
        let settings = experiment(config).optimizer;
        let mut optimizer = new_optimizer(&settings);
        let start = numbers(&format!("{case}/start"));
        let mut module = OneWeight { weight: Param::from_tensor(tensor(&start).autodiff()) };
        let gradients = numbers(&format!("{case}/gradients"));
        let expected = numbers(&format!("{case}/weights"));
        for (step, (gradient, expected)) in gradients.chunks(12).zip(expected.chunks(12)).enumerate() {
            let mut given = GradientsParams::new();
            given.register(module.weight.id, tensor(gradient));
            module = optimizer.step(settings.learning_rate_at(step, 6), module, given);
            let found: Vec<f64> = module.weight.val().into_data().iter::<f64>().collect();
            // Relative to the longest way gone so far; single precision of the hyperparameters allows no more.
            let ways = expected.iter().zip(&start).map(|(expected, start)| (expected - start).abs());
            let tolerance = 3e-5 * ways.fold(0.0, f64::max);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < tolerance, "{case}, step {step}: {found}, expected {expected}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 12 * 6 * 12);
}

fn setup(folder: &Path) -> Setup {
    Setup {
        device: Device::flex(),
        backend: "flex".to_owned(),
        device_name: "flex".to_owned(),
        data_dir: None,
        runs_dir: folder.to_owned(),
        command_line: Vec::new(),
        git_revision: None,
    }
}

fn run_folder(ending: Ending) -> RunFolder {
    let Ending::Finished(finished) = ending else { panic!("interrupted") };
    RunFolder::open(&finished.folder).unwrap()
}

#[test]
fn a_resumed_run_ends_in_the_bits_of_one_that_was_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (setup, stop) = (setup(folder.path()), AtomicBool::new(false));
    for optimizer in [
        "kind = \"momentum\"\nlearning_rate = 0.05",
        "kind = \"sgd\"\nlearning_rate = 0.01",
        "kind = \"sgd\"\nlearning_rate = 0.01\nmomentum = 0.9\nnesterov = true\nweight_decay = 1e-4",
        "kind = \"adagrad\"\nlearning_rate = 0.01\nlearning_rate_decay = 0.1",
        "kind = \"rmsprop\"\nlearning_rate = 1e-3",
        "kind = \"rmsprop\"\nlearning_rate = 1e-3\nmomentum = 0.9\ncentered = true\nepsilon = 1e-3",
        "kind = \"adam\"\nlearning_rate = 1e-3\namsgrad = true\nweight_decay = 1e-4",
        "kind = \"adamw\"\nlearning_rate = 1e-3",
    ] {
        let whole = experiment(optimizer);
        let mut half = whole.clone();
        half.training.iterations = 10;
        let whole = run_folder(train(&whole, &setup, &mut Silent, &stop).unwrap());
        let half = run_folder(train(&half, &setup, &mut Silent, &stop).unwrap());
        let read = |run: &RunFolder, name: &str| std::fs::read(run.path().join(name)).unwrap();
        let weights = "checkpoints/last/weights.safetensors";
        assert!(read(&whole, weights) != read(&half, weights), "{optimizer}");
        let half = run_folder(resume(half, Some(20), &setup, &mut Silent, &stop).unwrap());
        for name in [weights, "evaluation/predictions.csv", "config.toml"] {
            assert!(read(&whole, name) == read(&half, name), "{optimizer}: {name} differs");
        }
    }
}
