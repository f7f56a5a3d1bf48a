use std::path::Path;

use backproof_arrays::{Budget, read};
use backproof_gradcheck::Value;

use super::{Steps, by_name};

type Options = &'static [(&'static str, f64)];

/// What PyTorch computed in double precision; see tests/fixtures/optimizers/make_fixtures.py.
const CASES: [(&str, &str, Options); 7] = [
    ("sgd", "sgd", &[("learning_rate", 0.1)]),
    ("sgd_nesterov", "nesterov", &[("learning_rate", 0.1), ("momentum", 0.9)]),
    ("adagrad", "adagrad", &[("learning_rate", 0.1), ("epsilon", 1e-10)]),
    ("rmsprop", "rmsprop", &[("learning_rate", 0.01), ("smoothing", 0.99), ("epsilon", 1e-8)]),
    ("adam", "adam", &ADAM),
    ("adamw", "adamw", &[ADAM[0], ADAM[1], ADAM[2], ADAM[3], ("weight_decay", 0.01)]),
    (
        "adamw_decay",
        "adamw",
        &[("learning_rate", 0.01), ("beta_1", 0.8), ("beta_2", 0.95), ("epsilon", 1e-3), ("weight_decay", 0.3)],
    ),
];
const ADAM: [(&str, f64); 4] = [("learning_rate", 0.01), ("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-8)];

fn steps(optimizer: &str, first: Value, gradients: Value, options: &[(&str, f64)]) -> Steps {
    let options = options.iter().map(|&(name, value)| (name.to_owned(), Value::new([], vec![value]))).collect();
    Steps { optimizer: by_name(optimizer).unwrap(), first, gradients, options }
}

#[test]
fn the_rules_make_the_steps_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/optimizers/optimizers.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let arrays = read(&bytes, &mut Budget::new(bytes.len(), 0)).unwrap();
    for (case, optimizer, options) in CASES {
        let of = |name: &str| {
            let tensor = arrays.tensors[&format!("{case}/{name}")].as_ref().unwrap();
            Value::new(tensor.shape.clone(), tensor.values().collect())
        };
        let steps = steps(optimizer, of("start"), of("gradients"), options);
        let found = steps.weights(steps.optimizer.right);
        let apart = found.data().iter().zip(of("weights").data()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-14, "{case}: {apart:e}");
    }
}

/// m = 0.05, then 0.045 + 0.2; w = 1 − 0.2 (0.05 + 0.1) = 0.97, then 0.97 − 0.2 (0.245 + 0.097).
#[test]
fn momentum_is_that_of_the_course() {
    let options = [("learning_rate", 0.2), ("momentum", 0.9), ("weight_decay", 0.1)];
    let steps = steps("momentum", Value::new([1], vec![1.0]), Value::new([2, 1], vec![0.5, 2.0]), &options);
    let found = steps.weights(steps.optimizer.right);
    let expected = [0.97, 0.97 - 0.2 * (0.245 + 0.097)];
    assert!(found.data().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found}");
}

/// Each mistake changes the weights of some case of every exercise.
#[test]
fn every_mistake_changes_the_weights() {
    for optimizer in crate::OPTIMIZERS.map(|name| by_name(name).unwrap()) {
        assert!(optimizer.faults.len() >= 4, "{}", optimizer.name);
        let options: Vec<(&str, f64)> = optimizer.options.to_vec();
        let gradients = Value::new([3, 2], vec![1.0, -2.0, 0.25, 3.0, -1.5, 0.5]);
        let steps = steps(optimizer.name, Value::new([2], vec![1.0, -0.5]), gradients, &options);
        let right = steps.weights(optimizer.right);
        let mut all: Vec<(&str, Value)> = vec![("right", right)];
        for (name, rule) in optimizer.faults {
            let wrong = steps.weights(*rule);
            let same = |other: &Value| other.data().iter().zip(wrong.data()).all(|(a, b)| (a - b).abs() < 1e-6);
            let twin = all.iter().find(|(_, other)| same(other)).map(|(name, _)| *name);
            assert_eq!(twin, None, "{}: {name} gives the same", optimizer.name);
            all.push((name, wrong));
        }
    }
}
