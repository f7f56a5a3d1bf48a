//! Training on the CPU kernels against training by Burn.

mod auto;
mod groups;
mod looks;

use std::fs;

use backproof_spec::Experiment;
use safetensors::SafeTensors;

use super::*;
use crate::computation::trainer_config;
use crate::testing::{assert_same, experiment, from_toml, go_on, optimizers, run, setup};
use crate::{Computation, RunFolder};

/// A network with everything that a plan treats by itself. There is no bias before a normalisation: its gradient is
/// round-off alone, which Adam makes as large as any other.
const VARIED: &str = r#"
    name = "varied"
    [data]
    dataset = "mnist-sample"
    [model]
    input = [1, 28, 28]
    layers = [
        { type = "conv2d", out_channels = 6, kernel = 3, stride = 2, padding = 1, bias = false },
        { type = "batch_norm" },
        "relu",
        { type = "max_pool2d", kernel = 3, stride = 2 },
        { type = "dropout", probability = 0.2 },
        { type = "conv2d", out_channels = 18, kernel = 3, padding = 1, groups = 2 },
        "relu",
        { type = "avg_pool2d", kernel = 2 },
        "flatten",
        { type = "linear", out_features = 20, bias = false },
        { type = "batch_norm" },
        "relu",
        { type = "dropout", probability = 0.3 },
        { type = "linear", out_features = 10 },
    ]
    [optimizer]
    learning_rate = 0.05
    [training]
    iterations = 20
    report_every = 5
"#;

fn varied(overrides: &[&str]) -> Experiment {
    from_toml(VARIED, overrides)
}

