//! Groups of parameters, and what is done to gradients and weights beside the update.

use std::path::Path;

use backproof_spec::{Lookahead, WeightAverage};
use burn::tensor::{DType, TensorData};

use super::*;

/// Muon for matrices, gradient descent for the rest, of which one is frozen from an iteration on; and everything else.
const MIXED: &[&str] = &[
    "optimizer.kind=sgd",
    "optimizer.momentum=0.85",
    "optimizer.nesterov=true",
    "optimizer.learning_rate=1e-2",
    "optimizer.groups=[{ parameters = [\"conv*.weight\", \"linear*.weight\"], kind = \"muon\", momentum = 0.6, learning_rate = 2e-2 }, \
     { parameters = \"norm*\", kind = \"adam\", learning_rate = 1e-3, frozen_from = 15 }, \
     { parameters = \"linear2.bias\", weight_decay = 0.1, frozen_until = 5 }]",
    "optimizer.clipping={ type = \"norm\", most = 0.5 }",
    "optimizer.lookahead={ every = 3 }",
    "training.weight_average={ decay = 0.8 }",
];

const ENGINES: [&str; 3] = ["engine=autodiff", "engine=manual", "engine=compiled"];

fn trainer_of(experiment: &Experiment) -> Trainer {
    let config = trainer_config(experiment, &setup(Path::new("runs"))).unwrap();
    let network = Network::new(&experiment.model, experiment.seed, &config.device.clone().autodiff()).unwrap();
    Trainer::new(config, network).unwrap()
}

/// Images and labels that differ from step to step.
struct Batch(usize);

impl Minibatch for Batch {
    fn labels(&self) -> Vec<usize> {
        (0..8).map(|image| (image * 3 + self.0) % 10).collect()
    }

    fn write(&self, image: usize, to: &mut [f32]) {
        let number = |at: usize| ((at * 31 + image * 17 + self.0 * 7) % 101) as f32 / 50.0 - 1.0;
        to.iter_mut().enumerate().for_each(|(at, to)| *to = number(at));
    }

    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let mut pixels = vec![0.0; 8 * 784];
        pixels.chunks_mut(784).enumerate().for_each(|(image, to)| self.write(image, to));
        let labels: Vec<i64> = self.labels().into_iter().map(|label| label as i64).collect();
        let images = TensorData::new(pixels, [8, 1, 28, 28]);
        (Tensor::from_data(images, (device, DType::F32)), Tensor::from_data(&labels[..], device))
    }
}

/// Parameters by name.
type Parameters = Vec<(String, Vec<f32>)>;

/// All parameters after each of `steps` steps, and what is evaluated then.
fn steps(experiment: &Experiment, steps: usize) -> Vec<[Parameters; 2]> {
    let mut trainer = trainer_of(experiment);
    let numbers = |network: Network| -> Parameters {
        let trained = network.tensors().into_iter().filter(|tensor| !tensor.name.contains("running"));
        trained.map(|tensor| (tensor.name, tensor.data.iter::<f32>().collect())).collect()
    };
    let step = |step: usize| {
        assert!(trainer.step(&Batch(step), step).loss.is_finite());
        [numbers(trainer.network()), numbers(trainer.evaluated_network())]
    };
    (0..steps).map(step).collect()
}

#[test]
fn the_engines_agree_on_everything_that_an_optimizer_can_be_asked_for() {
    let [autodiff, manual, compiled] = ENGINES.map(|engine| varied(&[MIXED, &[engine]].concat()));
    let [of_autodiff, of_manual, of_compiled] = [autodiff, manual, compiled].map(|experiment| steps(&experiment, 20));
    for (what, others) in [("manual", of_manual), ("compiled", of_compiled)] {
        for (step, (ours, expected)) in others.iter().zip(&of_autodiff).enumerate() {
            for ((name, ours), (_, expected)) in ours.iter().flatten().zip(expected.iter().flatten()) {
                assert!(distance(ours, expected) < 2e-3, "{what}, step {step}, {name}: {}", distance(ours, expected));
            }
        }
    }
}

#[test]
fn a_run_with_all_of_it_that_is_resumed_is_the_run_that_was_not_stopped() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let set = [MIXED, &[engine]].concat();
        let whole = run(&varied(&set), folder.path()).unwrap();
        for iterations in ["training.iterations=4", "training.iterations=10"] {
            let half = run(&varied(&[&set[..], &[iterations]].concat()), folder.path()).unwrap();
            assert_same(&whole, &go_on(half, 20), engine);
        }
        // What is evaluated, and what predicts, is the average.
        let file = |name: &str| fs::read(whole.path().join("checkpoints/last").join(name)).unwrap();
        let (evaluated, _) = whole.last().weights().unwrap();
        assert!(file("average.safetensors") == evaluated && file("weights.safetensors") != evaluated, "{engine}");
    }
}

#[test]
fn what_is_frozen_keeps_every_bit_and_the_rest_moves() {
    for engine in ENGINES {
        let found = steps(&varied(&[MIXED, &[engine, "optimizer.lookahead={ every = 100 }"]].concat()), 20);
        let of = |step: usize, name: &str| {
            let weights = &found[step][0];
            weights.iter().find(|(of, _)| of == name).unwrap().1.clone()
        };
        for step in 1..20 {
            let still = |name: &str| of(step, name) == of(step - 1, name);
            assert_eq!(still("norm1.weight"), step >= 15, "{engine}, step {step}");
            assert_eq!(still("linear2.bias"), step < 5, "{engine}, step {step}");
            assert!(!still("conv1.weight"), "{engine}, step {step}");
        }
    }
}

