//! Encodings of positions, whose tables are tensors in the default precision.

use burn::nn::{PositionalEncodingConfig, RotaryEncodingConfig};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::burn::maker::{describe, subject};
use crate::subject::Subject;

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
            module.forward(layout.arrange(t.get("x")))
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
        m.module(&options, x, module, move |rotary, x: Tensor<4>| match x.device().is_autodiff() {
            true => rotary.apply(x, start),
            // It makes a tensor in the default precision: the differences are those of the formula.
            false => rotated(x, &rotary.freq_complex, start),
        })
    }),
];

/// Each pair of numbers turned by its angle, of which the table has cosine and sine for both.
fn rotated(x: Tensor<4>, table: &Tensor<3>, start: usize) -> Tensor<4> {
    let dims @ [batch, heads, length, width] = x.dims();
    let of_position = table.clone().cast(x.dtype()).narrow(0, start, length).reshape([1, 1, length, width / 2, 2, 2]);
    let of_pair = |part: usize| of_position.clone().narrow(4, 0, 1).narrow(5, part, 1);
    let (cosine, sine) = (of_pair(0), of_pair(1));
    let pairs = x.reshape([batch, heads, length, width / 2, 2, 1]);
    let (a, b) = (pairs.clone().narrow(4, 0, 1), pairs.narrow(4, 1, 1));
    let turned = vec![a.clone() * cosine.clone() - b.clone() * sine.clone(), a * sine + b * cosine];
    Tensor::cat(turned, 4).reshape(dims)
}
