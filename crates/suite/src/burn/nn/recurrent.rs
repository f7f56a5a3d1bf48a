//! Recurrent layers. Each makes a tensor in the default precision for its outputs, and another for a state that it is
//! not given, so that none runs in double precision: the differences are those of the formula, with the layer's own
//! gates.

use burn::module::Module;
use burn::nn::activation::ActivationConfig;
use burn::nn::{
    BiGruConfig, BiLstmConfig, BiRnnConfig, GateController, GruConfig, Initializer, LstmConfig, LstmState, RnnConfig,
    RnnState,
};
use burn::nn::{Gru, Lstm, Rnn};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::burn::maker::{Maker, describe, subject};
use crate::subject::{Case, Subject, shape};

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
        drawn.case(
            m,
            module,
            2,
            |rnn, x, [state, _]| {
                let (outputs, last) = rnn.forward(x, state.map(|state| RnnState::new(state.squeeze_dim(0))));
                both(outputs, last.hidden.unsqueeze())
            },
            |rnn, x, [hidden, none]| {
                let (outputs, [_, last]) = unroll(x, (rnn.batch_first, rnn.reverse), [none, hidden], 0, rnn_step(rnn));
                both(outputs, last.unsqueeze())
            },
        )
    }),
    subject!("BiRnn", |mut m| {
        let drawn = Drawn::of(&mut m);
        let config = BiRnnConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_clip(drawn.clip).with_hidden_activation(drawn.activation.clone());
        let module = config.init(&m.context.reference);
        drawn.case(
            m,
            module,
            3,
            |rnn, x, [state, _]| {
                let (outputs, last) = rnn.forward(x, state.map(RnnState::new));
                both(outputs, last.hidden)
            },
            |rnn, x, [hidden, none]| {
                let steps = [rnn_step(&rnn.forward), rnn_step(&rnn.reverse)];
                let (outputs, [_, last]) = unroll_both(x, rnn.batch_first, [none, hidden], steps);
                both(outputs, last)
            },
        )
    }),
    subject!("Lstm", |mut m| {
        let (drawn, coupled) = (Drawn::of(&mut m), m.draw.once_in(3));
        let config = LstmConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_reverse(drawn.reverse).with_clip(drawn.clip).with_input_forget(coupled);
        let module = config.with_hidden_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(
            m,
            module,
            2,
            |lstm, x, state| {
                let [cell, hidden] = state.map(|state| state.map(|state| state.squeeze_dim(0)));
                let (outputs, last) =
                    lstm.forward(x, cell.zip(hidden).map(|(cell, hidden)| LstmState::new(cell, hidden)));
                both(outputs, Tensor::cat(vec![last.cell, last.hidden], 0).unsqueeze())
            },
            |lstm, x, states| {
                let (outputs, last) = unroll(x, (lstm.batch_first, lstm.reverse), states, 0, lstm_step(lstm));
                both(outputs, Tensor::cat(last.to_vec(), 0).unsqueeze())
            },
        )
    }),
    subject!("BiLstm", |mut m| {
        let (drawn, coupled) = (Drawn::of(&mut m), m.draw.once_in(3));
        let config = BiLstmConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_batch_first(drawn.batch_first);
        let config = config.with_clip(drawn.clip).with_input_forget(coupled);
        let module = config.with_cell_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(
            m,
            module,
            3,
            |lstm, x, [cell, hidden]| {
                let (outputs, last) =
                    lstm.forward(x, cell.zip(hidden).map(|(cell, hidden)| LstmState::new(cell, hidden)));
                both(outputs, Tensor::cat(vec![last.cell, last.hidden], 0))
            },
            |lstm, x, states| {
                let steps = [lstm_step(&lstm.forward), lstm_step(&lstm.reverse)];
                let (outputs, last) = unroll_both(x, lstm.batch_first, states, steps);
                both(outputs, Tensor::cat(last.to_vec(), 0))
            },
        )
    }),
    subject!("Gru", |mut m| {
        let (mut drawn, reset_after) = (Drawn::of(&mut m), m.draw.once_in(2));
        drawn.batch_first = true;
        let config = GruConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_reset_after(reset_after);
        let config = config.with_clip(drawn.clip).with_hidden_activation(drawn.activation.clone());
        let module = config.init(&m.context.reference);
        drawn.case(
            m,
            module,
            2,
            |gru, x, [state, _]| gru.forward(x, state.map(|state| state.squeeze_dim(0))).flatten(0, 2),
            |gru, x, [hidden, none]| unroll(x, (true, false), [none, hidden], 0, gru_step(gru)).0.flatten(0, 2),
        )
    }),
    subject!("BiGru", |mut m| {
        let (drawn, reset_after) = (Drawn::of(&mut m), m.draw.once_in(2));
        let config = BiGruConfig::new(drawn.inputs, drawn.hidden, drawn.bias).with_reset_after(reset_after);
        let config = config.with_batch_first(drawn.batch_first).with_clip(drawn.clip);
        let module = config.with_hidden_activation(drawn.activation.clone()).init(&m.context.reference);
        drawn.case(
            m,
            module,
            3,
            |gru, x, [state, _]| {
                let (outputs, last) = gru.forward(x, state);
                both(outputs, last)
            },
            |gru, x, [hidden, none]| {
                let steps = [gru_step(&gru.forward), gru_step(&gru.reverse)];
                let (outputs, [_, last]) = unroll_both(x, gru.batch_first, [none, hidden], steps);
                both(outputs, last)
            },
        )
    }),
];