/// A group by which nothing differs changes no bit.
#[test]
fn a_group_with_the_rule_of_all_changes_no_bit() {
    for engine in ENGINES {
        for kind in ["momentum", "sgd", "adam", "rmsprop"] {
            let kind = format!("optimizer.kind={kind}");
            let set = [engine, &kind, "optimizer.learning_rate=1e-3"];
            let group = "optimizer.groups=[{ parameters = [\"conv2.*\", \"linear1.weight\"] }]";
            let [plain, grouped] = [&set[..], &[&set[..], &[group]].concat()].map(|set| steps(&varied(set), 6));
            assert!(plain == grouped, "{engine}, {kind}");
        }
    }
}

/// The average is a ← d a + (1 − d) w from the weights after the first step; training does not know of it.
#[test]
fn the_weights_that_are_evaluated_are_the_moving_average() {
    for engine in ENGINES {
        let plain = varied(&[engine]);
        let mut averaged = plain.clone();
        averaged.training.weight_average = Some(WeightAverage { decay: 0.75 });
        let (plain, averaged) = (steps(&plain, 5), steps(&averaged, 5));
        let mut expected: Vec<Vec<f64>> = Vec::new();
        for (step, ([weights, evaluated], [same, average])) in plain.iter().zip(&averaged).enumerate() {
            assert!(weights == same && evaluated == weights, "{engine}, step {step}");
            let now = |of: &[(String, Vec<f32>)]| -> Vec<Vec<f64>> {
                of.iter().map(|(_, numbers)| numbers.iter().copied().map(f64::from).collect()).collect()
            };
            let weights = now(weights);
            if step == 0 {
                expected = weights;
            } else {
                let pairs = expected.iter_mut().flatten().zip(weights.iter().flatten());
                pairs.for_each(|(a, w)| *a = 0.75 * *a + 0.25 * w);
            }
            let apart = expected.iter().flatten().zip(now(average).into_iter().flatten()).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f64::max) < 1e-6, "{engine}, step {step}");
        }
    }
}

/// φ ← φ + a (w − φ) and w ← φ every k steps of plain gradient descent, which does not look back.
#[test]
fn lookahead_goes_a_share_of_the_way() {
    for engine in ENGINES {
        let plain = varied(&[engine, "optimizer.kind=sgd"]);
        let mut ahead = plain.clone();
        ahead.optimizer.lookahead = Some(Lookahead { every: 2, share: 0.25 });
        let start = trainer_of(&plain).network().tensors();
        let (plain, ahead) = (steps(&plain, 2), steps(&ahead, 2));
        assert!(plain[0] == ahead[0], "{engine}");
        for ((name, w), (_, found)) in plain[1][0].iter().zip(&ahead[1][0]) {
            let start = start.iter().find(|tensor| tensor.name == *name).unwrap();
            let expected = start.data.iter::<f32>().zip(w).map(|(start, w)| start + 0.25 * (w - start));
            let apart = expected.zip(found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-6, "{engine}, {name}: {apart}");
        }
    }
}

/// One step of plain gradient descent moves the weights by the clipped gradient.
#[test]
fn gradients_are_clipped_together_or_one_by_one() {
    for engine in ENGINES {
        let set = [engine, "optimizer.kind=sgd", "optimizer.learning_rate=1"];
        let start = trainer_of(&varied(&set)).network().tensors();
        let moved = |more: &[&str]| -> Vec<f64> {
            let after = steps(&varied(&[&set[..], more].concat()), 1);
            let start = start.iter().filter(|tensor| tensor.trainable).flat_map(|tensor| tensor.data.iter::<f64>());
            let after = after[0][0].iter().flat_map(|(_, numbers)| numbers.iter().copied().map(f64::from));
            start.zip(after).map(|(start, after)| start - after).collect()
        };
        let norm = |numbers: &[f64]| numbers.iter().map(|g| g * g).sum::<f64>().sqrt();
        let gradient = moved(&[]);
        let by_norm = moved(&["optimizer.clipping={ type = \"norm\", most = 0.25 }"]);
        assert!(norm(&gradient) > 0.5 && (norm(&by_norm) - 0.25).abs() < 1e-4, "{engine}: {}", norm(&by_norm));
        let factor = 0.25 / norm(&gradient);
        assert!(gradient.iter().zip(&by_norm).all(|(g, clipped)| (g * factor - clipped).abs() < 1e-6), "{engine}");
        // A norm that is not reached changes nothing.
        assert!(moved(&["optimizer.clipping={ type = \"norm\", most = 1e3 }"]) == gradient, "{engine}");
        let by_value = moved(&["optimizer.clipping={ type = \"value\", most = 0.01 }"]);
        assert!(gradient.iter().any(|g| g.abs() > 0.02), "{engine}");
        let clipped = |(g, clipped): (&f64, &f64)| (g.clamp(-0.01, 0.01) - clipped).abs() < 1e-6;
        assert!(gradient.iter().zip(&by_value).all(clipped), "{engine}");
    }
}

/// A report says that a weight is not finite, whatever the optimizer does.
#[test]
fn a_decay_of_zero_hides_no_weight_that_is_not_finite() {
    for engine in ENGINES {
        let experiment = varied(&[engine, "optimizer.kind=adam"]);
        let config = trainer_config(&experiment, &setup(Path::new("runs"))).unwrap();
        let network = Network::new(&experiment.model, experiment.seed, &config.device.clone().autodiff()).unwrap();
        let of = |network: Network| Trainer::new(config.clone(), network).unwrap().weight_decay_loss();
        assert_eq!(of(network.clone()), 0.0, "{engine}");
        assert!(of(network.with_values("linear2.bias", &[f64::NAN; 10])).is_nan(), "{engine}");
    }
}
