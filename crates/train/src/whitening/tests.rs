use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_data::{Images, Normalizer};
use backproof_models::load_weights;
use backproof_spec::{Conv2dSpec, Experiment, InitializationKind};
use burn::tensor::Device;

use super::*;
use crate::testing::{assert_same, from_toml, go_on, run, setup};
use crate::{RunFolder, Silent, resume};

fn whitening(kernel: [usize; 2], channels: usize, of: Whitening, gain: f64) -> Conv2dSpec {
    let kind = InitializationKind::Whitening;
    let initialization = Initialization { kind, gain, whitening: Some(of), ..Initialization::default() };
    let layer = Conv2dSpec::new(2 * channels * kernel[0] * kernel[1], kernel);
    Conv2dSpec { initialization: Some(initialization), ..layer }
}

/// Two images of 2×3 pixels.
fn two_images() -> Subset {
    let images = Images::new(vec![3, 4, 0, 0, 5, 0, 1, 2, 3, 5, 0, 7], vec![0, 1], Shape::image(1, 2, 3));
    Subset::new(images, vec![0, 1], &Normalizer::Bytes)
}

#[test]
fn the_covariance_is_the_mean_over_the_patches_of_the_first_images() {
    // Patches of 1×2 of the first image: (3,4), (4,0), (0,5), (5,0).
    let found = covariance(Size2::new(1, 2), &two_images(), 1);
    assert_eq!(found.as_slice(), [50.0 / 4.0, 12.0 / 4.0, 12.0 / 4.0, 41.0 / 4.0]);
    // And of the second: (1,2), (2,3), (5,0), (0,7); all images where more are asked for.
    for most in [2, 9] {
        let found = covariance(Size2::new(1, 2), &two_images(), most);
        assert_eq!(found.as_slice(), [80.0 / 8.0, 20.0 / 8.0, 20.0 / 8.0, 103.0 / 8.0]);
    }
}

#[test]
fn the_kernels_are_eigenvectors_by_falling_eigenvalue_then_their_negatives() {
    // The eigenvalues of [[12.5, 3], [3, 10.25]] are 11.375 ± √(1.125² + 3²); the vectors are (3, λ − 12.5).
    let epsilon = 0.5;
    let found = kernels(&whitening([1, 2], 1, Whitening { images: 1, epsilon }, 2.0), &two_images());
    let mut expected = Vec::new();
    for sign in [1.0, -1.0] {
        let eigenvalue = 11.375 + sign * (1.125_f64.powi(2) + 9.0).sqrt();
        let [x, y] = [3.0, eigenvalue - 12.5];
        // The largest number is positive: x of the first vector, and y of the second.
        let scale = 2.0 * sign / (x.hypot(y) * (eigenvalue + epsilon).sqrt());
        expected.extend([scale * x, scale * y]);
    }
    let negatives: Vec<f64> = expected.iter().map(|v| -v).collect();
    expected.extend(negatives);
    assert_eq!(found.len(), 8);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }
}

/// Patches of 2×2 of digits, standardised: the outputs of the first four kernels are uncorrelated, and the variance of
/// each is eigenvalue / (eigenvalue + ε), nearly 1.
#[test]
fn the_outputs_of_the_kernels_are_white() {
    let data = backproof_data::prepare(&experiment(&[]).data, None, 1).unwrap();
    let of = Whitening { images: 200, epsilon: 1e-9 };
    let kernels = kernels(&whitening([2, 2], 1, of, 1.0), &data.training);
    let covariance = covariance(Size2::square(2), &data.training, 200);
    let kernels = DMatrix::from_row_slice(8, 4, &kernels);
    let outputs = &kernels * covariance * kernels.transpose();
    for row in 0..8 {
        for column in 0..8 {
            let expected = if row == column {
                1.0
            } else if row % 4 == column % 4 {
                -1.0
            } else {
                0.0
            };
            assert!((outputs[(row, column)] - expected).abs() < 1e-5, "{row}, {column}: {}", outputs[(row, column)]);
        }
    }
}

