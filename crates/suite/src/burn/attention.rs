//! Scaled dot-product attention, with each of its options.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor, TensorData, module};

use super::maker::{Maker, subject};
use crate::subject::{Case, Subject, shape};

type Attention = fn(
    Tensor<4>,
    Tensor<4>,
    Tensor<4>,
    Option<Tensor<4, Bool>>,
    Option<Tensor<4>>,
    AttentionModuleOptions,
) -> Tensor<4>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "attention_with_options", |m| {
        let bias = m.draw.once_in(2);
        attention(m, module::attention, false, bias)
    }),
    subject!(smooth "attention_fallback", |m| {
        let bias = m.draw.once_in(2);
        attention(m, module::attention_fallback, false, bias)
    }),
    // A query that may look at no key gets zero, and hands nothing back. With a bias by itself, for a fault of the
    // operation: it divides by the smallest number there is, which makes infinity of large values, and NaN of the bias'
    // gradient.
    subject!(smooth "attention_without_keys", |m| attention(m, module::attention, true, false)),
    subject!(smooth "attention_without_keys_biased", |m| attention(m, module::attention, true, true)),
];

fn attention(m: Maker<'_>, function: Attention, without_keys: bool, biased: bool) -> Case {
    // Another query has keys.
    let queries = m.draw.size(if without_keys { 2..=3 } else { 1..=3 });
    let [batch, heads, keys] = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(3..=4)];
    let [inner, outer] = m.draw.pair(1..=3);
    // With fewer keys than queries, the first queries of a causal mask have none.
    let causal = keys >= queries && !without_keys && m.draw.once_in(3);
    let masked = without_keys || m.draw.once_in(2);
    let (scale, softcap) = (m.draw.pick(&[None, Some(0.3), Some(1.0)]), m.draw.pick(&[None, Some(2.0), Some(5.0)]));
    let dims = [batch, heads, queries, keys];
    // The first two keys are in everybody's sight: with one alone, nothing depends on queries and keys.
    let mut mask: Vec<bool> = (0..dims.iter().product()).map(|at| at % keys > 1 && m.draw.once_in(3)).collect();
    if without_keys {
        mask[..keys].fill(true);
    }
    let shapes = format!("{} by {}", shape(&[batch, heads, queries, inner]), shape(&[batch, heads, keys, outer]));
    let options = AttentionModuleOptions { scale, softcap, is_causal: causal };
    let about =
        format!("{shapes}, scale {scale:?}, softcap {softcap:?}, causal {causal}, masked {masked}, bias {biased}");
    // Large enough for the fault.
    let deviation = if without_keys && biased { 10.0 } else { 1.0 };
    let mut check = m.check();
    for (name, length, width) in [("query", queries, inner), ("key", keys, inner), ("value", keys, outer)] {
        let scale = if name == "value" { deviation } else { 1.0 };
        check = check.input(name, m.draw.normal([batch, heads, length, width], scale));
    }
    if biased {
        check = check.input("bias", m.draw.normal(dims, 1.0));
    }
    m.case(about, check, move |t| {
        let mask = masked.then(|| Tensor::from_data(TensorData::new(mask.clone(), dims), t.device()));
        let bias = biased.then(|| t.get("bias"));
        function(t.get("query"), t.get("key"), t.get("value"), mask, bias, options)
    })
}
