//! Normalisation, and the losses that Burn has as operations.

use backproof_gradcheck::Gradients;
use burn::tensor::{Tensor, activation, loss, module};

use super::maker::{Maker, describe, int, subject};
use crate::subject::{Case, Layout, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "batch_norm_train", batch_norm_train),
    subject!(smooth "batch_norm", |mut m| {
        let channels = m.draw.size(1..=3);
        let dims = [m.draw.size(1..=3), channels, m.draw.size(2..=4)];
        let x = m.draw.normal(dims, 1.5);
        let (about, check) = (describe(&[&x], "", Layout::Contiguous), m.check());
        let check = check
            .input("x", x)
            .parameter("gamma", m.uniform([channels], 0.5..1.5))
            .parameter("beta", m.draw.normal([channels], 1.0))
            .constant("mean", m.draw.normal([channels], 1.0))
            .constant("variance", m.uniform([channels], 0.3..2.0));
        m.case(about, check, |t| {
            module::batch_norm(t.get::<3>("x"), t.get("gamma"), t.get("beta"), t.get("mean"), t.get("variance"), 1e-5)
        })
    }),
    subject!(smooth "layer_norm", layer_norm),
    subject!(smooth "cross_entropy_with_logits", |mut m| {
        let dims = [m.draw.size(1..=4), m.draw.size(2..=5)];
        let (x, targets) = (m.draw.values(dims, 1.5), m.uniform(dims, 0.1..1.0));
        let (about, check) =
            (describe(&[&x], "", Layout::Contiguous), m.check().input("x", x).constant("targets", targets));
        m.case(about, check, |t| loss::cross_entropy_with_logits(t.get::<2>("x"), t.get("targets")))
    }),
    subject!(smooth "ctc_loss", |mut m| {
        let [time, batch, classes, length] =
            [m.draw.size(5..=7), m.draw.size(1..=2), m.draw.size(3..=4), m.draw.size(1..=2)];
        let x = m.draw.normal([time, batch, classes], 1.0);
        // The blank is class 0.
        let targets: Vec<i64> = m.indices(batch * length, classes - 1).iter().map(|class| class + 1).collect();
        let about = describe(&[&x], &format!("targets of {length}"), Layout::Contiguous);
        let check = m.check().input("x", x);
        m.case(about, check, move |t| {
            let log_probabilities = activation::log_softmax(t.get::<3>("x"), 2);
            let lengths = |size: usize| int(t, [batch], &vec![size as i64; batch]);
            module::ctc_loss(log_probabilities, int(t, [batch, length], &targets), lengths(time), lengths(length), 0)
        })
    }),
];

fn batch_norm_train(mut m: Maker<'_>) -> Case {
    let channels = m.draw.size(1..=3);
    let dims = [m.draw.size(2..=3), channels, m.draw.size(1..=3), m.draw.size(2..=3)];
    let (x, layout) = (m.draw.normal(dims, 1.5), m.draw.layout());
    let about = describe(&[&x], "", layout);
    let check = m
        .check()
        .input("x", x)
        .parameter("gamma", m.uniform([channels], 0.5..1.5))
        .parameter("beta", m.draw.normal([channels], 1.0));
    let case = m.case(about, check, move |t| {
        module::batch_norm_train(layout.arrange(t.get::<4>("x")), t.get("gamma"), t.get("beta"), 1e-5).output
    });
    let check = m.context.mutant(case.check, "the statistics are taken for constants", |t| {
        let (x, count) = (t.get::<4>("x"), t.value("x").len() / t.value("gamma").len());
        let mean = |x: Tensor<4>| x.sum_dim(0).sum_dim(2).sum_dim(3) / count as f64;
        let centred = x.clone() - mean(x);
        let deviation = (mean(centred.square()) + 1e-5).sqrt();
        let gamma = t.get::<1>("gamma");
        let gamma = gamma.clone().reshape([1, gamma.dims()[0], 1, 1]);
        Gradients::new().with("x", t.cotangent::<4>() * gamma / deviation)
    });
    Case { check, ..case }
}

fn layer_norm(mut m: Maker<'_>) -> Case {
    let (width, layout) = (m.draw.size(3..=6), m.draw.layout());
    let dims = [m.draw.size(1..=2), m.draw.size(1..=3), width];
    let x = m.draw.normal(dims, 1.5);
    let bias = m.draw.once_in(2);
    let about = describe(&[&x], if bias { "with beta" } else { "without beta" }, layout);
    let mut check = m.check().input("x", x).parameter("gamma", m.uniform([width], 0.5..1.5));
    if bias {
        check = check.parameter("beta", m.draw.normal([width], 1.0));
    }
    m.case(about, check, move |t| {
        module::layer_norm(layout.arrange(t.get::<3>("x")), t.get("gamma"), bias.then(|| t.get("beta")), 1e-5)
    })
}