/// All tensors at the end of a run, by name.
fn weights(run: &RunFolder) -> Vec<(String, Vec<f32>)> {
    let bytes = fs::read(run.path().join("checkpoints/last/weights.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<(String, Vec<f32>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let numbers = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            (name, numbers)
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// The root mean square of `a − b` over that of `b`, or over a hundredth if that is more: the bias of a convolution
/// before a normalisation has no gradient but round-off.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let root_mean_square =
        |numbers: &mut dyn Iterator<Item = f64>| (numbers.map(|x| x * x).sum::<f64>() / b.len() as f64).sqrt();
    let apart = root_mean_square(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    apart / root_mean_square(&mut b.iter().copied().map(f64::from)).max(0.01)
}

/// Every tensor of the run on the kernels is within `tolerance` of that of the same run without.
fn assert_close(with: &Experiment, without: &Experiment, tolerance: f64, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [with, without] = [with, without].map(|experiment| weights(&run(experiment, folder.path()).unwrap()));
    assert_eq!(with.len(), without.len());
    let distances = with.iter().zip(&without).map(|((name, a), (_, b))| (name, distance(a, b)));
    let off: Vec<_> = distances.filter(|(_, distance)| *distance > tolerance).collect();
    assert!(off.is_empty(), "{what}: {off:?}");
}

/// With the kernels, and what makes of it the same without.
const PAIRS: [(&str, &str); 2] = [("engine=compiled", "engine=manual"), ("engine=autodiff", "kernels=off")];

#[test]
fn training_on_the_kernels_ends_where_training_by_burn_ends() {
    let cases = [
        ("model.name=mnist-baseline", "cross-entropy", "momentum"),
        ("model.name=mnist-baseline", "mean-squared-error", "adam"),
        ("model.name=petre-mlp-fashion", "binary-cross-entropy", "momentum"),
        ("model.name=petre-cnn-fashion", "cross-entropy", "momentum"),
    ];
    for (model, loss, optimizer) in cases {
        // Round-off grows from step to step. Adam divides gradients by themselves, those too that are round-off alone.
        let (iterations, tolerance) = if optimizer == "adam" { (5, 2e-3) } else { (10, 2e-4) };
        let iterations = format!("training.iterations={iterations}");
        let (loss, optimizer) = (format!("training.loss={loss}"), format!("optimizer.kind={optimizer}"));
        let with = |engine: &str| {
            [model, &loss, &optimizer, &iterations, "optimizer.learning_rate=2e-3", engine].map(str::to_owned)
        };
        for (engine, without) in PAIRS {
            let set = with(engine);
            let set: Vec<&str> = set.iter().map(String::as_str).collect();
            let off = [&set[..], &[without]].concat();
            assert_close(&experiment(&set), &experiment(&off), tolerance, &set.join(" "));
        }
    }
}

#[test]
fn dropout_normalisation_strides_and_groups_train_the_same_on_the_kernels() {
    let cases = [
        ("cross-entropy", "momentum", 10, 2e-4),
        ("mean-squared-error", "momentum", 10, 2e-4),
        ("binary-cross-entropy", "momentum", 10, 2e-4),
        ("cross-entropy", "adam", 5, 2e-2),
    ];
    for (loss, optimizer, iterations, tolerance) in cases {
        for (engine, without) in PAIRS {
            let loss = format!("training.loss={loss}");
            let optimizer = format!("optimizer.kind={optimizer}");
            let iterations = format!("training.iterations={iterations}");
            let set = ["optimizer.learning_rate=2e-3", &loss, &optimizer, engine, &iterations];
            let off = [&set[..], &[without]].concat();
            assert_close(&varied(&set), &varied(&off), tolerance, &set.join(" "));
        }
    }
}

/// On real digits: the weights that move before the momentum end elsewhere, and learn too.
#[test]
fn either_order_of_weights_and_momentum_trains_the_same_on_every_engine() {
    let order = |update: &str, more: &[&str]| {
        let update = format!("optimizer.update={update}");
        experiment(&[&["optimizer.momentum=0.9", "optimizer.learning_rate=0.02", &update], more].concat())
    };
    let orders = ["after-momentum", "before-momentum"];
    for update in orders {
        for (engine, without) in PAIRS {
            let with = order(update, &["training.iterations=10", engine]);
            let without = order(update, &["training.iterations=10", engine, without]);
            assert_close(&with, &without, 2e-4, &format!("{update}, {engine}"));
        }
    }
    let runs = tempfile::tempdir().unwrap();
    let runs = orders.map(|update| {
        let long = order(update, &["training.iterations=200", "training.report_every=50", "engine=compiled"]);
        run(&long, runs.path()).unwrap()
    });
    for (folder, update) in runs.iter().zip(orders) {
        let losses: Vec<f64> = folder.reports().unwrap().iter().map(|report| report.classification_loss).collect();
        assert!(losses[3] < 0.5 * losses[0], "{update}: {losses:?}");
    }
    assert!(weights(&runs[0]) != weights(&runs[1]), "the order makes a difference");
}

/// In the first step the inputs of ReLUs are exactly 0 in black margins, since black is 0 and biases begin at 0. There
/// the two gradients differ.
#[test]
fn either_gradient_of_a_relu_at_zero_trains_the_same_on_every_engine() {
    let network = r#"model.layers=[
        { type = "conv2d", out_channels = 4, kernel = 3, padding = 1 }, { type = "relu", GRADIENT },
        { type = "max_pool2d", kernel = 2 },
        { type = "conv2d", out_channels = 6, kernel = 3, padding = 1 }, { type = "relu", GRADIENT },
        { type = "batch_norm" }, { type = "avg_pool2d", kernel = 2 }, "flatten",
        { type = "linear", out_features = 12 }, { type = "relu", GRADIENT }, { type = "linear", out_features = 10 }]"#;
    let of = |gradient: usize, more: &[&str]| {
        let network = network.replace("GRADIENT", &format!("gradient_at_zero = {gradient}")).replace('\n', " ");
        varied(
            &[&["optimizer.learning_rate=2e-3", "training.iterations=10", "data.normalization=unit", &network], more]
                .concat(),
        )
    };
    for gradient in [0, 1] {
        for (engine, without) in PAIRS {
            assert_close(
                &of(gradient, &[engine]),
                &of(gradient, &[engine, without]),
                2e-4,
                &format!("{gradient} {engine}"),
            );
        }
    }
    let runs = tempfile::tempdir().unwrap();
    let [zero, one] = [0, 1].map(|gradient| weights(&run(&of(gradient, &["engine=compiled"]), runs.path()).unwrap()));
    assert!(zero != one, "the gradient at 0 makes a difference");
}

#[test]
fn a_run_on_the_kernels_that_is_resumed_is_the_run_that_was_not_stopped() {
    for engine in ["engine=manual", "engine=compiled", "engine=autodiff"] {
        for optimizer in ["optimizer.kind=momentum", "optimizer.kind=adam"] {
            let folder = tempfile::tempdir().unwrap();
            let set = [engine, optimizer, "optimizer.learning_rate=2e-3"];
            let half = [&set[..], &["training.iterations=10"]].concat();
            let whole = run(&varied(&set), folder.path()).unwrap();
            let half = run(&varied(&half), folder.path()).unwrap();
            assert_same(&whole, &go_on(half, 20), &set.join(" "));
        }
    }
}

/// Every layer with the reason where it is Burn's.
fn computed_by(overrides: &[&str]) -> Vec<(String, ComputedBy)> {
    let experiment = varied(overrides);
    let setup = setup(std::path::Path::new(""));
    let network = Network::new(&experiment.model, 1, &setup.device.clone().autodiff()).unwrap();
    let config = trainer_config(&experiment, &setup).unwrap();
    let trainer = Trainer::new(config, network).unwrap();
    let computation = Computation::new(&experiment, &setup, &trainer, 0).unwrap();
    computation.layers.into_iter().map(|layer| (layer.layer, layer.by)).collect()
}

#[test]
fn a_run_says_of_each_layer_what_computes_it() {
    assert!(computed_by(&["engine=compiled"]).iter().all(|(_, by)| *by == ComputedBy::Kernel));
    for set in [&["engine=manual"][..], &["kernels=off"]] {
        let reason = |by: &ComputedBy| matches!(by, ComputedBy::Burn { reason } if !reason.is_empty());
        assert!(computed_by(set).iter().all(|(_, by)| reason(by)), "{set:?}");
    }
}

/// The segments of autodiff's graph are there with the backend alone.
#[cfg(feature = "flex")]
#[test]
fn autodiff_says_which_layers_are_nodes_of_kernels_and_why_the_others_are_not() {
    let found = computed_by(&[]);
    let kernels: Vec<&str> =
        found.iter().filter(|(_, by)| *by == ComputedBy::Kernel).map(|(name, _)| name.as_str()).collect();
    assert_eq!(kernels, ["conv1", "norm1", "relu1", "pool1", "dropout1", "conv2", "relu2", "pool2"]);
    let reason = |name: &str| match found.iter().find(|(of, _)| of == name) {
        Some((_, ComputedBy::Burn { reason })) => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason("flatten1"), "it moves no numbers");
    assert_eq!(reason("linear1"), "Burn's product is faster for 20 outputs");
    assert_eq!(reason("norm2"), "its kernel is used in one node with a convolution before it");
}

#[test]
fn the_compiled_engine_refuses_what_has_no_kernel_before_there_is_a_folder() {
    let runs = tempfile::tempdir().unwrap();
    let layers = r#"model.layers=["flatten", "batch_norm", { type = "linear", out_features = 10 }]"#;
    let error = run(&varied(&[layers, "engine=compiled"]), runs.path()).unwrap_err();
    let expected =
        "engine = \"compiled\" cannot train this: there is no kernel for norm1 (batch norm of flattened images)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 0);
}

/// The velocity of gradient descent with dampening begins with the whole first gradient, and so must not be there before.
#[test]
fn a_plan_that_has_made_no_step_remembers_nothing() {
    let experiment = experiment(&["engine=compiled"]);
    for optimizer in optimizers() {
        let experiment = Experiment { optimizer: optimizer.into(), ..experiment.clone() };
        let config = trainer_config(&experiment, &setup(std::path::Path::new("runs"))).unwrap();
        let device = config.device.clone().autodiff();
        let network = Network::new(&experiment.model, experiment.seed, &device).unwrap();
        let trainer = Trainer::new(config, network).unwrap();
        assert!(trainer.optimizer().to_record().is_empty(), "{optimizer:?}");
    }
}
