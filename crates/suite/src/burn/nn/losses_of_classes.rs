//! Losses of classes, of embeddings and of sequences.

use backproof_gradcheck::{Arguments, Value};
use burn::nn::loss::{
    CTCLossConfig, CosineEmbeddingLossConfig, CrossEntropyLoss, CrossEntropyLossConfig, MultiMarginLossConfig,
    RNNTLossConfig, Reduction, TripletMarginLossConfig,
};
use burn::tensor::{DType, Tensor, TensorData, activation};

use super::losses::{reduction, words};
use crate::burn::maker::{Maker, describe, int, subject};
use crate::subject::{Case, Layout, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "CrossEntropyLoss", |m| cross_entropy(m, false)),
    subject!(smooth "CrossEntropyLoss_smoothed", |m| cross_entropy(m, true)),
    subject!("MultiMarginLoss", |mut m| {
        let [samples, classes] = [m.draw.size(1..=4), m.draw.size(2..=4)];
        let (margin, p, reduction) = (m.draw.pick(&[0.5, 1.0]), m.draw.pick(&[1, 2]), reduction(&mut m));
        // Closer together than the margin, or nothing is lost.
        let (x, targets) = (m.uniform([samples, classes], -0.2..0.2), m.indices(samples, classes));
        let options = format!("margin {margin}, p {p}, {}", words(reduction.as_ref()));
        let (about, check) = (describe(&[&x], &options, Layout::Contiguous), m.check().input("x", x));
        m.case(about, check, move |t| {
            let loss = MultiMarginLossConfig::new().with_margin(margin).with_p(p).init();
            let (x, targets) = (t.get("x"), int(t, [samples], &targets));
            match reduction.clone() {
                Some(reduction) => loss.forward(x, targets, reduction),
                None => loss.forward_no_reduction(x, targets),
            }
        })
    }),
    subject!("CosineEmbeddingLoss", |mut m| {
        let [samples, width] = [m.draw.size(2..=4), m.draw.size(2..=4)];
        let (margin, reduction) = (m.draw.pick(&[-0.9, 0.0, 0.3]), reduction(&mut m));
        let both = [m.draw.normal([samples, width], 1.0), m.draw.normal([samples, width], 1.0)];
        let mut targets: Vec<i64> = (0..samples).map(|_| m.draw.pick(&[-1, 1])).collect();
        targets[0] = 1;
        let options = format!("margin {margin}, {}", words(reduction.as_ref()));
        let (about, check) = (describe(&[&both[0]], &options, Layout::Contiguous), of_two(&m, both));
        m.case(about, check, move |t| {
            let config = CosineEmbeddingLossConfig::new().with_margin(margin);
            let (x, y, targets) = (t.get("x"), t.get("y"), int(t, [samples], &targets));
            match reduction.clone() {
                Some(reduction) => config.with_reduction(reduction).init().forward(x, y, targets),
                None => config.init().forward_no_reduction(x, y, targets),
            }
        })
    }),
    subject!("TripletMarginLoss", |mut m| {
        let [samples, width] = [m.draw.size(2..=4), m.draw.size(2..=4)];
        let (p, reduction) = (m.draw.pick(&[1.0, 1.5, 2.0, 3.0]), reduction(&mut m));
        let mut next = || m.draw.normal([samples, width], 1.0);
        let (anchor, mut positive, negative) = (next(), next(), next());
        // The first triplet counts in any case: its positive is nearer than the margin of 1 to being too far away.
        let far: Vec<f64> = (0..width).map(|i| negative.data()[i] + 0.1).collect();
        let rest = positive.data()[width..].to_vec();
        positive = Value::new(positive.dims(), [far, rest].concat());
        let options = format!("p {p}, {}", words(reduction.as_ref()));
        let about = describe(&[&anchor], &options, Layout::Contiguous);
        let check = m.check().input("anchor", anchor).input("positive", positive).input("negative", negative);
        m.case(about, check, move |t| {
            let loss = TripletMarginLossConfig::new().with_p(p).init();
            let (anchor, positive, negative) = (t.get("anchor"), t.get("positive"), t.get("negative"));
            match reduction.clone() {
                Some(reduction) => loss.forward(anchor, positive, negative, reduction),
                None => loss.forward_no_reduction(anchor, positive, negative),
            }
        })
    }),
    subject!(smooth "CTCLoss", ctc),
    subject!(smooth "RNNTLoss", rnnt),
];

