//! The networks that `auto` chooses.

use backproof_data::{Images, Normalizer, Subset, TrainingBatches};
use backproof_models::Network;
use backproof_spec::{Augmentation, Experiment, Order, Shape, published};

use crate::Trainer;
use crate::computation::trainer_config;
use crate::testing::{experiment, setup};

/// Two images of any pixels, of classes 0 and 2.
fn images(shape: Shape) -> TrainingBatches {
    let pixels = (0..2 * shape.elements()).map(|at| (at * 7_919 % 251) as u8).collect();
    let subset = Subset::new(Images::new(pixels, vec![0, 2], shape), vec![0, 1], &Normalizer::Unit);
    TrainingBatches::new(subset, 2, Order::Epochs, Augmentation::default(), 1)
}

/// The losses of two steps.
fn losses(experiment: &Experiment, batches: &TrainingBatches) -> [f64; 2] {
    let setup = setup(std::path::Path::new(""));
    let network = Network::new(&experiment.model, 1, &setup.device.clone().autodiff()).unwrap();
    let mut trainer = Trainer::new(trainer_config(experiment, &setup).unwrap(), network).unwrap();
    [0, 1].map(|step| trainer.step(&batches.select(step), step).loss)
}

#[test]
fn the_network_of_every_size_makes_a_step_that_lowers_the_loss_by_every_engine() {
    for side in [8, 16, 28, 32, 64, 96, 128, 224, 512] {
        for channels in [1, 3] {
            let shape = Shape::image(channels, side, side);
            let model = published::for_images(shape).unwrap().fitted(shape, 3).unwrap();
            let batches = images(shape);
            let of = |engine: &str| {
                let experiment = experiment(&["optimizer.learning_rate=0.01", engine]);
                losses(&Experiment { model: model.clone(), ..experiment }, &batches)
            };
            let expected = of("engine=autodiff");
            assert!(expected[1] < expected[0], "{shape}: {expected:?}");
            for engine in ["engine=manual", "engine=compiled"] {
                for (found, expected) in of(engine).into_iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-3 * expected, "{shape}, {engine}: {found}, not {expected}");
                }
            }
        }
    }
}
