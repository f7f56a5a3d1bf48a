//! Losses, and their differences.

use backproof_layers::{BinaryCrossEntropy, MeanSquaredError, SoftCrossEntropy, SoftmaxCrossEntropy};
use burn::tensor::{Device, Tensor};

use crate::Recompute;
use crate::page::{Block, differences, full, tensor, values};

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[
    ("softmax", softmax),
    ("random_signs", random_signs),
    ("cross_entropy_of_one", cross_entropy_of_one),
    ("cross_entropy", cross_entropy),
    ("soft_cross_entropy", soft_cross_entropy),
    ("differences", differences_of_the_loss),
    ("log_softmax", log_softmax),
    ("squared_error", squared_error),
    ("binary_cross_entropy", binary_cross_entropy),
];

fn probabilities(logits: &[f64]) -> Vec<f64> {
    values(SoftmaxCrossEntropy.probabilities(tensor(logits.to_vec(), [1, logits.len()])))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(block: &Block) {
    let (z, g) = (block.row("z"), block.row("g"));
    block.states("p", &probabilities(&z));
    let row = |output: usize| differences(&z, |z| probabilities(z)[output]);
    block.states("J", &(0..z.len()).flat_map(row).collect::<Vec<_>>());
    block.states("dz", &differences(&z, |z| dot(&g, &probabilities(z))));
}

fn random_signs(block: &Block) {
    let (z, g) = (block.row("z"), block.row("g"));
    let p = probabilities(&z);
    let total = dot(&g, &p);
    block.states("L", &[total]);
    let by_hand = |g: &[f64], total: f64| p.iter().zip(g).map(|(p, g)| p * (g - total)).collect::<Vec<_>>();
    block.states("dz", &by_hand(&g, total));
    let ones = vec![1.0; z.len()];
    block.states("ones", &by_hand(&ones, dot(&ones, &p)));
}

fn cross_entropy_of_one(block: &Block) {
    let (loss, saved) = SoftmaxCrossEntropy.forward_saving(block.matrix("z"), block.classes("t"));
    block.states_tensor("l", loss);
    block.states_tensor("dz", SoftmaxCrossEntropy.mean_backward(saved));
    let p = probabilities(&block.row("z"));
    let class = block.count("t");
    block.states("dp", &differences(&p, |p| -p[class].ln()));
}

fn cross_entropy(block: &Block) {
    let (z, t) = (block.matrix("z"), block.classes("t"));
    let (losses, saved) = SoftmaxCrossEntropy.forward_saving(z.clone(), t.clone());
    block.states_tensor("l", losses);
    block.states_tensor("L", SoftmaxCrossEntropy.mean(z, t));
    block.states_tensor("dz", SoftmaxCrossEntropy.mean_backward(saved));
}

fn soft_cross_entropy(block: &Block) {
    let (smooth, weights, class) = (block.number("smooth"), block.row("w"), block.count("t"));
    let at_label = |o: usize| if o == class { 1.0 - smooth } else { 0.0 };
    let classes = weights.len();
    let shares: Vec<f64> = (0..classes).map(|o| weights[o] * (at_label(o) + smooth / classes as f64)).collect();
    block.states("shares", &shares);
    let (loss, saved) = SoftCrossEntropy.forward_saving(block.matrix("z"), tensor(shares, [1, classes]));
    block.states_tensor("l", loss);
    block.states_tensor("dz", SoftCrossEntropy.backward(saved, full(1.0, [1])));
}

/// Relative errors of central differences for the first logit.
fn differences_of_the_loss(block: &Block) {
    let z = block.row("z");
    let loss = |by: f64| {
        let mut z = z.clone();
        z[0] += by;
        values(SoftmaxCrossEntropy.forward(tensor(z.clone(), [1, z.len()]), block.classes("t")))[0]
    };
    let (_, saved) = SoftmaxCrossEntropy.forward_saving(block.matrix("z"), block.classes("t"));
    let gradient = values(SoftmaxCrossEntropy.mean_backward(saved))[0];
    let central = |h: f64| (loss(h) - loss(-h)) / (2.0 * h);
    let error = |found: f64| (found / gradient - 1.0).abs();
    let steps = block.row("h");
    block.states("central", &steps.iter().map(|&h| error(central(h))).collect::<Vec<_>>());
    block.states("combined", &[error((4.0 * central(steps[0] / 2.0) - central(steps[0])) / 3.0)]);
}

fn log_softmax(block: &Block) {
    let (z, g) = (block.row("z"), block.row("g"));
    let logarithms = |z: &[f64]| {
        let logits = tensor(z.to_vec(), [1, z.len()]);
        let class = Tensor::from_data([0].as_slice(), &Device::flex());
        values(SoftmaxCrossEntropy.forward_saving(logits, class).1.log_probabilities)
    };
    block.states("y", &logarithms(&z));
    block.states("dz", &differences(&z, |z| dot(&g, &logarithms(z))));
}

fn squared_error(block: &Block) {
    let (loss, saved) = MeanSquaredError.forward_saving(block.matrix("x"), block.matrix("t"));
    block.states_tensor("l", loss);
    block.states_tensor("dx", MeanSquaredError.backward(saved, full(1.0, [1])));
}

fn binary_cross_entropy(block: &Block) {
    let (z, t) = (block.matrix("z"), block.matrix("t"));
    let probability = |z: f64| values(BinaryCrossEntropy.probabilities(full(z, [1, 1])))[0];
    let (loss, saved) = BinaryCrossEntropy.forward_saving(z, t);
    block.states("p", &[probability(block.number("z"))]);
    block.states_tensor("l", loss);
    block.states_tensor("dz", BinaryCrossEntropy.mean_backward(saved));
    block.states("dp", &differences(&[probability(block.number("z"))], |p| -p[0].ln()));
    block.states("dz_squared", &differences(&[block.number("z")], |z| (probability(z[0]) - 1.0).powi(2)));

    // d/dp of p (1 − p)² is (1 − p)(1 − 3p).
    let peak = 1.0 / 3.0;
    let slope = |p: f64| -2.0 * p * (1.0 - p) * (1.0 - p);
    assert!([-1e-3, 1e-3].iter().all(|by| slope(peak + by) > slope(peak)), "no minimum at 1/3");
    block.states("p_peak", &[peak]);
    block.states("dz_peak", &[slope(peak)]);
}
