//! Attention over heads, with masks of padding and of positions.

use burn::nn::attention::{
    CrossAttentionConfig, MhaInput, MultiHeadAttention, MultiHeadAttentionConfig, generate_autoregressive_mask,
};
use burn::tensor::Tensor;

use super::placed::{Placed, mask_at};
use crate::burn::maker::{Maker, subject};
use crate::subject::{Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "MultiHeadAttention", |mut m| {
        let drawn = Drawn::of(&mut m);
        let Drawn { batch, queries, keys, .. } = drawn;
        let [padding, positions] = [m.draw.once_in(2), m.draw.once_in(2)];
        let (pad, attended) = (m.mask(batch * keys, keys, 2), m.mask(batch * queries * keys, keys, 2));
        let about = format!("{}, padding {padding}, positions masked {positions}", drawn.words());
        let mut check = m.check();
        for (name, length) in [("query", queries), ("key", keys), ("value", keys)] {
            check = check.input(name, m.draw.normal([batch, length, drawn.width], 1.0));
        }
        let (check, placed) = drawn.placed(&mut m, check);
        m.case(about, check, move |t| {
            let mut input = MhaInput::new(t.get("query"), t.get("key"), t.get("value"));
            if padding {
                input = input.mask_pad(mask_at(t, [batch, keys], &pad));
            }
            if positions {
                input = input.mask_attn(mask_at(t, [batch, queries, keys], &attended));
            }
            outputs(&placed.at(t), input)
        })
    }),
    subject!(smooth "MultiHeadAttention_of_itself", |mut m| {
        let drawn = Drawn::of(&mut m);
        let Drawn { batch, queries, .. } = drawn;
        let causal = m.draw.once_in(2);
        let about = format!("{}, autoregressive {causal}", drawn.words());
        let check = m.check().input("x", m.draw.normal([batch, queries, drawn.width], 1.0));
        let (check, placed) = drawn.placed(&mut m, check);
        m.case(about, check, move |t| {
            let mut input = MhaInput::self_attn(t.get("x"));
            if causal {
                input = input.mask_attn(generate_autoregressive_mask(batch, queries, t.device()));
            }
            outputs(&placed.at(t), input)
        })
    }),
    subject!(smooth "CrossAttention", |mut m| {
        let (batch, queries, keys) = (m.draw.size(1..=2), m.draw.size(2..=3), m.draw.size(3..=4));
        let ([width, context], head) = (m.draw.pair(2..=3), m.draw.size(2..=3));
        let (of_keys, repeats) = (m.draw.size(1..=2), m.draw.size(1..=2));
        let (quiet, masked) = (m.draw.once_in(3), m.draw.once_in(2));
        let mask = m.mask(batch * keys, keys, 2);
        let config = CrossAttentionConfig::new(width, context, of_keys * repeats, of_keys, head);
        let module = config.with_dropout(0.0).with_quiet_softmax(quiet).init(&m.context.reference);
        let sizes = format!("{} to {}", shape(&[batch, queries, width]), shape(&[batch, keys, context]));
        let heads = backproof_spec::counted(of_keys * repeats, "head");
        let about = format!("{sizes}, {heads} of {of_keys}, quiet {quiet}, masked {masked}");
        let check = m.check().input("query", m.draw.normal([batch, queries, width], 1.0));
        let check = check.input("context", m.draw.normal([batch, keys, context], 1.0));
        let (check, placed) = Placed::new(m.draw, check, module);
        m.case(about, check, move |t| {
            let mask = masked.then(|| mask_at(t, [batch, keys], &mask));
            placed.at(t).forward(t.get("query"), t.get("context"), mask)
        })
    }),
];

/// What the cases of attention have.
struct Drawn {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    width: usize,
    quiet: bool,
    key_bias: bool,
}

impl Drawn {
    fn of(m: &mut Maker<'_>) -> Self {
        let heads = m.draw.size(1..=2);
        Self {
            batch: m.draw.size(1..=2),
            queries: m.draw.size(2..=3),
            keys: m.draw.size(3..=4),
            heads,
            width: heads * m.draw.size(1..=2),
            quiet: m.draw.once_in(3),
            key_bias: m.draw.once_in(3),
        }
    }

    fn words(&self) -> String {
        let Self { batch, queries, keys, heads, width, quiet, key_bias } = self;
        let sizes = format!("{} by {keys} keys", shape(&[*batch, *queries, *width]));
        let heads = backproof_spec::counted(*heads, "head");
        format!("{sizes}, {heads}, quiet {quiet}, bias of keys {key_bias}")
    }

    /// Without dropout, which no two passes share.
    fn placed(
        &self,
        m: &mut Maker<'_>,
        check: backproof_gradcheck::Check<'static>,
    ) -> (backproof_gradcheck::Check<'static>, Placed<MultiHeadAttention>) {
        let config = MultiHeadAttentionConfig::new(self.width, self.heads).with_dropout(0.0);
        let config = config.with_quiet_softmax(self.quiet).with_key_bias(self.key_bias);
        Placed::new(m.draw, check, config.init(&m.context.reference))
    }
}

/// The context and the weights, as one vector.
fn outputs(attention: &MultiHeadAttention, input: MhaInput) -> Tensor<1> {
    let found = attention.forward(input);
    Tensor::cat(vec![found.context.flatten(0, 2), found.weights.flatten(0, 3)], 0)
}
