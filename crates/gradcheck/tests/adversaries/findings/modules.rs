use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Report, Value, check};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{Lstm, LstmConfig, PositionalEncodingConfig, RotaryEncodingConfig};
use burn::tensor::{DType, Int, Tensor};

use super::device;

fn sequence() -> Tensor<3> {
    Value::normal([2, 3, 4], 1).tensor(&device(), DType::F32)
}

/// Modules whose forward makes tensors of the default precision are checked all the same: nothing panics, and nothing is called wrong.
#[track_caller]
fn is_not_wrong(name: &str, run: impl FnOnce() -> Report) {
    match catch_unwind(AssertUnwindSafe(run)) {
        Err(_) => panic!("{name}: the check panics"),
        Ok(report) => {
            assert_eq!(report.faults(), 0, "{name}\n{report}");
            assert!(!report.rows.is_empty(), "{name}\n{report}");
        }
    }
}

#[test]
fn recurrent_layers() {
    let lstm: Lstm = LstmConfig::new(4, 3, true).init(&device());
    is_not_wrong("LSTM", || check(&lstm, sequence(), |module, input| module.forward(input, None).0));
    let gru: Gru = GruConfig::new(4, 3, true).init(&device());
    is_not_wrong("GRU", || check(&gru, sequence(), |module, input| module.forward(input, None)));
}

#[test]
fn encodings() {
    let positional = PositionalEncodingConfig::new(4).with_max_sequence_size(8).init(&device());
    is_not_wrong("positional", || check(&positional, sequence(), |module, input| module.forward(input)));
    let rotary = RotaryEncodingConfig::new(8, 4).init(&device());
    is_not_wrong("rotary", || check(&rotary, sequence(), |module, input| module.forward(input)));
}

#[test]
fn cross_entropy_with_weights() {
    let loss: CrossEntropyLoss = CrossEntropyLossConfig::new().with_weights(Some(vec![0.5, 1.0, 2.0])).init(&device());
    let logits = Value::normal([4, 3], 1).tensor::<2>(&device(), DType::F32);
    is_not_wrong("weighted cross-entropy", || {
        check(&loss, logits, |loss, logits| {
            let targets = Tensor::<1, Int>::from_data([0, 2, 1, 2], &logits.device());
            loss.forward(logits, targets)
        })
    });
}
