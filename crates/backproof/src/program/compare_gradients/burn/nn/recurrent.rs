//! Recurrent layers. Each makes a tensor in the default precision for its outputs, and another for a state that it is not given.

use burn::module::Module;
use burn::nn::activation::ActivationConfig;
use burn::nn::{
    BiGruConfig, BiLstmConfig, BiRnnConfig, GateController, GruConfig, Initializer, LstmConfig, LstmState, RnnConfig,
    RnnState,
};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::compare_gradients::burn::maker::{Maker, describe, subject};
use crate::compare_gradients::subject::{Case, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "GateController", |m| {
        let ([inputs, hidden], bias) = (m.draw.pair(1..=3), m.draw.once_in(2));
        let samples = m.draw.size(1..=3);
        let (x, state) = (m.draw.normal([samples, inputs], 1.0), m.draw.normal([samples, hidden], 1.0));
        let about = describe(&[&x, &state], if bias { "with bias" } else { "" }, m.draw.layout());
        let check = m.check().input("x", x).input("hidden", state);
        let gate = GateController::new(inputs, hidden, bias, Initializer::Zeros, &m.context.reference);
        let (check, placed) = Placed::new(m.draw, check, gate);
        m.case(about, check, move |t| placed.at(t).gate_product(t.get("x"), t.get("hidden")))
    }),
    subject!("Rnn", |mut m| {
        let drawn = Drawn::of(&mut m);
        let config = RnnConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_reverse(drawn.reverse).with_clip(drawn.clip);
        let module = config.with_hidden_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(m, module, 2, |rnn, x, [state, _]| {
            let (outputs, last) = rnn.forward(x, state.map(|state| RnnState::new(state.squeeze_dim(0))));
            both(outputs, last.hidden.unsqueeze())
        })
    }),
    subject!("BiRnn", |mut m| {
        let drawn = Drawn::of(&mut m);
        let config = BiRnnConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_clip(drawn.clip).with_hidden_activation(drawn.activation.clone());
        let module = config.init(&m.context.reference);
        drawn.case(m, module, 3, |rnn, x, [state, _]| {
            let (outputs, last) = rnn.forward(x, state.map(RnnState::new));
            both(outputs, last.hidden)
        })
    }),
    subject!("Lstm", |mut m| {
        let (drawn, coupled) = (Drawn::of(&mut m), m.draw.once_in(3));
        let config = LstmConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_reverse(drawn.reverse).with_clip(drawn.clip).with_input_forget(coupled);
        let module = config.with_hidden_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(m, module, 2, |lstm, x, state| {
            let [cell, hidden] = state.map(|state| state.map(|state| state.squeeze_dim(0)));
            let (outputs, last) = lstm.forward(x, cell.zip(hidden).map(|(cell, hidden)| LstmState::new(cell, hidden)));
            both(outputs, Tensor::cat(vec![last.cell, last.hidden], 0).unsqueeze())
        })
    }),
    subject!("BiLstm", |mut m| {
        let (drawn, coupled) = (Drawn::of(&mut m), m.draw.once_in(3));
        let config = BiLstmConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_clip(drawn.clip).with_input_forget(coupled);
        let module = config.with_cell_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(m, module, 3, |lstm, x, [cell, hidden]| {
            let (outputs, last) = lstm.forward(x, cell.zip(hidden).map(|(cell, hidden)| LstmState::new(cell, hidden)));
            both(outputs, Tensor::cat(vec![last.cell, last.hidden], 0))
        })
    }),
    subject!("Gru", |mut m| {
        let (mut drawn, reset_after) = (Drawn::of(&mut m), m.draw.once_in(2));
        drawn.batch_first = true;
        let config = GruConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_reset_after(reset_after);
        let config = config.with_clip(drawn.clip).with_hidden_activation(drawn.activation.clone());
        let module = config.init(&m.context.reference);
        drawn.case(m, module, 2, |gru, x, [state, _]| {
            gru.forward(x, state.map(|state| state.squeeze_dim(0))).flatten(0, 2)
        })
    }),
    subject!("BiGru", |mut m| {
        let (drawn, reset_after) = (Drawn::of(&mut m), m.draw.once_in(2));
        let config = BiGruConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_reset_after(reset_after);
        let config = config.with_batch_first(drawn.batch_first).with_clip(drawn.clip);
        let module = config.with_hidden_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(m, module, 3, |gru, x, [state, _]| {
            let (outputs, last) = gru.forward(x, state);
            both(outputs, last)
        })
    }),
];

/// Outputs of every step and the last states, as one vector.
fn both(outputs: Tensor<3>, states: Tensor<3>) -> Tensor<1> {
    Tensor::cat(vec![outputs.flatten(0, 2), states.flatten(0, 2)], 0)
}

/// What the cases of all recurrent layers have.
struct Drawn {
    samples: usize,
    steps: usize,
    inputs: usize,
    hidden: usize,
    bias: bool,
    batch_first: bool,
    reverse: bool,
    state: bool,
    clip: Option<f64>,
    activation: ActivationConfig,
}

impl Drawn {
    fn of(m: &mut Maker<'_>) -> Self {
        Self {
            samples: m.draw.size(1..=2),
            steps: m.draw.size(1..=3),
            inputs: m.draw.size(1..=3),
            hidden: m.draw.size(1..=3),
            bias: m.draw.once_in(2),
            batch_first: !m.draw.once_in(3),
            reverse: m.draw.once_in(3),
            state: m.draw.once_in(2),
            clip: m.draw.once_in(3).then_some(0.4),
            activation: if m.draw.once_in(4) { ActivationConfig::Softsign } else { ActivationConfig::Tanh },
        }
    }

    /// Of a layer whose states have this rank, of which there are one or two: `[1, N, H]`, or `[2, N, H]` with both directions.
    fn case<M: Module + 'static>(
        self,
        m: Maker<'_>,
        module: M,
        rank: usize,
        forward: impl Fn(&M, Tensor<3>, [Option<Tensor<3>>; 2]) -> Tensor<1> + 'static,
    ) -> Case {
        let Self { samples, steps, inputs, hidden, batch_first, state, .. } = self;
        let dims = if batch_first { [samples, steps, inputs] } else { [steps, samples, inputs] };
        let (x, layout) = (m.draw.normal(dims, 1.0), m.draw.layout());
        let about = format!("{}{}, {}", shape(&dims), layout.words(), self.words());
        let mut check = m.check().input("x", x);
        let states = if m.name.contains("Lstm") { vec!["cell", "hidden"] } else { vec!["hidden"] };
        if state {
            for name in &states {
                check = check.input(*name, m.draw.normal([rank - 1, samples, hidden], 0.7));
            }
        }
        let (check, placed) = Placed::new(m.draw, check, module);
        m.case(about, check, move |t| {
            let given = [0, 1].map(|place| states.get(place).filter(|_| state).map(|name| t.get(name)));
            forward(&placed.at(t), layout.place(t.get("x")), given)
        })
    }

    fn words(&self) -> String {
        let Self { hidden, bias, batch_first, reverse, state, clip, .. } = self;
        let mut words = format!("{hidden} hidden");
        for (word, said) in [
            (", bias", *bias),
            (", steps first", !batch_first),
            (", reverse", *reverse),
            (", with a state", *state),
            (", clipped", clip.is_some()),
        ] {
            words += if said { word } else { "" };
        }
        words
    }
}
