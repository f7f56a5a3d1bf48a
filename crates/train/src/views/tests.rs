use std::ops::ControlFlow::Continue;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_data::{Selection, Subset, evaluation_selections, prepare};
use backproof_models::{Network, PassMode};
use burn::Tensor;
use burn::tensor::TensorData;

use crate::evaluate::evaluate_subset;
use crate::evaluation::{argmax, host_rows};
use crate::testing::{assert_same, experiment, go_on, run, setup};
use crate::{RunFolder, Setup, Silent, Split, Weights, evaluate};

/// The logits of plain images `[C, H, W]`, by Burn.
fn logits(network: &Network, images: &[Vec<f32>], setup: &Setup) -> Vec<Vec<f64>> {
    let numbers = TensorData::new(images.concat(), [images.len(), 1, 28, 28]);
    host_rows(network.forward(Tensor::from_data(numbers, &setup.device), PassMode::Inference))
}

/// Row i and column j are row i + `shift` and column j + `shift` of `image`, mirrored left to right or not.
fn moved(image: &[f32], mirrored: bool, shift: isize) -> Vec<f32> {
    let inside = |at: isize| match at {
        -1 => 1,
        28 => 26,
        at => at as usize,
    };
    let pixel = |i: isize, j: isize| {
        let (row, column) = (inside(i + shift), inside(j + shift));
        image[row * 28 + if mirrored { 27 - column } else { column }]
    };
    (0..28 * 28).map(|at| pixel(at / 28, at % 28)).collect()
}

#[test]
fn the_logits_are_the_mean_over_the_views_by_burn_and_by_the_plan() {
    let setup = setup(Path::new(""));
    for kernels in ["kernels=off", "kernels=auto"] {
        let base = experiment(&[kernels]);
        let network = Network::new(&base.model, 3, &setup.device).unwrap();
        let data = prepare(&base.data, None, 1).unwrap();
        let test = Subset::new(data.test.images().clone(), (0..7).collect(), &data.normalizer);
        let plain = evaluation_selections(&test, 7).next().unwrap().numbers();
        let of = |mirrored: bool, shift: isize| {
            let images: Vec<_> = plain.chunks_exact(28 * 28).map(|image| moved(image, mirrored, shift)).collect();
            logits(&network, &images, &setup)
        };
        let views = [of(false, 0), of(true, 0), of(false, -1), of(true, -1), of(false, 1), of(true, 1)];
        for (name, shares) in
            [("one", &[1.0][..]), ("mirror", &[0.5, 0.5]), ("six", &[0.25, 0.25, 0.125, 0.125, 0.125, 0.125])]
        {
            let experiment = experiment(&[kernels, &format!("evaluation.views={name}")]);
            let mut found = Vec::new();
            let each = |_: &Selection<'_>, rows: &Tensor<2>| {
                found.extend(host_rows(rows.clone()));
                Continue(())
            };
            let evaluation = evaluate_subset(&experiment, &setup, &network, &test, each).unwrap();
            assert_eq!(found.len(), 7);
            for (image, row) in found.iter().enumerate() {
                for (class, found) in row.iter().enumerate() {
                    let terms = shares.iter().zip(&views).map(|(share, view)| share * view[image][class]);
                    let expected: f64 = terms.sum();
                    assert!((found - expected).abs() < 1e-4, "{name}, {kernels}: {found}, not {expected}");
                }
                assert_eq!(evaluation.predictions[image].predicted, argmax(row));
            }
        }
    }
}

#[test]
fn a_run_with_views_goes_on_exactly_and_its_result_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let six = |more: &[&str]| experiment(&[&["evaluation.views=six", "data.training_images=200"], more].concat());
    let whole = run(&six(&[]), runs.path()).unwrap();
    let half = run(&six(&["training.iterations=10"]), runs.path()).unwrap();
    let resumed = go_on(half, 20);
    assert_same(&resumed, &whole, "six views");
    let last = |run: &RunFolder| run.reports().unwrap().last().unwrap().validation_accuracy;
    assert_eq!(last(&resumed), last(&whole));
    let text = |run: &RunFolder, name: &str| std::fs::read_to_string(run.path().join(name)).unwrap();
    assert!(text(&whole, "evaluation/result.json").contains("\"views\": \"six\""));
    let log = text(&whole, "log.txt");
    assert!(log.contains("over 500 images, six views\n"), "{log}");
    let setup = setup(Path::new(""));
    let evaluated = evaluate(&whole, Split::Test, &Weights::Last, None, &setup, &mut Silent, &AtomicBool::new(false))
        .unwrap()
        .result;
    assert_eq!(Some(evaluated), whole.result().unwrap());
    let one = run(&experiment(&["data.training_images=200"]), runs.path()).unwrap();
    assert!(!text(&one, "evaluation/result.json").contains("views"));
    assert_ne!(one.result().unwrap().unwrap().loss, whole.result().unwrap().unwrap().loss);
}