fn experiment(overrides: &[&str]) -> Experiment {
    const TEXT: &str = r#"
        name = "test"
        [data]
        dataset = "mnist-sample"
        [model]
        input = [1, 28, 28]
        layers = [
            { type = "conv2d", out_channels = 8, kernel = 2, stride = 2, initialization = "whitening" },
            "relu",
            "flatten",
            { type = "linear", out_features = 10, initialization = "pytorch-default" },
        ]
        [optimizer]
        learning_rate = 0.01
        [training]
        iterations = 4
        report_every = 2
        checkpoint_every = 2
    "#;
    from_toml(TEXT, overrides)
}

fn first_kernels_of(experiment: &Experiment) -> Vec<f32> {
    let data = backproof_data::prepare(&experiment.data, None, experiment.seed).unwrap();
    let LayerSpec::Conv2d(conv) = &experiment.model.layers[0] else { panic!() };
    kernels(conv, &data.training).into_iter().map(|v| v as f32).collect()
}

fn kernels_of(run: &RunFolder) -> Vec<f32> {
    let network = Network::new(&run.experiment().unwrap().model, 9, &Device::flex()).unwrap();
    let network = load_weights(network, &run.weights(false).unwrap().0, &[]).unwrap().0;
    network.tensors()[0].data.iter::<f32>().collect()
}

#[test]
fn a_run_of_every_engine_begins_with_the_kernels_and_goes_on_without_them() {
    let runs = tempfile::tempdir().unwrap();
    for engine in ["autodiff", "manual", "compiled"] {
        let engine = format!("engine={engine}");
        // A learning rate that moves nothing in single precision.
        let still = experiment(&[&engine, "optimizer.learning_rate=1e-30", "optimizer.weight_decay=0.0"]);
        let ended = run(&still, runs.path()).unwrap();
        assert_eq!(kernels_of(&ended), first_kernels_of(&still), "{engine}");
        // Two iterations and two more are four, from a checkpoint and from none.
        let whole = run(&experiment(&[&engine]), runs.path()).unwrap();
        let half = run(&experiment(&[&engine, "training.iterations=2"]), runs.path()).unwrap();
        assert_same(&go_on(half, 4), &whole, &engine);
        let stopped = run(&experiment(&[&engine]), runs.path()).unwrap();
        std::fs::remove_dir_all(stopped.path().join("checkpoints")).unwrap();
        let stopped = RunFolder::open(stopped.path()).unwrap();
        resume(stopped, None, None, &setup(Path::new("")), &mut Silent, &AtomicBool::new(false)).unwrap();
    }
}

#[test]
fn what_a_warm_start_loads_is_not_whitened_and_what_it_does_not_load_is() {
    let runs = tempfile::tempdir().unwrap();
    let first = run(&experiment(&[]), runs.path()).unwrap();
    let from = format!("model.init_from={}", first.path().display());
    let still = ["optimizer.learning_rate=1e-30", "optimizer.weight_decay=0.0", &from];
    let second = run(&experiment(&still), runs.path()).unwrap();
    assert_eq!(kernels_of(&second), kernels_of(&first));
    let other = "model.layers.0={ type = \"conv2d\", out_channels = 18, kernel = 3, stride = 2, padding = 1, \
                 initialization = \"whitening\" }";
    let other = experiment(&[&still[..], &[other]].concat());
    let third = run(&other, runs.path()).unwrap();
    assert_eq!(kernels_of(&third), first_kernels_of(&other));
}

#[test]
fn a_network_whose_first_layer_asks_for_nothing_stays_as_it_is() {
    let network = Network::new(&crate::testing::experiment(&[]).model, 1, &Device::flex()).unwrap();
    assert!(whitened(&network, [].iter(), &two_images()).is_none());
}
