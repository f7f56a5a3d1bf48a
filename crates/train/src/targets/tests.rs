use backproof_data::prepare;
use backproof_models::Network;
use backproof_spec::{Experiment, Loss};
use burn::module::Module;
use burn::tensor::{DType, Device, TensorData};

use super::*;
use crate::Trainer;
use crate::computation::trainer_config;
use crate::testing::{assert_same, from_toml, go_on, run, setup};

const OUTPUTS: [[f64; 3]; 2] = [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]];

fn labels(labels: [i64; 2]) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::from(labels), &Device::flex())
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn outputs() -> Tensor<2> {
    Tensor::from_data(TensorData::from(OUTPUTS), (&Device::flex(), DType::F64))
}

/// The cross-entropy with a label of shares: image 0 is 0.3 of class 2 and 0.7 of class 0, image 1 is of class 1 alone.
#[test]
fn the_cross_entropy_of_mixed_labels_is_that_of_their_shares() {
    let shares = [[0.7, 0.0, 0.3], [0.0, 1.0, 0.0]];
    let softmax = OUTPUTS.map(|row| {
        let sum: f64 = row.iter().map(|z| z.exp()).sum();
        row.map(|z| z.exp() / sum)
    });
    let terms = (0..2).flat_map(|n| (0..3).map(move |k| (n, k)));
    let expected: f64 = terms.clone().map(|(n, k)| -shares[n][k] * softmax[n][k].ln() / 2.0).sum();
    let gradient: Vec<f64> = terms.map(|(n, k)| (softmax[n][k] - shares[n][k]) / 2.0).collect();
    let targets = || Targets { labels: labels([2, 1]), mixed: Some((labels([0, 1]), 0.3)) };
    let close = |found: &[f64], expected: &[f64]| {
        let far = found.iter().zip(expected).any(|(found, expected)| (found - expected).abs() > 1e-12);
        assert!(!far && found.len() == expected.len(), "{found:?}, not {expected:?}");
    };
    let loss = TrainingLoss::from(Loss::CrossEntropy);
    let (found, by_hand) = mean_and_gradient(&loss, outputs(), targets());
    close(&numbers(found), &[expected]);
    close(&numbers(by_hand), &gradient);
    let watched = outputs().autodiff().require_grad();
    let on_autodiff = |labels: Tensor<1, Int>| labels.autodiff();
    let Targets { labels, mixed } = targets();
    let mixed = mixed.map(|(others, share)| (on_autodiff(others), share));
    let found = mean(&loss, watched.clone(), Targets { labels: on_autodiff(labels), mixed });
    let graph = found.backward();
    close(&numbers(found.inner()), &[expected]);
    close(&numbers(watched.grad(&graph).unwrap()), &gradient);
}

#[test]
fn every_loss_is_mixed_in_its_mean() {
    for loss in Loss::ALL {
        let loss = TrainingLoss::from(loss);
        let of = |of: [i64; 2]| mean_and_gradient(&loss, outputs(), labels(of).into());
        let ((first, of_first), (second, of_second)) = (of([2, 1]), of([0, 1]));
        let targets = Targets { labels: labels([2, 1]), mixed: Some((labels([0, 1]), 0.25)) };
        let (found, gradient) = mean_and_gradient(&loss, outputs(), targets);
        assert_eq!(numbers(found), numbers(first * 0.25 + second * 0.75));
        assert_eq!(numbers(gradient), numbers(of_first * 0.25 + of_second * 0.75));
    }
}

/// A small network on digits with weighted classes.
fn mixed(overrides: &[&str]) -> Experiment {
    const TEXT: &str = r#"
        name = "mixed"
        [data]
        dataset = "mnist-sample"
        training_images = 110
        augmentation = { crop_padding = 2, mixup = 0.4 }
        [model]
        input = [1, 28, 28]
        layers = [
            { type = "conv2d", out_channels = 4, kernel = 5, stride = 3, bias = false },
            "batch_norm",
            "relu",
            "flatten",
            { type = "linear", out_features = 10 },
        ]
        [optimizer]
        learning_rate = 0.01
        [training]
        iterations = 8
        batch_size = 20
        report_every = 2
        checkpoint_every = 3
    "#;
    from_toml(TEXT, overrides)
}

const LOSSES: [&[&str]; 4] = [
    &[],
    &["training.label_smoothing=0.2", "training.class_weights=[1, 2, 3, 1, 1, 0.5, 1, 1, 1, 4]"],
    &["training.loss=mean-squared-error"],
    &["training.loss=binary-cross-entropy"],
];
const MIXTURES: [&[&str]; 2] = [&[], &["data.augmentation.mixup=0.0", "data.augmentation.cutmix=1.0"]];

