//! Gradient descent, and what an experiment can ask for beside it.

use backproof_layers::Linear;
use backproof_spec::{Adam, OptimizerKind, Schedule, Update, UpdateRule};
use backproof_train::{Momentum, new_optimizer};
use burn::optim::{GradientsParams, Optimizer};

use crate::Recompute;
use crate::page::{Block, full, values};

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[
    ("rates", rates),
    ("minima", minima),
    ("cosine", cosine),
    ("momentum_weights", momentum_weights),
    ("momentum", momentum),
    ("adagrad", adagrad),
    ("adam", adam),
    ("epsilon", epsilon),
    ("muon", muon),
    ("sgd", sgd),
];

/// The weight after each step of one optimizer, without weight decay, on these gradients.
fn weights(kind: OptimizerKind, learning_rate: f64, start: f64, gradients: &[f64]) -> Vec<f64> {
    let settings = UpdateRule { kind, learning_rate, weight_decay: 0.0, warmup: 0, schedule: Schedule::Constant };
    let mut optimizer = new_optimizer(&settings);
    let mut layer = Linear::new(full(start, [1, 1]).autodiff(), None);
    let step = |&gradient: &f64| {
        let mut given = GradientsParams::new();
        given.register(layer.weight.id, full(gradient, [1, 1]));
        layer = optimizer.step(learning_rate, layer.clone(), given);
        values(layer.weight.val())[0]
    };
    gradients.iter().map(step).collect()
}

/// By how much one weight moves at each step, in the direction of the gradient.
fn steps(kind: OptimizerKind, learning_rate: f64, gradients: &[f64]) -> Vec<f64> {
    let weights = weights(kind, learning_rate, 0.0, gradients);
    let before = std::iter::once(0.0).chain(weights.iter().copied());
    before.zip(&weights).map(|(before, after)| before - after).collect()
}

const PLAIN: OptimizerKind = OptimizerKind::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };

/// L = w² from w = 1.
fn rates(block: &Block) {
    let rates = block.row("alpha");
    let after = |&rate: &f64| {
        let mut w = 1.0;
        let mut first = None;
        for _ in 0..3 {
            w = weights(PLAIN, rate, w, &[2.0 * w])[0];
            first.get_or_insert(w);
        }
        [first.expect("a step"), w]
    };
    let [factors, ends]: [Vec<f64>; 2] = [0, 1].map(|of| rates.iter().map(|rate| after(rate)[of]).collect::<Vec<_>>());
    block.states("factor", &factors);
    block.states("w_3", &ends);
}

/// L = w⁴/4 − w²/2 + w/10.
fn minima(block: &Block) {
    let end = |start: f64| (0..300).fold(start, |w, _| w - 0.1 * (w * w * w - w + 0.1));
    let ends: Vec<f64> = block.row("start").into_iter().map(end).collect();
    block.states("w_end", &ends);
    let losses = ends.iter().map(|w| w.powi(4) / 4.0 - w * w / 2.0 + w / 10.0).collect::<Vec<_>>();
    block.states("L_end", &losses);
}

fn cosine(block: &Block) {
    let settings = UpdateRule {
        kind: PLAIN,
        learning_rate: 1.0,
        weight_decay: 0.0,
        warmup: 0,
        schedule: Schedule::Cosine { final_fraction: 0.0 },
    };
    let total = block.count("T");
    let shares = block.row("tau").into_iter().map(|step| settings.learning_rate_at(step as usize, total));
    block.states("share", &shares.collect::<Vec<_>>());
}

/// What momentum makes of gradients that are all 1 is the sum of their weights.
fn momentum_weights(block: &Block) {
    let mu = block.number("mu");
    block.states("half", &[0.5f64.ln() / mu.ln()]);
    let optimizer = Momentum::new(mu, 0.0);
    let (mut weight, mut state) = (full(0.0, [1]), None);
    let mut sums = Vec::new();
    for _ in 0..60 {
        let before = values(weight.clone())[0];
        (weight, state) = optimizer.step(1.0, weight, full(1.0, [1]), state);
        sums.push(before - values(weight.clone())[0]);
    }
    block.states("sum_1", &[sums[0]]);
    block.states("sum_60", &[sums[59]]);
}

fn momentum(block: &Block) {
    let [mu, lambda, alpha] = ["mu", "lambda", "alpha"].map(|name| block.number(name));
    let gradients = block.row("G");
    for (update, name) in [(Update::AfterMomentum, "w"), (Update::BeforeMomentum, "w_other")] {
        let optimizer = Momentum::new(mu, lambda).with_update(update);
        let (mut weight, mut state) = (block.vector("w_0"), None);
        let mut found = Vec::new();
        for &gradient in &gradients {
            (weight, state) = optimizer.step(alpha, weight, full(gradient, [1]), state);
            found.push(values(weight.clone())[0]);
        }
        block.states(name, &found);
    }
    // Without decay, a step of length 1 is m.
    let optimizer = Momentum::new(mu, 0.0);
    let (mut weight, mut state) = (full(0.0, [1]), None);
    let mut found = Vec::new();
    for &gradient in &gradients {
        let before = values(weight.clone())[0];
        (weight, state) = optimizer.step(1.0, weight, full(gradient, [1]), state);
        found.push(before - values(weight.clone())[0]);
    }
    block.states("m", &found);
}

