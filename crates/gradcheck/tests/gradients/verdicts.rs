use std::cell::Cell;

use backproof_gradcheck::{Check, GradientSource, Gradients, Problem, Role, Value, Variable, Verdict, unit_roundoff};
use burn::tensor::{DType, Tensor, activation};

use crate::common::*;

/// `f` of one tensor on the host, and a source of its gradient.
fn host<'a>(
    x: Value,
    forward: impl Fn(f64) -> f64 + 'a,
    gradient: impl Fn(&Value, &Value) -> Option<Value> + 'a,
) -> Problem<'a> {
    let map = move |x: &Value| Value::new(x.dims(), x.data().iter().map(|&x| forward(x)).collect());
    let tensors = vec![Variable { name: "x".into(), role: Role::Input, value: x, expect_zero: false }];
    let source = GradientSource::new("host", unit_roundoff(DType::F64), move |values, w| vec![gradient(&values[0], w)]);
    Problem { sources: vec![source], ..Problem::new("host", DType::F64, tensors, move |values| map(&values[0])) }
}

fn each(x: &Value, w: &Value, derivative: impl Fn(f64) -> f64) -> Option<Value> {
    let data = x.data().iter().zip(w.data()).map(|(&x, w)| w * derivative(x)).collect();
    Some(Value::new(x.dims(), data))
}

fn verdict(problem: &Problem<'_>) -> Verdict {
    let options = Default::default();
    let examination = problem.examine(&options);
    let report = examination.report();
    match report.rows.first() {
        Some(row) => row.verdict,
        None => report.forwards[0].verdict,
    }
}

#[test]
fn a_kink_is_accepted_between_its_sides_and_rejected_outside() {
    for (gradient, expected) in [
        (-1.0, Verdict::Kink),
        (0.0, Verdict::Kink),
        (0.3, Verdict::Kink),
        (1.0, Verdict::Kink),
        (1.01, Verdict::Mismatch),
        (-1.5, Verdict::Mismatch),
    ] {
        let x = Value::new([3], vec![1.5, 0.0, -2.0]);
        let derivative = move |x: f64| if x == 0.0 { gradient } else { x.signum() };
        let problem = host(x, f64::abs, move |x, w| each(x, w, derivative));
        assert_eq!(verdict(&problem), expected, "{gradient}");
    }
}

#[test]
fn a_kink_beside_the_point_is_stepped_around() {
    for distance in [1e-3, 3e-4, 1e-4, 2e-5, 3e-6] {
        let x = Value::new([3], vec![1.5, distance, -distance]);
        let problem = host(x, f64::abs, |x, w| each(x, w, f64::signum));
        assert_eq!(verdict(&problem), Verdict::Pass, "{distance}");
        let x = Value::new([3], vec![1.5, distance, -distance]);
        let problem = host(x, f64::abs, |x, w| each(x, w, |_| 1.0));
        assert_eq!(verdict(&problem), Verdict::Mismatch, "{distance}");
    }
}

#[test]
fn a_smooth_point_where_all_derivatives_up_to_the_third_vanish_is_no_kink() {
    let x = Value::new([2], vec![1.0, 0.0]);
    let problem = host(x, |x| x.powi(4), |x, w| each(x, w, |x| 4.0 * x.powi(3)));
    assert_eq!(verdict(&problem), Verdict::Pass);
}

#[test]
fn nan_is_not_finite() {
    let x = Value::new([2], vec![1.0, 0.0]);
    let problem = host(x, |x| x.abs(), |x, w| each(x, w, |x| x / x.abs()));
    assert_eq!(verdict(&problem), Verdict::NonFinite);
    let problem = host(Value::new([1], vec![-1.0]), f64::ln, |x, w| each(x, w, |x| 1.0 / x));
    assert_eq!(verdict(&problem), Verdict::NonFinite, "the forward");
}

#[test]
fn an_infinite_slope_is_unresolved() {
    let x = Value::new([2], vec![1.0, 0.0]);
    let problem = host(x, |x| x.cbrt(), |x, w| each(x, w, |x| if x == 0.0 { 1e3 } else { x.cbrt().powi(-2) / 3.0 }));
    assert!(!verdict(&problem).proven());
}

#[test]
fn a_function_buried_in_noise_is_no_pass_and_no_mismatch() {
    // What is left of 1e8 after a cancellation rounds by far more than the rest moves.
    let verdict = |slope: f64| {
        let left = move |x: f64| ((1e8 + x) - 1e8 - x) + slope * x;
        let problem = host(Value::normal([4], 1), left, move |x, w| each(x, w, |_| slope));
        verdict(&problem)
    };
    for slope in [1e-9, 1e-8] {
        assert!(!verdict(slope).proven() && !verdict(slope).is_fault(), "{slope:e}");
    }
    // A step that is a hundred times as long as the element sees it.
    assert!(!verdict(1e-7).is_fault());
}

#[test]
fn a_zero_that_differences_show_beside_what_moves_is_proven() {
    let check = Check::new("unused").input("x", Value::normal([2, 3], 1)).parameter("unused", Value::normal([2], 2));
    let report = check.forward(&device(), |t| t.get::<2>("x").exp()).autodiff(&device()).run();
    assert_eq!(report.verdict("autodiff", "unused"), Some(Verdict::Pass));
    report.assert();
}

