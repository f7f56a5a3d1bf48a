//! Sources of y = x³ in a precision that is so coarse that an intermediate result is the same at all near points.

use crate::examine::tests::{problem, variable};
use crate::{Options, Source, Value, Verdict};

/// The verdict on `gradient` of y = x³ at 1, whose source claims a round-off of 2⁻²⁴.
fn verdict(gradient: impl Fn(f64) -> f64 + 'static) -> Verdict {
    let mut cube = problem(vec![variable("x", &[1.0])], |values| vec![values[0].data()[0].powi(3)]);
    cube.sources.push(Source::new("source", 2f64.powi(-24), move |values, w| {
        vec![Some(Value::new([1], vec![w.data()[0] * gradient(values[0].data()[0])]))]
    }));
    let options = Options { cotangents: 1, jacobian: 0, ..Options::default() };
    cube.examine(&options).report().rows[0].verdict
}

/// Rounded to a multiple of `quantum`, and 0.3 of one off.
fn coarse(quantum: f64) -> impl Fn(f64) -> f64 {
    move |x| quantum * ((3.0 * x * x / quantum).round() + 0.3)
}

#[test]
fn a_plateau_of_rounding_is_not_called_wrong() {
    assert_eq!(verdict(coarse(1e-4)), Verdict::Unresolved);
}

#[test]
fn an_error_of_one_sign_is_wrong_wherever_it_is_looked_at() {
    assert_eq!(verdict(|x| 3.0 * x * x + 3e-5), Verdict::Mismatch);
    assert_eq!(verdict(|x| 3.0 * x * x * (1.0 + 3e-5)), Verdict::Mismatch);
}

#[test]
fn an_error_near_the_point_alone_is_wrong() {
    assert_eq!(verdict(|x| 3.0 * x * x + if (x - 1.0).abs() < 1e-4 { 3e-5 } else { 0.0 }), Verdict::Mismatch);
}

#[test]
fn an_error_beyond_what_is_seen_elsewhere_is_wrong() {
    let rounded = coarse(5e-5);
    assert_eq!(verdict(move |x| rounded(x) + if (x - 1.0).abs() < 1e-4 { 1.2e-4 } else { 0.0 }), Verdict::Mismatch);
}
