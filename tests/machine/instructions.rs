//! Runs that go on with another instruction set.

use std::fs;
use std::path::Path;

use backproof_kernels::{Isa, VARIABLE};
use backproof_tests::{backproof, json, latest, stderr};
use safetensors::SafeTensors;

/// Iterations with the first set, and then as many with the second.
const HALF: usize = 20;

/// How far the weights may be apart, relative to their norm. In each of the 40 iterations, the gradients of two sets
/// differ by some roundings of 2⁻²⁴, for sums of up to a few hundred products in another order, and where such a
/// rounding turns the winner of a max pooling into another one, by a pixel of an image. 16 roundings in each iteration,
/// all in one direction, come to 40 · 16 · 2⁻²⁴.
const BOUND: f64 = 2.0 * HALF as f64 * 16.0 / (1 << 24) as f64;

fn on(isa: Isa, folder: &Path, arguments: &[&str]) -> String {
    let mut command = backproof(folder);
    stderr(&command.env(VARIABLE, isa.name()).args(arguments).assert().success())
}

fn train(isa: Isa, folder: &Path, engine: &str, iterations: usize) {
    let set = [
        format!("engine={engine}"),
        format!("training.iterations={iterations}"),
        "optimizer.schedule=constant".to_owned(),
        "expect.test_accuracy=0".to_owned(),
    ];
    let arguments: Vec<&str> = ["train"].into_iter().chain(set.iter().flat_map(|set| ["--set", set])).collect();
    on(isa, folder, &arguments);
}

fn go_on(isa: Isa, folder: &Path, iterations: usize) -> String {
    on(isa, folder, &["resume", "runs/quickstart/latest", "--iterations", &iterations.to_string()])
}

/// The last weights, all in one row.
fn weights(folder: &Path) -> Vec<f64> {
    let bytes = fs::read(latest(folder, "quickstart").join("checkpoints/last/weights.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort();
    let numbers = names.iter().flat_map(|name| tensors.tensor(name).unwrap().data().to_vec()).collect::<Vec<u8>>();
    numbers.chunks_exact(4).map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap()))).collect()
}

/// ‖a − b‖ / ‖a‖.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let squares = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>();
    (squares(&mut a.iter().zip(b).map(|(a, b)| a - b)) / squares(&mut a.iter().copied())).sqrt()
}

pub(crate) fn a_run_that_goes_on_with_another_set_agrees_within_rounding() {
    let sets = Isa::available();
    let (first, others) = sets.split_first().unwrap();
    for engine in ["compiled", "autodiff"] {
        let whole = tempfile::tempdir().unwrap();
        train(*first, whole.path(), engine, 2 * HALF);
        let expected = weights(whole.path());
        let mut differ = 0;
        for (before, after) in others.iter().flat_map(|other| [(*first, *other), (*other, *first)]) {
            let what = format!("engine {engine}, {} and then {}", before.name(), after.name());
            let folder = tempfile::tempdir().unwrap();
            train(before, folder.path(), engine, HALF);
            let text = go_on(after, folder.path(), 2 * HALF);
            let warning = format!(
                "warning: iterations up to {HALF} were computed by engine {engine} with {} on flex, and the next ones by \
                 engine {engine} with {} on flex: the last bits may differ from those of a run that was never stopped",
                before.name(),
                after.name()
            );
            assert_eq!(text.matches(&warning).count(), 1, "{what}: {text}");
            let run = latest(folder.path(), "quickstart");
            assert!(fs::read_to_string(run.join("log.txt")).unwrap().contains(&warning), "{what}");
            let computations = json(&run.join("run.json"))["computations"].clone();
            let sets = [0, 1].map(|at| computations[at]["instructions"].as_str().map(str::to_owned));
            assert_eq!(sets, [before, after].map(|isa| Some(isa.name().to_owned())), "{what}");

            let found = weights(folder.path());
            let apart = difference(&expected, &found);
            println!("{what}: {apart:.1e} of {BOUND:.1e}");
            assert_eq!(found.len(), expected.len(), "{what}");
            assert!(apart <= BOUND, "{what}: the weights are {apart:e} apart");
            differ += usize::from(apart > 0.0);
        }
        // Plain Rust, which is one of the sets, rounds each product that the others do not.
        assert!(differ > 0, "engine {engine}: every set has the same bits, so that nothing was compared");
        // One iteration more is another result.
        go_on(*first, whole.path(), 2 * HALF + 1);
        let more = difference(&expected, &weights(whole.path()));
        assert!(more > 100.0 * BOUND, "engine {engine}: one iteration changes the weights by {more:e} only");
    }
}
