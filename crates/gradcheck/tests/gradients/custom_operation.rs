//! The operation of the example with a backward of its own.

use backproof_gradcheck::{Check, Value, Verdict};

use crate::common::device;

#[path = "../../examples/custom_operation.rs"]
#[allow(dead_code, reason = "its `main` prints what is asserted here")]
mod example;

use example::{check, forgetful_swiglu, right, swiglu};

#[test]
fn an_operation_with_a_backward_of_its_own_is_proven_and_all_its_mutants_are_killed() {
    let by_hand = check(swiglu).source("by hand", &device(), |t| right(t, "gate", "value"));
    let (report, mutants) = by_hand.run_with_mutants();
    report.assert();
    mutants.assert();
    assert!(mutants.left_out.is_empty(), "{mutants}");
}

#[test]
fn its_forgetful_backward_is_recognised() {
    let report = check(forgetful_swiglu).run();
    let row = report.row("autodiff", "gate").unwrap();
    assert_eq!(row.verdict, Verdict::Mismatch);
    assert_eq!(row.diagnosis.as_deref(), Some("σ(g) is taken for a constant"), "{report}");
    assert_eq!(report.verdict("autodiff", "value"), Some(Verdict::Pass));
}

#[test]
fn it_is_proven_where_only_one_input_is_tracked_and_where_both_are_one_tensor() {
    let (gate, value) = (Value::normal([3, 2], 1), Value::normal([3, 2], 2));
    for check in [
        Check::new("gate").input("gate", gate.clone()).constant("value", value.clone()),
        Check::new("value").constant("gate", gate.clone()).input("value", value),
    ] {
        check.forward(&device(), |t| swiglu(t.get::<2>("gate"), t.get("value"))).autodiff(&device()).run().assert();
    }
    let same = Check::new("same").input("x", gate).forward(&device(), |t| {
        let x = t.get::<2>("x");
        swiglu(x.clone(), x)
    });
    same.autodiff(&device()).run().assert();
}
