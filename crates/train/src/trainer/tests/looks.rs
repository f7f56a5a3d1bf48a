//! What is seen of the layers while a network trains.

use std::fs;

use safetensors::SafeTensors;

use super::*;
use crate::LayersLook;

const ENGINES: [&str; 3] = ["engine=autodiff", "engine=manual", "engine=compiled"];

/// What is not the same for two engines but for rounding.
fn apart(one: &LayersLook, other: &LayersLook) -> Vec<String> {
    assert_eq!((one.iteration, one.probe_images), (other.iteration, other.probe_images));
    assert_eq!((one.tensors.len(), one.relus.len()), (other.tensors.len(), other.relus.len()));
    let mut apart = Vec::new();
    for (one, other) in one.tensors.iter().zip(&other.tensors) {
        assert_eq!(one.name, other.name);
        let figures = [(one.gradient, other.gradient), (one.update, other.update), (one.weight, other.weight)];
        if figures.iter().any(|(one, other)| (one - other).abs() > 1e-3 * other + 1e-9) {
            apart.push(format!("{one:?} {other:?}"));
        }
    }
    for (one, other) in one.relus.iter().zip(&other.relus) {
        assert_eq!((&one.layer, one.unit, one.units), (&other.layer, other.unit, other.units));
        if one.dead != other.dead || (one.zeros - other.zeros).abs() > 1e-3 {
            apart.push(format!("{one:?} {other:?}"));
        }
    }
    apart
}

#[test]
fn all_engines_see_the_same() {
    let every = ["training.layers_every=2", "training.iterations=10", "optimizer.learning_rate=2e-3"];
    for of in [experiment, varied] {
        let folder = tempfile::tempdir().unwrap();
        let looks = |more: &[&str]| run(&of(&[&every, more].concat()), folder.path()).unwrap().looks().unwrap();
        let expected = looks(&["engine=autodiff", "kernels=off"]);
        let probed = |look: &LayersLook| (look.iteration, look.relus.is_empty());
        assert_eq!(
            expected.iter().map(probed).collect::<Vec<_>>(),
            [(1, false), (2, true), (4, true), (6, true), (8, false), (10, false)]
        );
        for engine in ENGINES {
            let found = looks(&[engine]);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let apart = apart(found, expected);
                assert!(apart.is_empty(), "{engine}, iteration {}: {apart:#?}", found.iteration);
            }
        }
        // Every trained tensor is there, and units of both kinds.
        let parameters = of(&[]).model.trace().unwrap().iter().map(|layer| layer.weights + layer.biases).sum::<usize>();
        assert!(parameters > 0 && expected[0].tensors.iter().all(|tensor| tensor.gradient > 0.0));
        assert!(
            !expected[0].relus.is_empty() && expected[0].relus.iter().all(|relu| relu.zeros > 0.05 && relu.zeros < 1.0)
        );
    }
}

#[test]
fn looking_changes_no_bit() {
    let sets: [&[&str]; 4] = [
        &["optimizer.kind=momentum", "optimizer.weight_decay=1e-2"],
        &["optimizer.kind=adam", "optimizer.clipping={ type = \"norm\", most = 0.1 }"],
        &["optimizer.kind=rmsprop", "optimizer.lookahead={ every = 3, share = 0.5 }"],
        &["optimizer.clipping={ type = \"value\", most = 0.001 }", "training.weight_average={ decay = 0.9 }"],
    ];
    for engine in ENGINES {
        for set in sets {
            let folder = tempfile::tempdir().unwrap();
            let files = |every: &str| {
                let run = run(&varied(&[set, &[engine, every, "training.iterations=9"]].concat()), folder.path());
                let run = run.unwrap_or_else(|error| panic!("{error} {set:?}"));
                let files = ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv"];
                files.map(|name| fs::read(run.path().join(name)).unwrap())
            };
            assert!(files("training.layers_every=0") == files("training.layers_every=1"), "{engine} {set:?}");
        }
    }
}

/// The weights that a run kept after an iteration.
fn kept(run: &RunFolder, iteration: usize) -> Vec<(String, Vec<f64>)> {
    let (_, path) = run.kept_weights().into_iter().find(|(of, _)| *of == iteration).unwrap();
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect();
    file.tensors().into_iter().map(|(name, view)| (name, numbers(view.data()))).collect()
}

#[test]
fn an_update_is_the_step_from_the_weights_before_and_the_gradient_is_that_before_clipping() {
    let rms = |numbers: &mut dyn Iterator<Item = f64>| {
        let numbers: Vec<f64> = numbers.collect();
        (numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len() as f64).sqrt()
    };
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let common = [engine, "training.layers_every=5", "training.iterations=5", "training.keep=[4, 5]"];
        let with = |more: &[&str]| run(&varied(&[&common, more].concat()), folder.path()).unwrap();
        let clipped = with(&["optimizer.clipping={ type = \"norm\", most = 1e-3 }", "optimizer.weight_decay=0.1"]);
        let look = clipped.looks().unwrap().pop().unwrap();
        let [before, after] = [4, 5].map(|iteration| kept(&clipped, iteration));
        for tensor in &look.tensors {
            let of = |all: &[(String, Vec<f64>)]| all.iter().find(|(name, _)| *name == tensor.name).unwrap().1.clone();
            let (before, after) = (of(&before), of(&after));
            let update = rms(&mut before.iter().zip(&after).map(|(before, after)| after - before));
            let weight = rms(&mut before.iter().copied());
            assert!((tensor.update - update).abs() <= 1e-4 * update, "{engine} {tensor:?}, {update}");
            assert!((tensor.weight - weight).abs() <= 1e-4 * weight, "{engine} {tensor:?}, {weight}");
        }
        // In the first iteration nothing but the clipping differs.
        let [clipped, plain] = [clipped, with(&[])].map(|run| run.looks().unwrap().swap_remove(0));
        for (clipped, plain) in clipped.tensors.iter().zip(&plain.tensors) {
            assert_eq!(clipped.gradient, plain.gradient, "{engine} {}", plain.name);
            assert!(clipped.update != plain.update, "{engine} {clipped:?} {plain:?}");
        }
    }
}