fn of_two(m: &Maker<'_>, [x, y]: [Value; 2]) -> backproof_gradcheck::Check<'static> {
    m.check().input("x", x).input("y", y)
}

/// Of logits or probabilities, with weights, padding and label smoothing.
fn cross_entropy(mut m: Maker<'_>, smoothed: bool) -> Case {
    let dims @ [samples, classes] = [m.draw.size(2..=5), m.draw.size(2..=5)];
    let (logits, weighted, padded) = (!m.draw.once_in(3), m.draw.once_in(2), m.draw.once_in(2));
    let x = if logits { m.draw.values(dims, 1.5) } else { m.uniform(dims, 0.05..0.95) };
    let mut targets = m.indices(samples, classes);
    // One sample at least is no padding, which is class 0.
    targets[0] = targets[0].max(1);
    let weights: Vec<f32> = (0..classes).map(|_| m.draw.real(0.5..2.0) as f32).collect();
    let about = format!("{}, logits {logits}, weighted {weighted}, padded {padded}", shape(&dims));
    let check = m.check().input("x", x);
    // What the loss clamps probabilities to depends on their precision: the differences are those of the loss in the
    // precision under test.
    let least = m.context.dtype.finfo().expect("it is a float").min_positive.sqrt();
    m.case(about, check, move |t| {
        let config = CrossEntropyLossConfig::new().with_logits(logits).with_pad_tokens(padded.then(|| vec![0]));
        let config = config.with_smoothing(smoothed.then_some(0.1));
        let mut loss = config.with_weights(weighted.then(|| weights.clone())).init(t.device());
        // They are made in the default precision.
        loss.weights = loss.weights.map(|weights| weights.cast(t.dtype()));
        let x = match logits {
            false if !t.device().is_autodiff() => t.get::<2>("x").clamp_min(least),
            _ => t.get("x"),
        };
        match loss.smoothing {
            // The smoothed targets are made in the default precision: the differences are those of the formula.
            Some(alpha) if !t.device().is_autodiff() => smoothed_of_formula(t, x, &targets, alpha, &loss),
            _ => loss.forward(x, int(t, [samples], &targets)),
        }
    })
}

fn smoothed_of_formula(
    t: &Arguments<'_>,
    x: Tensor<2>,
    targets: &[i64],
    alpha: f32,
    loss: &CrossEntropyLoss,
) -> Tensor<1> {
    let (dims @ [samples, classes], place) = (x.dims(), (t.device(), t.dtype()));
    let weights = match &loss.weights {
        Some(weights) => weights.to_data().convert_dtype(DType::F64).try_into_vec::<f64>().expect("they are f64"),
        None => vec![1.0; classes],
    };
    let padded = |class: i64| loss.pad_tokens.as_ref().is_some_and(|tokens| tokens.contains(&(class as usize)));
    let mut shares = Vec::new();
    let mut total = 0.0;
    for &target in targets {
        // A mean without weights is one of all samples; with them, one of those of the targets.
        total += if padded(target) { 0.0 } else { weights[target as usize] };
        for (class, weight) in weights.iter().enumerate() {
            // As it is in single precision, where the loss computes it.
            let hot = if class as i64 == target { 1.0 - alpha } else { 0.0 } + alpha / classes as f32;
            shares.push(if padded(target) { 0.0 } else { f64::from(hot) * weight });
        }
    }
    assert_eq!(samples, targets.len());
    let logarithms = if loss.logits { activation::log_softmax(x, 1) } else { x.log() };
    let shares = Tensor::<2>::from_data(TensorData::new(shares, dims), place);
    -(logarithms * shares).sum() / total
}

/// Sequences of unequal lengths, of which the last may have no alignment: its loss is infinite, and zeroed.
fn ctc(mut m: Maker<'_>) -> Case {
    let [time, batch, classes, longest] =
        [m.draw.size(5..=7), m.draw.size(1..=3), m.draw.size(3..=4), m.draw.size(1..=2)];
    let (blank, reduction) = (m.draw.size(0..=classes - 1) as i64, reduction(&mut m));
    let impossible = batch > 1 && m.draw.once_in(4);
    let x = m.draw.normal([time, batch, classes], 1.0);
    let mut targets: Vec<i64> = m.indices(batch * longest, classes - 1);
    targets.iter_mut().filter(|class| **class >= blank).for_each(|class| *class += 1);
    let mut lengths: Vec<i64> = (0..batch).map(|_| m.draw.size(4..=time) as i64).collect();
    let mut target_lengths: Vec<i64> = (0..batch).map(|_| m.draw.size(1..=longest) as i64).collect();
    if impossible && longest == 2 {
        // Two equal labels need a blank between them.
        (lengths[batch - 1], target_lengths[batch - 1]) = (2, 2);
        targets[2 * batch - 1] = targets[2 * batch - 2];
    }
    let options = format!("blank {blank}, lengths {lengths:?}, targets of {target_lengths:?}");
    let options = format!("{options}, {}", words(reduction.as_ref()));
    let (about, check) = (describe(&[&x], &options, Layout::Contiguous), m.check().input("x", x));
    m.case(about, check, move |t| {
        let loss = CTCLossConfig::new().with_blank(blank as usize).with_zero_infinity(true).init();
        let x = activation::log_softmax(t.get::<3>("x"), 2);
        let targets = int(t, [batch, longest], &targets);
        let (lengths, target_lengths) = (int(t, [batch], &lengths), int(t, [batch], &target_lengths));
        match reduction.clone() {
            // The lengths of targets become floats in the default precision: the differences are those of the formula.
            Some(Reduction::Mean | Reduction::Auto) if !t.device().is_autodiff() => {
                let losses = loss.forward(x, targets, lengths, target_lengths.clone());
                (losses / target_lengths.float().cast(t.dtype())).mean()
            }
            Some(reduction) => loss.forward_with_reduction(x, targets, lengths, target_lengths, reduction),
            None => loss.forward(x, targets, lengths, target_lengths),
        }
    })
}

fn rnnt(mut m: Maker<'_>) -> Case {
    let [batch, time, longest, labels] =
        [m.draw.size(1..=2), m.draw.size(2..=3), m.draw.size(1..=2), m.draw.size(2..=3)];
    let (logits, reduction) = (m.draw.once_in(2), reduction(&mut m));
    let dims = [batch, time, longest + 1, labels];
    let x = if logits { m.draw.normal(dims, 1.0) } else { m.uniform(dims, -3.0..-0.2) };
    // The blank is label 0.
    let targets: Vec<i64> = m.indices(batch * longest, labels - 1).iter().map(|label| label + 1).collect();
    let lengths: Vec<i64> = (0..batch).map(|_| m.draw.size(1..=time) as i64).collect();
    let target_lengths: Vec<i64> = (0..batch).map(|_| m.draw.size(0..=longest) as i64).collect();
    let options = format!("logits {logits}, lengths {lengths:?}, targets of {target_lengths:?}");
    let options = format!("{options}, {}", words(reduction.as_ref()));
    let (about, check) = (describe(&[&x], &options, Layout::Contiguous), m.check().input("x", x));
    m.case(about, check, move |t: &Arguments<'_>| -> Tensor<1> {
        let loss = RNNTLossConfig::new().with_logits(logits).init();
        let targets = int(t, [batch, longest], &targets);
        let (lengths, target_lengths) = (int(t, [batch], &lengths), int(t, [batch], &target_lengths));
        match reduction.clone() {
            Some(reduction) => loss.forward_with_reduction(t.get("x"), targets, lengths, target_lengths, reduction),
            None => loss.forward(t.get("x"), targets, lengths, target_lengths),
        }
    })
}
