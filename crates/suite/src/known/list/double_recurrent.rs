//! Recurrent modules of burn-nn, and rotary encoding. They compute in single precision, or panic, although the tensors
//! are in double precision.

use burn::nn::{BiGruConfig, BiLstmConfig, BiRnnConfig, GruConfig, LstmConfig, RnnConfig, RotaryEncodingConfig};

use super::common::{IN_DOUBLE, SMALLEST_IN_DOUBLE, flat, in_double};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::Panics;

const RNN: Known = Known {
    operation: "Rnn",
    kinds: &[Panics],
    says: "type mismatch",
    cause: "Burn makes the outputs, and the state if none is given, in the default precision",
    location: "burn-nn, modules/rnn, forward_iter",
    smallest: Smallest {
        tensors: &[("x", &[1, 1, 1], &[1.0])],
        options: "no state",
        function: |t| flat(in_double(RnnConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None).0),
        right: &[],
        found: Found::Panics("type mismatch"),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

pub(super) const FAULTS: &[Known] = &[
    RNN,
    Known {
        operation: "BiRnn",
        smallest: Smallest {
            function: |t| flat(in_double(BiRnnConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None).0),
            ..RNN.smallest
        },
        ..RNN
    },
    Known {
        operation: "Lstm",
        smallest: Smallest {
            function: |t| flat(in_double(LstmConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None).0),
            ..RNN.smallest
        },
        ..RNN
    },
    Known {
        operation: "BiLstm",
        smallest: Smallest {
            function: |t| flat(in_double(BiLstmConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None).0),
            ..RNN.smallest
        },
        ..RNN
    },
    Known {
        operation: "Gru",
        smallest: Smallest {
            function: |t| flat(in_double(GruConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None)),
            ..RNN.smallest
        },
        ..RNN
    },
    Known {
        operation: "BiGru",
        smallest: Smallest {
            function: |t| flat(in_double(BiGruConfig::new(1, 1, false).init(t.device())).forward(t.get("x"), None).0),
            ..RNN.smallest
        },
        ..RNN
    },
    Known {
        operation: "RotaryEncoding",
        kinds: &[Panics],
        says: "type mismatch",
        cause: "Burn makes the signs in the default precision",
        location: "burn-nn, modules/rope_encoding.rs, apply",
        smallest: Smallest {
            tensors: &[("x", &[1, 1, 1, 2], &[1.0, 1.0])],
            function: |t| flat(RotaryEncodingConfig::new(2, 2).init(t.device()).forward(t.get::<4>("x"))),
            right: &[],
            found: Found::Panics("type mismatch"),
            ..SMALLEST_IN_DOUBLE
        },
        ..IN_DOUBLE
    },
];
