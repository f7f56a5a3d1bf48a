//! Burn's optimizers against PyTorch's, and each of them across a checkpoint.

use std::path::Path;

use burn::Tensor;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, TensorData};
use safetensors::SafeTensors;

use super::*;
use crate::testing::{assert_same, experiment, go_on, optimizers, run};

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
        let overrides: Vec<String> =
            config.lines().map(|key| format!("optimizer.{}", key.replace(" = ", "="))).collect();
        let settings = experiment(&overrides.iter().map(String::as_str).collect::<Vec<_>>()).optimizer.rule;
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

/// One weight of 1 after steps on `gradients` by the optimizer of the config lines `keys`, in single precision.
fn weight_after(gradients: &[f32], keys: &[&str]) -> f32 {
    let settings = experiment(keys).optimizer.rule;
    let mut optimizer = new_optimizer(&settings);
    let device = Device::flex();
    let mut module = OneWeight { weight: Param::from_tensor(Tensor::from_data([[1.0]], &device.clone().autodiff())) };
    for (step, &gradient) in gradients.iter().enumerate() {
        let mut given = GradientsParams::new();
        given.register(module.weight.id, Tensor::<2>::from_data([[gradient]], &device));
        module = optimizer.step(settings.learning_rate_at(step, 6), module, given);
    }
    module.weight.val().into_data().iter::<f32>().next().unwrap()
}

#[test]
fn an_epsilon_that_single_precision_cannot_hold_does_not_make_a_weight_without_gradient_nan() {
    for kind in ["adagrad", "rmsprop", "adam", "adamw"] {
        let kind = format!("optimizer.kind={kind}");
        let keys = [&kind, "optimizer.epsilon=1e-60", "optimizer.learning_rate=0.01", "optimizer.weight_decay=0"];
        assert_eq!(weight_after(&[0.0, 0.0], &keys), 1.0, "{kind}");
    }
}

/// As in PyTorch, where it damps what enters the momentum.
#[test]
fn a_dampening_without_a_momentum_damps_nothing() {
    let gradients = [0.5, -0.25, 1.0];
    let plain = ["optimizer.kind=sgd", "optimizer.learning_rate=0.1", "optimizer.momentum=0"];
    let damped = [&plain[..], &["optimizer.dampening=0.5"]].concat();
    assert!((weight_after(&gradients, &plain) - (1.0 - 0.1 * 1.25)).abs() < 1e-6);
    assert_eq!(weight_after(&gradients, &damped), weight_after(&gradients, &plain));
}

#[test]
fn a_resumed_run_ends_in_the_bits_of_one_that_was_never_stopped() {
    let runs = tempfile::tempdir().unwrap();
    for optimizer in optimizers() {
        for engine in ["engine=autodiff", "engine=compiled"] {
            let mut whole = experiment(&[engine]);
            whole.optimizer = UpdateRule { learning_rate: 1e-3, ..optimizer }.into();
            let mut half = whole.clone();
            half.training.iterations = 10;
            let whole = run(&whole, runs.path()).unwrap();
            let half = run(&half, runs.path()).unwrap();
            let what = format!("{engine}, {optimizer:?}");
            assert!(whole.last().weights().unwrap() != half.last().weights().unwrap(), "{what}");
            assert_same(&whole, &go_on(half, 20), &what);
        }
    }
}
