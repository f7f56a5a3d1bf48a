//! Sources of y = x³ in a precision that is so coarse that an intermediate result is the same at all near points.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::examine::tests::{U, claims, only, problem, variable};
use crate::random::direction;
use crate::report::Tolerance;
use crate::{GradientSource, Options, Problem};

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

/// A source of y = 3x that is off by `here` at 1, and elsewhere by `up` or `down`.
fn off([here, up, down]: [f64; 3]) -> Problem<'static> {
    let mut line = problem(vec![variable("x", &[1.0])], |values| vec![3.0 * values[0].data()[0]]);
    line.sources.push(GradientSource::new("source", 2f64.powi(-24), move |values, w| {
        let x = values[0].data()[0];
        let off = match x == 1.0 {
            true => here,
            false if direction(x, 0) > 0.0 => up,
            false => down,
        };
        vec![Some(Value::new([1], vec![w.data()[0] * (3.0 + off)]))]
    }));
    line
}

/// Whether such errors look like round-off, where 1e-5 is tolerated.
fn is_round_off(errors: [f64; 3]) -> bool {
    let options = Options { cotangents: 0, ..Options::default() };
    let problem = off(errors.map(|error| 1e-5 * error));
    let examination = problem.examine(&options);
    let gradients = examination.runs[0].run().unwrap().of(0);
    let tolerance = Tolerance { truncation: 0.0, noise: 0.0, roundoff: 1e-5 };
    let answer = Answer { verdict: Verdict::Mismatch, error: 1e-5 * errors[0].abs(), tolerance, beside_kink: false };
    examination.is_round_off(&Claim { source: 0, tensor: 0, gradients: &gradients }, 0, 0, &answer)
}

#[test]
fn errors_elsewhere_are_round_off_if_they_are_as_large_and_of_both_signs() {
    assert!(is_round_off([5.0, 4.0, -4.0]) && is_round_off([-5.0, 4.0, -4.0]));
    assert!(is_round_off([5.0, 3.0, -1.0]) && is_round_off([5.0, 1.0, -3.0]), "a little of the other sign");
    assert!(!is_round_off([5.0, 4.0, -0.4]), "less than a tenth of it");
    assert!(!is_round_off([5.0, 2.0, -2.0]), "less than half of it");
    assert!(!is_round_off([5.0, 4.0, 4.0]) && !is_round_off([5.0, 0.0, 0.0]));
    assert!(!is_round_off([11.0, 11.0, -11.0]), "more than ten times the tolerance here");
    assert!(is_round_off([5.0, 29.0, -29.0]), "thirty times there is as much as round-off may be");
    assert!(!is_round_off([5.0, 31.0, -5.0]) && !is_round_off([5.0, 5.0, -31.0]), "and no more");
}

/// y = x⁵, by a step that is too long to know more, or too short: that is no measure of the source's errors.
#[test]
fn errors_below_what_differences_know_are_not_looked_at() {
    let error = Rc::new(Cell::new(0.0));
    let of_source = error.clone();
    let mut power = problem(vec![variable("x", &[1.0])], |values| vec![values[0].data()[0].powi(5)]);
    power.sources.push(GradientSource::new("source", 2f64.powi(-24), move |values, w| {
        let x = values[0].data()[0];
        let off = if x == 1.0 || direction(x, 0) > 0.0 { of_source.get() } else { -of_source.get() };
        vec![Some(Value::new([1], vec![w.data()[0] * (5.0 * x.powi(4) + off)]))]
    }));
    for step in [1e-4, 1e-7] {
        let options = Options { cotangents: 0, steps: vec![step], ..Options::default() };
        let examination = power.examine(&options);
        let truth = examination.oracle().element(0, 0).estimates[0];
        let [more, less] = if step > 1e-5 { [truth.truncation, truth.noise] } else { [truth.noise, truth.truncation] };
        assert!(truth.clean && more > 3.0 * less, "{truth:?}");
        let is_round_off = |off: f64| {
            error.set(off);
            let gradient = Value::full([1], truth.derivative + off);
            let tolerance = Tolerance { truncation: 0.0, noise: 0.0, roundoff: off / 5.0 };
            let answer = Answer { verdict: Verdict::Mismatch, error: off, tolerance, beside_kink: false };
            examination.is_round_off(&Claim { source: 0, tensor: 0, gradients: &[Some(&gradient)] }, 0, 0, &answer)
        };
        assert!(is_round_off(20.0 * more) && !is_round_off(5.0 * more), "{truth:?}");
    }
}

/// y = |x − kink| at 2, of a source that knows the kink, but for an error beside it; and where it is asked.
fn beside(error: f64) -> (bool, f64, Vec<f64>) {
    let kink = 2.0 + 4e-5;
    let asked = Rc::new(RefCell::new(Vec::new()));
    let heard = asked.clone();
    let mut absolute = problem(vec![variable("x", &[2.0])], move |values| vec![(values[0].data()[0] - kink).abs()]);
    absolute.sources.push(GradientSource::new("source", U, move |values, w| {
        let x = values[0].data()[0];
        heard.borrow_mut().push(x);
        vec![Some(Value::new([1], vec![w.data()[0] * (if x > kink { 1.0 } else { -1.0 } + error)]))]
    }));
    let options = Options { cotangents: 0, ..Options::default() };
    let examination = absolute.examine(&options);
    let near = examination.oracle().element(0, 0).estimates[0].near.expect("a kink beside the point");
    let gradient = Value::full([1], 1.0);
    asked.borrow_mut().clear();
    let right = examination.right_beside(&Claim { source: 0, tensor: 0, gradients: &[Some(&gradient)] }, 0, 0);
    drop(examination);
    (right, near.within, asked.take())
}

#[test]
fn a_source_is_asked_on_both_sides_of_a_kink_and_no_further_away_than_its_round_off_reaches() {
    let (right, within, asked) = beside(0.0);
    assert!(right);
    let furthest = 2.0 * NEAR * U;
    assert!(4.0 * within < furthest && furthest < 64.0 * within, "{within:e}");
    let steps = [4.0 * within, f64::min(16.0 * within, furthest), furthest];
    let expected = [-1.0, 1.0].into_iter().flat_map(|side| steps.map(|step| 2.0 + 2.0 * side * step));
    assert!(asked.iter().zip(expected.clone()).all(|(x, expected)| (x - expected).abs() < 1e-12), "{asked:?}");
    assert_eq!(asked.len(), expected.count());
}

#[test]
fn beside_a_kink_a_source_may_be_off_by_a_twentieth_of_it() {
    assert!(beside(0.09).0 && beside(-0.09).0 && !beside(0.11).0 && !beside(-0.11).0);
}

/// y = |x| at 0: all derivatives beside it lie from −1 to 1.
#[test]
fn a_subgradient_may_be_outside_of_the_others_by_the_slack() {
    let absolute = problem(vec![variable("x", &[0.0])], |values| vec![values[0].data()[0].abs()]);
    let absolute = claims(absolute, only(|_| vec![0.5]));
    let options = Options { cotangents: 0, ..Options::default() };
    let examination = absolute.examine(&options);
    let is_one = |gradient: f64| {
        let gradient = Value::full([1], gradient);
        examination.is_subgradient(&Claim { source: 0, tensor: 0, gradients: &[Some(&gradient)] }, 0, 0, 0.125)
    };
    assert!([-1.1, -1.0, 0.0, 1.0, 1.1].into_iter().all(is_one));
    assert!(![-9.0, -1.15, 1.15, 9.0].into_iter().any(is_one));
}
