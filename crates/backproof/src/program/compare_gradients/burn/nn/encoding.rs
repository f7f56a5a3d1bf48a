//! Encodings of positions, whose tables are tensors in the default precision.

use burn::nn::{PositionalEncodingConfig, RotaryEncodingConfig};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::compare_gradients::burn::maker::{describe, subject};
use crate::compare_gradients::subject::Subject;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "PositionalEncoding", |m| {
        let width = 2 * m.draw.size(1..=3);
        let (dims, layout) = ([m.draw.size(1..=2), m.draw.size(1..=4), width], m.draw.layout());
        let x = m.draw.normal(dims, 1.0);
        let about = describe(&[&x], "", layout);
        let module = PositionalEncodingConfig::new(width).with_max_sequence_size(5).init(&m.context.reference);
        let check = m.check().input("x", x);
        let (check, placed) = Placed::new(m.draw, check, module);
        m.case(about, check, move |t| {
            let mut module = placed.at(t);
            module.sinusoids = module.sinusoids.cast(t.dtype());
            module.forward(layout.place(t.get("x")))
        })
    }),
    subject!(smooth "RotaryEncoding", |mut m| {
        let width = 2 * m.draw.size(1..=3);
        let (start, shift) = (m.draw.size(0..=2), m.draw.once_in(3));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=4), width];
        let x = m.draw.normal(dims, 1.0);
        let mut module = RotaryEncodingConfig::new(6, width).with_theta(10.0).init(&m.context.reference);
        if shift {
            module.shift(3);
        }
        let options = format!("from {start}{}", if shift { ", shifted by 3" } else { "" });
        m.module(&options, x, module, move |rotary, x: Tensor<4>| rotary.apply(x, start))
    }),
];
