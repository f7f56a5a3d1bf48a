//! How a report tells what is not proven.

use backproof_gradcheck::{
    Check, GradientSource, Gradients, Mutant, Mutants, Problem, Report, Role, Value, Variable, Verdict, unit_roundoff,
};
use burn::tensor::{DType, Tensor};

use crate::common::*;

/// The report on `f` of one tensor on the host, with a source that says `gradient` of it.
fn report(x: Value, f: impl Fn(f64) -> f64, gradient: impl Fn(f64) -> f64) -> Report {
    let map = |x: &Value, by: &dyn Fn(usize, f64) -> f64| {
        Value::new(x.dims(), x.data().iter().enumerate().map(|(index, &x)| by(index, x)).collect())
    };
    let tensors = vec![Variable { name: "x".into(), role: Role::Input, value: x, expect_zero: false }];
    let source = GradientSource::new("host", unit_roundoff(DType::F64), |values, w| {
        vec![Some(map(&values[0], &|index, x| w.data()[index] * gradient(x)))]
    });
    let forward = |values: &[Value]| map(&values[0], &|_, x| f(x));
    let problem = Problem { sources: vec![source], ..Problem::new("host", DType::F64, tensors, forward) };
    problem.examine(&Default::default()).report().clone()
}

#[track_caller]
fn tells(report: &Report, parts: &[&str]) {
    let text = report.to_string();
    assert!(!report.proven && text.contains("\nNOT PROVEN: "), "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn a_gradient_outside_of_a_kink_is_told_with_both_sides() {
    let told = report(Value::new([3], vec![1.5, 0.0, -2.0]), f64::abs, |x| if x == 0.0 { 1.5 } else { x.signum() });
    tells(&told, &["host/x: MISMATCH", "1 of 3 checked elements is wrong", "worst element [1]", "    a kink: from "]);
}

#[test]
fn a_function_that_moves_with_nothing_is_told_so() {
    let check = Check::new("constant").input("x", Value::normal([2, 3], 1));
    let told = check.forward(&device(), |t| t.get::<2>("x").zeros_like() + 1).autodiff(&device()).run();
    tells(&told, &["autodiff/x: UNOBSERVABLE\n  the function moves with no tensor at all, so that nothing was seen\n"]);
}

#[test]
fn a_zero_that_differences_show_is_told_with_its_reason() {
    let check = Check::new("unused").input("x", Value::normal([2, 3], 1)).parameter("unused", Value::normal([2], 2));
    let told = check.forward(&device(), |t| t.get::<2>("x").exp()).autodiff(&device()).run();
    told.assert();
    let text = told.to_string();
    assert!(
        text.contains("autodiff/unused: zero, as the differences show: the function does not move with `unused`"),
        "{text}"
    );
}

#[test]
fn a_source_too_inexact_to_prove_anything_is_told_how_little_is_known() {
    let told = linear(DType::F64).source("manual", &device(), linear_manual).source_roundoff(0.1).run();
    assert_eq!(told.faults(), 0);
    tells(&told, &["manual/w: UNRESOLVED\n", " of 12 elements: the tolerance is more than a tenth of the gradient\n"]);
}

#[test]
fn a_source_without_a_gradient_stands_as_none_beside_those_that_have_one() {
    let told = linear(DType::F64)
        .source("forgetful", &device(), |_| Gradients::new())
        .source("wrong", &device(), |t| Gradients::new().with("w", t.get::<2>("w")))
        .run();
    assert_eq!(told.verdict("forgetful", "w"), Some(Verdict::Missing));
    tells(&told, &["forgetful/w: MISSING", "wrong/w: MISMATCH", "    forgetful    none\n"]);
}

#[test]
fn a_forward_of_another_value_another_shape_and_none_at_all_is_told_of_its_source() {
    let forward = |add: f64| {
        linear(DType::F64).source("manual", &device(), linear_manual).source_forward(&device(), move |t| {
            t.get::<2>("x").matmul(t.get::<2>("w")) + t.get::<1>("b").unsqueeze() + add
        })
    };
    let other = forward(1e-6).run();
    tells(&other, &["manual: forward: MISMATCH\n  at [", ", in double precision ", ", tolerance "]);
    let none = forward(f64::NAN).run();
    assert_eq!(none.forwards[0].verdict, Verdict::NonFinite);
    tells(&none, &["manual: forward: NONFINITE\n  at [0, 0]: NaN, in double precision "]);
    let shape = linear(DType::F64).source("manual", &device(), linear_manual).source_forward(&device(), |t| {
        let output: Tensor<2> = t.get::<2>("x").matmul(t.get::<2>("w")) + t.get::<1>("b").unsqueeze();
        output.transpose()
    });
    assert_eq!(shape.run().forwards[0].verdict, Verdict::Mismatch);
}

#[test]
fn a_survivor_among_the_mutants_is_named() {
    let mutant = |mutation: &str, killed| Mutant {
        source: "manual".into(),
        tensor: "w".into(),
        mutation: mutation.into(),
        killed,
    };
    let mutants: Mutants = [mutant("sign", true), mutant("lost 1/N", false)].into_iter().collect();
    assert_eq!(mutants.to_string(), "1 of 2 mutants killed\n  survived: manual/w: lost 1/N");
    assert!(std::panic::catch_unwind(|| mutants.assert()).is_err());
}

#[test]
fn half_precisions_round_to_their_own_number_of_bits() {
    assert_eq!([DType::F16, DType::BF16].map(unit_roundoff), [1.0 / 2_048.0, 1.0 / 256.0]);
    // The spacing above 1 is twice the unit round-off.
    for dtype in [DType::F16, DType::BF16] {
        let spacing = 2.0 * unit_roundoff(dtype);
        let rounded = Value::new([2], vec![1.0 + spacing, 1.0 + 0.25 * spacing]).rounded(dtype);
        assert_eq!(rounded.data(), [1.0 + spacing, 1.0]);
    }
}