/// The losses and the right answers of three steps, and the weights then.
fn steps(experiment: &Experiment) -> (Vec<f64>, Vec<usize>, Vec<f64>) {
    let setup = setup(std::path::Path::new(""));
    let data = prepare(&experiment.data, None, 1).unwrap();
    let network = Network::new(&experiment.model, 1, &setup.device.clone().autodiff()).unwrap();
    let config = trainer_config(experiment, &setup).unwrap();
    let loss = TrainingLoss::new(&experiment.training, 10, &data.training);
    let mut trainer = Trainer::new(config, network).unwrap().with_loss(loss);
    let batches = data.training_batches(20);
    let steps: Vec<_> = (0..3).map(|step| trainer.step(&batches.select(step), step)).collect();
    let weights =
        trainer.network().tensors().into_iter().flat_map(|tensor| tensor.data.iter::<f64>().collect::<Vec<_>>());
    (steps.iter().map(|step| step.loss).collect(), steps.iter().map(|step| step.correct).collect(), weights.collect())
}

#[test]
fn the_three_engines_make_the_same_steps_of_mixed_images() {
    for loss in LOSSES {
        for mixture in MIXTURES {
            let of = |engine: &str| steps(&mixed(&[loss, mixture, &[engine]].concat()));
            let expected = of("engine=autodiff");
            let plain = ["data.augmentation.mixup=0.0", "data.augmentation.cutmix=0.0"];
            assert_ne!(steps(&mixed(&[loss, &plain].concat())).0, expected.0);
            for engine in ["engine=manual", "engine=compiled"] {
                let found = of(engine);
                assert_eq!(found.1, expected.1, "{engine} {loss:?}");
                let pairs = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let (of_losses, of_weights) = (pairs(&found.0, &expected.0), pairs(&found.2, &expected.2));
                assert!(of_losses < 1e-5 && of_weights < 1e-5, "{engine} {loss:?}: {of_losses}, {of_weights}");
            }
        }
    }
}

/// The loss of a step is λ L(first labels) + (1 − λ) L(second labels), and the label with the larger share is right.
#[test]
fn a_step_counts_the_label_with_the_larger_share() {
    let experiment = mixed(&[]);
    let data = prepare(&experiment.data, None, 1).unwrap();
    let batches = data.training_batches(20);
    let setup = setup(std::path::Path::new(""));
    for engine in ["engine=autodiff", "engine=manual", "engine=compiled"] {
        let experiment = mixed(&[engine]);
        let (mut first, mut second) = (0, 0);
        for step in 0..6 {
            let images = batches.select(step);
            let mixture = images.mixture().unwrap();
            let network = Network::new(&experiment.model, 1, &setup.device.clone().autodiff()).unwrap();
            let logits = network.valid().forward(
                images.batch(&setup.device).images,
                backproof_models::PassMode::Training { seed: 1, step: step as u64 },
            );
            let rows = crate::evaluation::host_rows(logits);
            let right = if mixture.share < 0.5 { &mixture.labels } else { &images.labels() };
            let expected =
                rows.iter().zip(right).filter(|(row, label)| crate::evaluation::argmax(row) == **label).count();
            let of = |labels: &[usize]| {
                let scores =
                    rows.iter().zip(labels).map(|(row, &label)| loss::score(Loss::CrossEntropy, row, label).loss);
                scores.sum::<f64>() / rows.len() as f64
            };
            let loss = mixture.share * of(&images.labels()) + (1.0 - mixture.share) * of(&mixture.labels);
            let config = trainer_config(&experiment, &setup).unwrap();
            let mut trainer = Trainer::new(config, network).unwrap();
            let found = trainer.step(&images, step);
            assert_eq!(found.correct, expected, "{engine}, step {step}");
            assert!((found.loss - loss).abs() < 1e-5, "{engine}, step {step}: {}, not {loss}", found.loss);
            *(if mixture.share < 0.5 { &mut second } else { &mut first }) += 1;
        }
        assert!(first > 0 && second > 0);
    }
}

#[test]
fn a_run_of_mixed_images_goes_on_exactly() {
    let runs = tempfile::tempdir().unwrap();
    for mixture in MIXTURES {
        for engine in ["engine=autodiff", "engine=manual", "engine=compiled"] {
            let of = |more: &[&str]| run(&mixed(&[mixture, &[engine], more].concat()), runs.path()).unwrap();
            assert_same(&go_on(of(&["training.iterations=4"]), 8), &of(&[]), engine);
        }
    }
}