/// Outputs of every step and the last states, as one vector.
fn both(outputs: Tensor<3>, states: Tensor<3>) -> Tensor<1> {
    Tensor::cat(vec![outputs.flatten(0, 2), states.flatten(0, 2)], 0)
}

/// The states after a step, of its input and the states before: the cell's, which only an LSTM has, and the hidden one.
type Step<'m> = Box<dyn Fn(Tensor<2>, [Tensor<2>; 2]) -> [Tensor<2>; 2] + 'm>;

/// The hidden states of all steps and the last states, in one direction. The states that are given are those of this
/// number.
fn unroll(
    x: Tensor<3>,
    (batch_first, reverse): (bool, bool),
    states: [Tensor<3>; 2],
    number: usize,
    step: Step<'_>,
) -> (Tensor<3>, [Tensor<2>; 2]) {
    let axis = usize::from(batch_first);
    let count = x.dims()[axis];
    let mut states = states.map(|state| state.narrow(0, number, 1).squeeze_dim::<2>(0));
    let mut outputs: Vec<Option<Tensor<3>>> = vec![None; count];
    for at in 0..count {
        let at = if reverse { count - 1 - at } else { at };
        states = step(x.clone().narrow(axis, at, 1).squeeze_dim(axis), states);
        outputs[at] = Some(states[1].clone().unsqueeze_dim(axis));
    }
    (Tensor::cat(outputs.into_iter().flatten().collect(), axis), states)
}

/// Of both directions, side by side.
fn unroll_both(
    x: Tensor<3>,
    batch_first: bool,
    states: [Tensor<3>; 2],
    [forward, reverse]: [Step<'_>; 2],
) -> (Tensor<3>, [Tensor<3>; 2]) {
    let (there, [cell, hidden]) = unroll(x.clone(), (batch_first, false), states.clone(), 0, forward);
    let (back, last) = unroll(x, (batch_first, true), states, 1, reverse);
    let last = [Tensor::stack(vec![cell, last[0].clone()], 0), Tensor::stack(vec![hidden, last[1].clone()], 0)];
    (Tensor::cat(vec![there, back], 2), last)
}

fn rnn_step(rnn: &Rnn) -> Step<'_> {
    Box::new(|x, [cell, hidden]| {
        let hidden = rnn.hidden_activation.forward(rnn.gate.gate_product(x, hidden));
        [cell, clipped(hidden, rnn.clip)]
    })
}

fn lstm_step(lstm: &Lstm) -> Step<'_> {
    Box::new(|x, [cell, hidden]| {
        let gate = |gate: &GateController| lstm.gate_activation.forward(gate.gate_product(x.clone(), hidden.clone()));
        let input = gate(&lstm.input_gate);
        let forget = lstm.forget_gate.as_ref().map_or_else(|| -input.clone() + 1, gate);
        let candidate = lstm.cell_activation.forward(lstm.cell_gate.gate_product(x.clone(), hidden.clone()));
        let cell = clipped(forget * cell + input * candidate, lstm.clip);
        let hidden = gate(&lstm.output_gate) * lstm.hidden_activation.forward(cell.clone());
        [cell, hidden]
    })
}

fn gru_step(gru: &Gru) -> Step<'_> {
    Box::new(|x, [cell, hidden]| {
        let gate = |gate: &GateController| gru.gate_activation.forward(gate.gate_product(x.clone(), hidden.clone()));
        let (update, reset, new) = (gate(&gru.update_gate), gate(&gru.reset_gate), &gru.new_gate);
        let candidate = match gru.reset_after {
            true => new.input_transform.forward(x.clone()) + reset * new.hidden_transform.forward(hidden.clone()),
            false => new.gate_product(x.clone(), reset * hidden.clone()),
        };
        let candidate = gru.hidden_activation.forward(candidate);
        [cell, clipped((-update.clone() + 1) * candidate + update * hidden, gru.clip)]
    })
}

fn clipped(state: Tensor<2>, clip: Option<f64>) -> Tensor<2> {
    match clip {
        Some(clip) => state.clamp(-clip, clip),
        None => state,
    }
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
        let drawn = Self {
            samples: m.draw.size(1..=2),
            steps: m.draw.size(1..=3),
            inputs: m.draw.size(1..=3),
            hidden: m.draw.size(1..=3),
            bias: m.draw.once_in(2),
            batch_first: !m.draw.once_in(3),
            reverse: m.draw.once_in(3),
            state: m.draw.once_in(2),
            clip: m.draw.once_in(3).then_some(0.8),
            activation: if m.draw.once_in(4) { ActivationConfig::Softsign } else { ActivationConfig::Tanh },
        };
        match drawn.clip {
            // So many states that some of them are not clipped, and something moves.
            Some(_) => Self { samples: 2, hidden: drawn.hidden.max(2), ..drawn },
            None => drawn,
        }
    }

    /// Of a layer whose states have this rank, of which there are one or two: `[1, N, H]`, or `[2, N, H]` with both
    /// directions.
    fn case<M: Module + 'static>(
        self,
        m: Maker<'_>,
        module: M,
        rank: usize,
        forward: impl Fn(&M, Tensor<3>, [Option<Tensor<3>>; 2]) -> Tensor<1> + 'static,
        formula: impl Fn(&M, Tensor<3>, [Tensor<3>; 2]) -> Tensor<1> + 'static,
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
            let (module, x) = (placed.at(t), layout.arrange(t.get("x")));
            if t.device().is_autodiff() {
                return forward(&module, x, given);
            }
            let zeros = || Tensor::zeros([rank - 1, samples, hidden], (t.device(), t.dtype()));
            formula(&module, x, given.map(|state| state.unwrap_or_else(zeros)))
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
