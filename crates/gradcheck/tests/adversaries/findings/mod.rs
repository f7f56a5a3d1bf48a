//! What once fooled the prover, each as it was found, on Burn's tensors: wrong gradients that it accepted, right ones that it called wrong, and right
//! ones that it could not prove.

mod accepted;
mod modules;
mod panics;
mod rejected;
mod unproven;

use backproof_gradcheck::{Arguments, Check, Gradients, Value, Verdict};
use burn::tensor::{DType, Device, Tensor};

fn device() -> Device {
    Device::flex()
}

/// A check of a function of one matrix, which has Burn's autodiff as a source.
fn of_matrix<const D: usize>(
    name: &str,
    dtype: DType,
    x: Value,
    forward: impl Fn(Tensor<2>) -> Tensor<D> + 'static,
) -> Check<'static> {
    let check = Check::new(name).dtype(dtype).input("x", x);
    check.forward(&device(), move |t| forward(t.get::<2>("x"))).autodiff(&device())
}

/// A row.
fn row(elements: &[f64]) -> Value {
    Value::new([1, elements.len()], elements.to_vec())
}

/// Of a source `wrong`, which is the only one that is wrong.
#[track_caller]
fn only_this_is_wrong(check: Check<'static>, wrong: impl Fn(&Arguments<'_>) -> Gradients + 'static) {
    let report = check.source("wrong", &device(), wrong).run();
    assert_eq!(report.verdict("wrong", "x"), Some(Verdict::Mismatch), "{report}");
    let right = report.verdict("autodiff", "x").expect("a row");
    assert!(right.proven(), "{report}");
}
