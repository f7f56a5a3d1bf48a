use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Check, Gradients, Report, Value, check};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{Lstm, LstmConfig, PositionalEncodingConfig, RotaryEncodingConfig};
use burn::tensor::{DType, Int, Tensor};

use super::{device, row};

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

#[test]
fn a_panic_in_a_source_is_told_by_its_name() {
    let report = catch_unwind(|| {
        let check = Check::new("square").input("x", row(&[1.0, 2.0])).forward(&device(), |t| t.get::<2>("x").square());
        let check = check.autodiff(&device());
        check.source("hasty", &device(), |t| -> Gradients { panic!("no kernel for {:?}", t.dtype()) }).run()
    });
    let report = report.expect("the check does not panic");
    let told = report.to_string();
    assert!(!report.proven && told.contains("hasty") && told.contains("no kernel for"), "{told}");
    assert!(report.verdict("autodiff", "x").unwrap().proven(), "the other source is judged: {told}");
}

#[test]
fn a_panic_in_the_function_is_told() {
    let report = catch_unwind(|| {
        let check = Check::new("square").input("x", row(&[1.0, 2.0]));
        let check = check.forward(&device(), |t| {
            assert_eq!(t.dtype(), DType::F32, "only in single precision");
            t.get::<2>("x").square()
        });
        check.autodiff(&device()).run()
    });
    let report = report.expect("the check does not panic");
    assert!(report.to_string().contains("only in single precision"), "{report}");
}