const SMALL: f64 = 1e-12;

fn adagrad(block: &Block) {
    let (alpha, gradients) = (block.number("alpha"), block.row("G"));
    let mut sum = 0.0;
    let mut sums = Vec::new();
    for gradient in &gradients {
        sum += gradient * gradient;
        sums.push(sum);
    }
    block.states("s", &sums);
    block.states("factor", &sums.iter().map(|s: &f64| alpha / s.sqrt()).collect::<Vec<_>>());
    let kind = OptimizerKind::AdaGrad { learning_rate_decay: 0.0, epsilon: SMALL };
    let found: Vec<f64> = steps(kind, alpha, &gradients).into_iter().map(rounded).collect();
    block.states("step", &found);
}

/// Burn's optimizers have their hyperparameters in single precision.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn adam(block: &Block) {
    let [beta_1, beta_2, alpha] = ["beta_1", "beta_2", "alpha"].map(|name| block.number(name));
    let gradients = block.row("G");
    let (mut m, mut s) = (0.0, 0.0);
    let mut kept = [const { Vec::new() }; 4];
    for (gradient, step) in gradients.iter().zip(1..) {
        m = beta_1 * m + (1.0 - beta_1) * gradient;
        s = beta_2 * s + (1.0 - beta_2) * gradient * gradient;
        let hats = [m / (1.0 - beta_1.powi(step)), s / (1.0 - beta_2.powi(step))];
        kept.iter_mut().zip([m, s].into_iter().chain(hats)).for_each(|(kept, value)| kept.push(value));
    }
    for (name, kept) in ["m", "s", "m_hat", "s_hat"].into_iter().zip(&kept) {
        block.states(name, kept);
    }
    let kind = OptimizerKind::Adam(Adam { beta_1, beta_2, epsilon: SMALL, amsgrad: false });
    block.states("w", &weights(kind, alpha, block.number("w_0"), &gradients));
    block.states("first", &[rounded(steps(kind, alpha, &gradients)[0] / alpha)]);
    block.states("uncorrected", &[(1.0 - beta_1) / (1.0 - beta_2).sqrt()]);
    let smoothing = block.number("rho");
    let kind = OptimizerKind::RmsProp { smoothing, momentum: 0.0, epsilon: SMALL, centered: false };
    // 1 − ρ has lost two digits to single precision.
    block.states("rmsprop", &[(steps(kind, alpha, &gradients)[0] / alpha * 1e4).round() / 1e4]);
}

fn epsilon(block: &Block) {
    let [gradient, epsilon] = ["G", "epsilon"].map(|name| block.number(name));
    let kind = OptimizerKind::AdaGrad { learning_rate_decay: 0.0, epsilon };
    block.states("outside", &steps(kind, 1.0, &[gradient]));
    block.states("inside", &[gradient / (gradient * gradient + epsilon).sqrt()]);
}

/// PyTorch's rule makes the same steps at the rate of the page.
fn sgd(block: &Block) {
    let [mu, alpha] = ["mu", "alpha"].map(|name| block.number(name));
    let gradients = [1.0, -2.0, 0.5];
    let ours = OptimizerKind::Momentum { momentum: mu, update: Update::AfterMomentum };
    let theirs = OptimizerKind::Sgd { momentum: mu, dampening: 0.0, nesterov: false };
    let [ours, theirs] = [steps(ours, alpha, &gradients), steps(theirs, alpha * (1.0 - mu), &gradients)];
    assert!(ours.iter().zip(&theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6), "{ours:?}, {theirs:?}");
    block.states("pytorch", &[alpha * (1.0 - mu)]);
    block.states("sum_3", &[1.0 - mu.powi(3)]);
}

/// The singular values of a step with learning rate 1 from weights of 0 are the lengths of the columns that U S Vᵀ has
/// where V is the identity.
fn muon(block: &Block) {
    let gradient = block.matrix("G");
    let direction = |steps: usize| -> [[f64; 2]; 2] {
        let kind = OptimizerKind::Muon { momentum: 0.0, nesterov: false, newton_schulz_steps: steps, rescale: false };
        let settings =
            UpdateRule { kind, learning_rate: 1.0, weight_decay: 0.0, warmup: 0, schedule: Schedule::Constant };
        // Burn keeps a linear layer's matrix with a row an input.
        let layer = Linear::new(full(0.0, [2, 2]).autodiff(), None);
        let mut given = GradientsParams::new();
        given.register(layer.weight.id, gradient.clone().transpose());
        let moved = values(new_optimizer(&settings).step(1.0, layer, given).weight.val().transpose());
        [[-moved[0], -moved[1]], [-moved[2], -moved[3]]]
    };
    let lengths = |rows: [[f64; 2]; 2]| [0, 1].map(|column| rows[0][column].hypot(rows[1][column]));
    let g = values(gradient.clone());
    let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
    let start = lengths([[g[0], g[1]], [g[2], g[3]]]).map(|s| s / norm);
    block.states("s_0", &start);
    for (name, steps) in [("s_1", 1), ("s_2", 2), ("s_5", 5)] {
        block.states(name, &lengths(direction(steps)));
    }
    block.states("newton", &start.map(|s| (0..5).fold(s, |s, _| (3.0 * s - s.powi(3)) / 2.0)));
    block.states("O", direction(5).as_flattened());
}
