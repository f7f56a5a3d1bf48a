//! Sources of y = x³ in a precision that is so coarse that an intermediate result is the same at all near points.

use crate::examine::tests::{problem, variable};
use crate::{GradientSource, Options, Value, Verdict};

/// The verdict on `gradient` of y = x³ at 1, whose source claims a round-off of 2⁻²⁴.
fn verdict(gradient: impl Fn(f64) -> f64 + 'static) -> Verdict {
    let mut cube = problem(vec![variable("x", &[1.0])], |values| vec![values[0].data()[0].powi(3)]);
    cube.sources.push(GradientSource::new("source", 2f64.powi(-24), move |values, w| {
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

/// The verdict on the gradient of a function of four equal elements, all of which get these.
fn of_equals(f: fn(&[f64]) -> f64, gradient: [f64; 4]) -> Verdict {
    let mut equals = problem(vec![variable("x", &[2.0; 4])], move |values| vec![f(values[0].data())]);
    equals.sources.push(GradientSource::new("source", 2f64.powi(-53), move |_, w| {
        vec![Some(Value::new([4], gradient.map(|g| w.data()[0] * g).to_vec()))]
    }));
    let options = Options { jacobian: 0, ..Options::default() };
    equals.examine(&options).report().rows[0].verdict
}

fn lower_median(x: &[f64]) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[1]
}

/// No element moves the median alone, and all of them together move it by one.
#[test]
fn of_four_equal_elements_one_may_have_the_gradient_of_the_median() {
    assert_eq!(of_equals(lower_median, [0.0, 1.0, 0.0, 0.0]), Verdict::Kink);
    assert_eq!(of_equals(lower_median, [0.25; 4]), Verdict::Kink, "they may share it");
    assert_eq!(of_equals(lower_median, [1.0; 4]), Verdict::Mismatch, "but no more than that");
    assert_eq!(of_equals(lower_median, [0.0, 2.0, 0.0, -1.0]), Verdict::Mismatch, "no order leads to that");
}

#[test]
fn what_a_smooth_function_does_nearby_does_not_excuse_equal_elements() {
    let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
    assert_eq!(of_equals(square, [4.0; 4]), Verdict::Pass);
    assert_eq!(of_equals(square, [4.0 + 1e-6; 4]), Verdict::Mismatch);
}

/// A sort may put each of twenty equal elements into every place.
#[test]
fn any_place_among_many_equal_elements_is_right() {
    let verdict = |factor: f64| {
        let weights: Vec<f64> = (1..=20).map(f64::from).collect();
        let place = |index: usize| {
            if index == 0 {
                13
            } else if index == 13 {
                0
            } else {
                index
            }
        };
        let gradient: Vec<f64> = (0..20).map(|index| factor * weights[place(index)]).collect();
        let mut sort = problem(vec![variable("x", &[2.0; 20])], move |values| {
            let mut x = values[0].data().to_vec();
            x.sort_by(f64::total_cmp);
            vec![x.iter().zip(&weights).map(|(x, w)| w * x).sum()]
        });
        sort.sources.push(GradientSource::new("source", 2f64.powi(-53), move |_, w| {
            vec![Some(Value::new([20], gradient.iter().map(|g| w.data()[0] * g).collect()))]
        }));
        let options = Options { cotangents: 1, jacobian: 0, ..Options::default() };
        sort.examine(&options).report().rows[0].verdict
    };
    assert_eq!(verdict(1.0), Verdict::Kink);
    assert_eq!(verdict(1.5), Verdict::Mismatch, "together they say more than the function does");
}