#[test]
fn a_zero_of_a_function_that_never_moves_is_unobservable_unless_it_is_expected() {
    let check = || Check::new("one class").input("x", Value::normal([2, 1], 1));
    let finish = |check: Check<'static>| {
        check.forward(&device(), |t| activation::softmax(t.get::<2>("x"), 1)).autodiff(&device()).run()
    };
    let report = finish(check());
    assert_eq!(report.verdict("autodiff", "x"), Some(Verdict::Unobservable));
    assert!(!report.proven && report.faults() == 0);
    finish(check().expect_zero()).assert();
}

#[test]
fn a_gradient_where_nothing_moves_is_a_mismatch() {
    let problem = host(Value::normal([4], 1), |_| 1.0, |x, w| each(x, w, |_| 1.0));
    assert_eq!(verdict(&problem), Verdict::Mismatch);
}

#[test]
fn a_detached_tensor_is_missing() {
    let report = Check::new("detached")
        .input("x", Value::normal([2, 3], 1))
        .parameter("w", Value::normal([2, 3], 2))
        .forward(&device(), |t| t.get::<2>("x") * t.get::<2>("w").detach())
        .autodiff(&device())
        .run();
    assert_eq!(report.verdict("autodiff", "x"), Some(Verdict::Pass));
    assert_eq!(report.verdict("autodiff", "w"), Some(Verdict::Missing));
    assert!(report.to_string().contains("detached"), "{report}");
}

#[test]
fn a_source_that_changes_its_mind_is_non_deterministic() {
    let calls = Cell::new(0);
    let problem = host(Value::normal([4], 1), f64::exp, move |x, w| {
        calls.set(calls.get() + 1);
        each(x, w, |x| x.exp() * (1.0 + 1e-15 * f64::from(calls.get() % 2)))
    });
    assert_eq!(verdict(&problem), Verdict::NonDeterministic);
    let calls = Cell::new(0.0);
    let forward = move |x: f64| {
        calls.set(calls.get() + 1e-3);
        x + calls.get()
    };
    let problem = host(Value::normal([4], 1), forward, |x, w| each(x, w, |_| 1.0));
    assert_eq!(verdict(&problem), Verdict::NonDeterministic, "the forward");
}

#[test]
fn a_source_without_a_device_is_skipped_and_proves_nothing() {
    let report = linear(DType::F32).autodiff(&device()).add(GradientSource::skipped("cuda", "no CUDA device")).run();
    assert_eq!(report.verdict("cuda", "x"), Some(Verdict::Skipped));
    assert!(!report.proven && report.faults() == 0);
    assert!(report.to_string().contains("no CUDA device"), "{report}");
}

#[test]
fn another_forward_is_a_mismatch_even_if_its_gradient_is_right() {
    let report = linear(DType::F64)
        .source("manual", &device(), linear_manual)
        .source_forward(&device(), |t| t.get::<2>("x").matmul(t.get::<2>("w")) + t.get::<1>("b").unsqueeze() + 1e-6)
        .run();
    assert!(report.rows.iter().all(|row| row.verdict.proven()), "{report}");
    assert_eq!(report.forwards[0].verdict, Verdict::Mismatch);
    assert!(!report.proven);
}

#[test]
fn the_wrong_shape_is_said() {
    let report = linear(DType::F64).source("manual", &device(), linear_backward).run();
    let row = report.row("manual", "b").unwrap();
    assert_eq!(row.diagnosis.as_deref(), Some("the gradient's dimensions are [1, 3], the tensor's [3]"));
}

#[test]
fn if_all_sources_agree_against_them_the_differences_are_the_odd_one_out() {
    // All sources differentiate the tanh approximation of a GELU whose forward is exact.
    let gelu = |t: &backproof_gradcheck::Arguments<'_>| burn::tensor::activation::gelu(t.get::<2>("x"));
    let approximate = |t: &backproof_gradcheck::Arguments<'_>| {
        let (x, root) = (t.get::<2>("x"), (2.0 / std::f64::consts::PI).sqrt());
        let inner: Tensor<2> = (x.clone() + x.clone().powi_scalar(3) * 0.044715) * root;
        let tanh = inner.tanh();
        let slope = (-tanh.clone().square() + 1) * (x.clone().square() * (3.0 * 0.044715) + 1) * root;
        Gradients::new().with("x", t.cotangent::<2>() * ((tanh + 1) + x * slope) * 0.5)
    };
    let report = Check::new("gelu")
        .dtype(DType::F32)
        .input("x", Value::normal([5, 6], 1))
        .forward(&device(), gelu)
        .source("one", &device(), approximate)
        .source("two", &device(), approximate)
        .run();
    let row = report.row("one", "x").unwrap();
    assert_eq!(row.verdict, Verdict::Mismatch);
    assert_eq!(row.odd_one_out.as_deref(), Some("finite differences"), "{report}");
    assert!(row.sweep.as_ref().unwrap().stays);
    assert!(report.to_string().contains("stays: a wrong gradient"), "{report}");
}
