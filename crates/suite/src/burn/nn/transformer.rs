//! Transformers with masks, of one or two layers.

use backproof_gradcheck::{Arguments, Options};
use burn::nn::activation::ActivationConfig;
use burn::nn::attention::generate_autoregressive_mask;
use burn::nn::transformer::{
    PositionWiseFeedForwardConfig, TransformerDecoderConfig, TransformerDecoderInput, TransformerEncoderConfig,
    TransformerEncoderInput,
};
use burn::tensor::Tensor;

use super::placed::{Placed, mask_at};
use crate::burn::maker::{Maker, subject};
use crate::subject::{Case, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "PositionWiseFeedForward", |mut m| {
        let ([width, inner], tanh) = (m.draw.pair(1..=4), m.draw.once_in(3));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), width];
        let (x, config) = (m.draw.normal(dims, 1.0), PositionWiseFeedForwardConfig::new(width, inner));
        let activation = if tanh { ActivationConfig::Tanh } else { ActivationConfig::Gelu };
        let module = config.with_dropout(0.0).with_activation(activation).init(&m.context.reference);
        m.module(&format!("{inner} inner, tanh {tanh}"), x, module, |module, x: Tensor<3>| module.forward(x))
    }),
    subject!(smooth "TransformerEncoder", encoder),
    subject!(smooth "TransformerDecoder", decoder),
];

/// Sizes and masks.
struct Drawn {
    layers: usize,
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
        let layers = if m.draw.once_in(4) { 2 } else { 1 };
        // Two layers that are normalised last forget so much of the first one's attention that rounding covers it.
        let norm_first = layers > 1 || m.draw.once_in(2);
        let heads = m.draw.pick(&[1, 1, 2]);
        let (batch, length, memory) = (m.draw.pick(&[1, 1, 2]), 3, 3);
        let padding = m.mask(batch * length, length, 2);
        Self {
            layers,
            batch,
            length,
            memory,
            heads,
            width: if heads == 2 { 4 } else { 3 },
            inner: m.draw.size(2..=3),
            norm_first,
            quiet: m.draw.once_in(3),
            causal: m.draw.once_in(2),
            padding: m.draw.once_in(2).then_some(padding),
        }
    }

    fn words(&self) -> String {
        let Self { layers, inner, heads, norm_first, quiet, causal, padding, .. } = self;
        let (layers, heads) = (backproof_spec::counted(*layers, "layer"), backproof_spec::counted(*heads, "head"));
        let sizes = format!("{}, {layers}, {inner} inner, {heads}", shape(&[self.batch, self.length, self.width]));
        let padded = padding.is_some();
        format!("{sizes}, normalised first {norm_first}, quiet {quiet}, masked {causal}, padded {padded}")
    }
}

/// Every output by itself: what a weight does to one cancels what it does to another, and what is left of a sum is
/// rounding in single precision.
fn by_output(m: &Maker<'_>) -> Options {
    Options { cotangents: 0, jacobian: 1 << 15, ..m.options() }
}

fn encoder(mut m: Maker<'_>) -> Case {
    let mut drawn = Drawn::of(&mut m);
    // Three numbers that are normalised first differ in one direction only, and leave a masked query little to choose
    // from.
    drawn.width = if drawn.causal && drawn.norm_first { 4 } else { drawn.width };
    let Drawn { batch, length, width, causal, .. } = drawn;
    let about = drawn.words();
    let config = TransformerEncoderConfig::new(width, drawn.inner, drawn.heads, drawn.layers).with_dropout(0.0);
    let config = config.with_norm_first(drawn.norm_first).with_quiet_softmax(drawn.quiet);
    let check = m.check().options(by_output(&m)).input("x", m.draw.normal([batch, length, width], 1.0));
    let padding = drawn.padding;
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

fn decoder(mut m: Maker<'_>) -> Case {
    let drawn = Drawn::of(&mut m);
    let Drawn { batch, length, memory, width, causal, .. } = drawn;
    let about = format!("{}, memory of {memory}", drawn.words());
    let config = TransformerDecoderConfig::new(width, drawn.inner, drawn.heads, drawn.layers).with_dropout(0.0);
    let config = config.with_norm_first(drawn.norm_first).with_quiet_softmax(drawn.quiet);
    let check = m.check().options(by_output(&m)).input("target", m.draw.normal([batch, length, width], 1.0));
    let check = check.input("memory", m.draw.normal([batch, memory, width], 1.0));
    let padding = drawn.padding;
    let (of_memory, attended) = (m.mask(batch * memory, memory, 3), m.mask(batch * length * memory, memory, 3));
    let input = move |t: &Arguments<'_>| {
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
    let (check, placed) = Placed::new(m.draw, check, config.init(&m.context.reference));
    m.case(about, check, move |t| placed.at(t).forward(input(t)))
}
