//! 1,000 classes, which no data set here has: by every loss, both engines and the kernels, up to the files of an
//! evaluation.

use std::fs;

use backproof_compiled::TrainingPlan;
use backproof_kernels::{Isa, MomentumStep};
use backproof_models::Compiled;
use backproof_spec::{FlattenSpec, LayerSpec, LinearSpec, Shape};
use burn::optim::AdamConfig;

use super::*;
use crate::loss::{objective, score};
use crate::{Evaluation, RunFolder};

const CLASSES: usize = 1_000;
const IMAGES: usize = 40;
const PIXELS: usize = 64;
const STILL: PassMode = PassMode::Training { seed: 1, step: 0 };

fn architecture() -> Architecture {
    let layers = vec![LayerSpec::Flatten(FlattenSpec), LayerSpec::Linear(LinearSpec::new(CLASSES))];
    Architecture { name: "thousand".to_owned(), input: Shape::image(1, 8, 8), layers }
}

/// An image of every 25th class, the last one included.
fn labels() -> Vec<usize> {
    (1..=IMAGES).map(|image| image * CLASSES / IMAGES - 1).collect()
}

/// Noise; fewer images than pixels, so that a linear layer can tell all apart.
fn pixels() -> Vec<f32> {
    (0..IMAGES * PIXELS).map(|i| ((i as f64 * 12.989_8).sin() * 43_758.545_3).fract() as f32).collect()
}

fn images(device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let labels: Vec<i64> = labels().into_iter().map(|label| label as i64).collect();
    let images = TensorData::new(pixels(), [IMAGES, 1, 8, 8]);
    (Tensor::from_data(images, device), Tensor::from_data(TensorData::new(labels, [IMAGES]), device))
}

fn network() -> Network {
    Network::new(&architecture(), 1, &Device::flex().autodiff()).unwrap()
}

/// What `network` says of the images.
fn evaluate(loss: Loss, network: &Network) -> Evaluation {
    let mut evaluation = Evaluation::new(loss, CLASSES);
    let logits = network.valid().forward(images(&Device::flex()).0, PassMode::Inference);
    evaluation.add(logits, &(0..IMAGES).collect::<Vec<_>>(), &labels());
    evaluation
}

#[test]
fn the_loss_begins_at_that_of_a_guess_and_every_image_is_learned() {
    for loss in Loss::ALL {
        for engine in [OnTensors::Autodiff, OnTensors::Manual] {
            let what = format!("{loss:?}, {engine:?}");
            let mut network = if engine == OnTensors::Manual { network().valid() } else { network() };
            let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
            let (images, labels) = images(&engine.batch_device(&Device::flex()));
            let mut step = |network: Network| {
                let pass = engine.gradients(&loss.into(), &network, images.clone(), labels.clone(), STILL);
                (pass.loss, engine.update(&mut optimizer, 0.01, network, pass.parameters))
            };
            let begun = evaluate(loss, &network);
            let (first, next) = step(network);
            network = next;
            assert!((first - begun.loss()).abs() < 1e-5 * first, "{what}: {first}, on the host {}", begun.loss());
            // The initialisation gives the logits the variance v = 2/3, so that Σ exp(z) is K exp(v/2) in the mean; the
            // logistic loss is ln 2 + v/8 to the second order.
            let guess = match loss {
                Loss::CrossEntropy => Some((CLASSES as f64).ln() + 1.0 / 3.0),
                Loss::BinaryCrossEntropy => Some(2_f64.ln() + 1.0 / 12.0),
                Loss::MeanSquaredError => None,
            };
            assert!(guess.is_none_or(|guess| (first - guess).abs() < 0.1), "{what}: {first}, not {guess:?}");
            assert!(begun.correct() < 5, "{what}: {} were right at the start", begun.correct());
            for _ in 0..300 {
                network = step(network).1;
            }
            let learned = evaluate(loss, &network);
            assert_eq!(learned.correct(), IMAGES, "{what}, loss {}", learned.loss());
            assert!(learned.loss() < 0.5 * first, "{what}: {first}, then {}", learned.loss());
        }
    }
}

#[test]
fn a_step_on_the_kernels_is_that_of_the_tensors() {
    let labels = labels();
    let pixels = pixels();
    let write = |image: usize, to: &mut [f32]| to.copy_from_slice(&pixels[image * PIXELS..][..PIXELS]);
    for isa in Isa::available() {
        for loss in Loss::ALL {
            let start = network().valid();
            let (images, classes) = images(&Device::flex());
            let pass = OnTensors::Manual.gradients(&loss.into(), &start, images, classes, STILL);
            let expected = pass.loss;
            let mut optimizer: ModuleOptimizer = Momentum::new(0.0, 0.0).into();
            let tensors = OnTensors::Manual.update(&mut optimizer, 1.0, start.clone(), pass.parameters).tensors();

            let mut compiled = Compiled::<TrainingPlan>::new(&start, isa).unwrap();
            let outcome = compiled.pass(&write, &labels, &objective(&loss.into()), STILL);
            assert!((outcome.loss - expected).abs() < 1e-5 * expected, "{isa}, {loss:?}: {}, {expected}", outcome.loss);
            compiled.plan_mut().step(&MomentumStep::new(1.0, 0.0, 0.0));
            let kernels = compiled.store(start.clone()).tensors();

            for ((tensor, kernel), start) in tensors.iter().zip(&kernels).zip(start.tensors()) {
                let step = |data: &TensorData| -> Vec<f64> {
                    data.iter::<f64>().zip(start.data.iter::<f64>()).map(|(now, start)| now - start).collect()
                };
                let (tensor, kernel) = (step(&tensor.data), step(&kernel.data));
                let largest = tensor.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
                let apart = tensor.iter().zip(&kernel).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(largest > 0.0 && apart <= 1e-3 * largest, "{isa}, {loss:?}, {}: {apart:e}", start.name);
            }
        }
    }
}

#[test]
fn the_files_of_an_evaluation_come_back_as_they_were() {
    let runs = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(runs.path(), &crate::testing::experiment(&[])).unwrap();
    let names: Vec<String> = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for loss in Loss::ALL {
        let evaluation = evaluate(loss, &network());
        let result = evaluation.result("test", Some(1), &names);
        folder.write_evaluation(&evaluation, &result).unwrap();
        assert_eq!(folder.result().unwrap(), Some(result.clone()));
        for (read, written) in folder.predictions(&result).unwrap().iter().zip(&evaluation.predictions) {
            assert_eq!((read.label, read.predicted), (written.label, written.predicted));
            assert_eq!(read.probabilities, written.probabilities);
            assert!((written.every().unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        let confusion = fs::read_to_string(folder.path().join("evaluation/confusion.csv")).unwrap();
        assert_eq!(confusion.lines().count(), CLASSES + 1);
        assert!(confusion.lines().all(|line| line.split(',').count() == CLASSES + 1));
        let counted: usize = confusion
            .lines()
            .skip(1)
            .flat_map(|line| line.split(',').skip(1))
            .map(|n| n.parse::<usize>().unwrap())
            .sum();
        assert_eq!(counted, IMAGES);
    }
    assert_eq!(score(Loss::CrossEntropy, &[0.0; CLASSES], 999).loss, (CLASSES as f64).ln());
}
