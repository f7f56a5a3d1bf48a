//! Transformers: encoder, decoder and their parts, with masks.

use burn::nn::activation::ActivationConfig;
use burn::nn::attention::generate_autoregressive_mask;
use burn::nn::transformer::{
    PositionWiseFeedForwardConfig, TransformerDecoderConfig, TransformerDecoderInput, TransformerDecoderLayer,
    TransformerEncoderConfig, TransformerEncoderInput, TransformerEncoderLayer,
};
use burn::tensor::Tensor;

use super::placed::{Placed, mask_at};
use crate::compare_gradients::burn::maker::{Maker, subject};
use crate::compare_gradients::subject::{Case, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "PositionWiseFeedForward", |mut m| {
        let ([width, inner], tanh) = (m.draw.pair(1..=4), m.draw.once_in(3));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), width];
        let (x, config) = (m.draw.normal(dims, 1.0), PositionWiseFeedForwardConfig::new(width, inner));
        let activation = if tanh { ActivationConfig::Tanh } else { ActivationConfig::Gelu };
        let module = config.with_dropout(0.0).with_activation(activation).init(&m.context.reference);
        m.module(&format!("{inner} inner, tanh {tanh}"), x, module, |module, x: Tensor<3>| module.forward(x))
    }),
    subject!(smooth "TransformerEncoder", |m| encoder(m, 2)),
    subject!(smooth "TransformerEncoderLayer", |m| encoder(m, 1)),
    subject!(smooth "TransformerDecoder", |m| decoder(m, 2)),
    subject!(smooth "TransformerDecoderLayer", |m| decoder(m, 1)),
];

/// Sizes and masks.
struct Drawn {
    batch: usize,
    length: usize,
    memory: usize,
    heads: usize,
    width: usize,
    inner: usize,
    norm_first: bool,
    quiet: bool,
    causal: bool,
    padding: Option<Vec<bool>>,
}

impl Drawn {
    fn of(m: &mut Maker<'_>) -> Self {
        let heads = m.draw.size(1..=2);
        let (batch, length, memory) = (m.draw.size(1..=2), m.draw.size(3..=4), m.draw.size(3..=4));
        let padding = m.mask(batch * length, length, 2);
        Self {
            batch,
            length,
            memory,
            heads,
            // Of two or three numbers, normalisation leaves one or two that are free.
            width: heads * m.draw.size(if heads == 2 { 2..=3 } else { 4..=5 }),
            inner: m.draw.size(2..=4),
            norm_first: m.draw.once_in(2),
            quiet: m.draw.once_in(3),
            causal: m.draw.once_in(2),
            padding: m.draw.once_in(2).then_some(padding),
        }
    }

    fn words(&self) -> String {
        let Self { inner, heads, norm_first, quiet, causal, padding, .. } = self;
        let sizes = format!("{}, {inner} inner, {heads} heads", shape(&[self.batch, self.length, self.width]));
        let padded = padding.is_some();
        format!("{sizes}, normalised first {norm_first}, quiet {quiet}, masked {causal}, padded {padded}")
    }
}

fn encoder(mut m: Maker<'_>, layers: usize) -> Case {
    let drawn = Drawn::of(&mut m);
    let Drawn { batch, length, width, causal, .. } = drawn;
    let about = drawn.words();
    let config = TransformerEncoderConfig::new(width, drawn.inner, drawn.heads, layers).with_dropout(0.0);
    let config = config.with_norm_first(drawn.norm_first).with_quiet_softmax(drawn.quiet);
    let check = m.check().options(m.few()).input("x", m.draw.normal([batch, length, width], 1.0));
    let padding = drawn.padding;
    if layers == 1 {
        let module = TransformerEncoderLayer::new(&config, &m.context.reference);
        let (check, placed) = Placed::new(m.draw, check, module);
        return m.case(about, check, move |t| {
            let padding = padding.as_ref().map(|mask| mask_at(t, [batch, length], mask));
            let causal = causal.then(|| generate_autoregressive_mask(batch, length, t.device()));
            placed.at(t).forward(t.get("x"), padding, causal)
        });
    }
    let (check, placed) = Placed::new(m.draw, check, config.init(&m.context.reference));
    m.case(about, check, move |t| {
        let mut input = TransformerEncoderInput::new(t.get("x"));
        if let Some(mask) = &padding {
            input = input.mask_pad(mask_at(t, [batch, length], mask));
        }
        if causal {
            input = input.mask_attn(generate_autoregressive_mask(batch, length, t.device()));
        }
        placed.at(t).forward(input)
    })
}

fn decoder(mut m: Maker<'_>, layers: usize) -> Case {
    let drawn = Drawn::of(&mut m);
    let Drawn { batch, length, memory, width, causal, .. } = drawn;
    let about = format!("{}, memory of {memory}", drawn.words());
    let config = TransformerDecoderConfig::new(width, drawn.inner, drawn.heads, layers).with_dropout(0.0);
    let config = config.with_norm_first(drawn.norm_first).with_quiet_softmax(drawn.quiet);
    let check = m.check().options(m.few()).input("target", m.draw.normal([batch, length, width], 1.0));
    let check = check.input("memory", m.draw.normal([batch, memory, width], 1.0));
    let padding = drawn.padding;
    let (of_memory, attended) = (m.mask(batch * memory, memory, 3), m.mask(batch * length * memory, memory, 3));
    let input = move |t: &backproof_gradcheck::Arguments<'_>| {
        let mut input = TransformerDecoderInput::new(t.get("target"), t.get("memory"));
        if let Some(mask) = &padding {
            input = input.target_mask_pad(mask_at(t, [batch, length], mask));
            input = input.memory_mask_pad(mask_at(t, [batch, memory], &of_memory));
        }
        if causal {
            input = input.target_mask_attn(generate_autoregressive_mask(batch, length, t.device()));
            input = input.memory_mask_attn(mask_at(t, [batch, length, memory], &attended));
        }
        input
    };
    if layers == 1 {
        // The layer gives its input back, of which the target cannot be read: a decoder of one layer.
        let module = TransformerDecoderLayer::new(&config, &m.context.reference);
        let (check, placed) = Placed::new(m.draw, check, module);
        return m.case(about, check, move |t| {
            let mut decoder = TransformerDecoderConfig::new(1, 1, 1, 0).init(t.device());
            decoder.layers.push(placed.at(t));
            decoder.forward(input(t))
        });
    }
    let (check, placed) = Placed::new(m.draw, check, config.init(&m.context.reference));
    m.case(about, check, move |t| placed.at(t).forward(input(t)))
}
