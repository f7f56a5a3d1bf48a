//! Sources of y = 3x whose gradient has noise, seldom enough that the points of a run miss it.

use crate::examine::tests::{U, problem, variable};
use crate::judge::Answer;
use crate::judgement::Claim;
use crate::random::direction;
use crate::report::Tolerance;
use crate::{GradientSource, Options, Problem, Value, Verdict};

/// A gradient that is off by `error`, and by as much the other way at one point in fourteen beside the point.
fn noisy(error: f64) -> Problem<'static> {
    let mut line = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
    line.sources.push(GradientSource::new("noisy", U, move |values, w| {
        let x = values[0].data()[0];
        let rare = x != 2.0 && direction(x, 4) > 0.93;
        let off = if rare { -error } else { error };
        vec![Some(Value::new([1], vec![w.data()[0] * (3.0 + off)]))]
    }));
    line
}

fn options(seed: u64) -> Options {
    Options { seed, cotangents: 1, jacobian: 0, ..Options::default() }
}

#[test]
fn noise_that_is_seldom_is_not_called_wrong() {
    let (problem, options) = (noisy(1e-3), options(0));
    let examination = problem.examine(&options);
    let run = examination.runs[0].run().unwrap();
    assert!(run.wobble[0][0][0].full < 1e-4, "the run has not seen it: {:?}", run.wobble);
    assert!(!examination.report().rows[0].verdict.is_fault(), "{}", examination.report());
    let spread = examination.spread([0, 0, 0, 0], 1e-3, 0.1);
    assert!(spread > 4e-3, "{spread:e}");
}

#[test]
fn what_is_off_at_every_point_is_called_wrong() {
    let mut line = noisy(0.0);
    line.sources = vec![GradientSource::new("off", U, |_, w| vec![Some(Value::new([1], vec![w.data()[0] * 3.001]))])];
    let options = options(0);
    let examination = line.examine(&options);
    assert_eq!(examination.report().rows[0].verdict, Verdict::Mismatch);
    assert!(examination.spread([0, 0, 0, 0], 1e-3, 0.1) < 1e-5);
}

#[test]
fn an_error_far_beyond_the_tolerance_is_no_round_off() {
    let (problem, options) = (noisy(1e-3), options(0));
    let examination = problem.examine(&options);
    assert_eq!(examination.spread([0, 0, 0, 0], 1.0, 0.1), 0.0);
    assert!(examination.spreads.borrow().len() <= 1);
}

/// What an answer becomes that is off by `error`, with a tolerance of as much, where the source has noise.
fn allowed(noise: f64, error: f64) -> (Verdict, f64) {
    let options = Options { cotangents: 0, ..Options::default() };
    let problem = noisy(noise);
    let examination = problem.examine(&options);
    let gradients = examination.runs[0].run().unwrap().of(0);
    let claim = Claim { source: 0, tensor: 0, gradients: &gradients };
    let tolerance = Tolerance { truncation: 0.0, noise: 0.0, roundoff: error };
    let mut answer = Answer { verdict: Verdict::Mismatch, error: 1.001 * error, tolerance, beside_kink: false };
    examination.allow_spread(&claim, 0, 0, &mut answer);
    (answer.verdict, answer.tolerance.roundoff - error)
}

#[test]
fn noise_excuses_as_far_as_it_may_be_round_off_and_is_small_beside_the_gradient() {
    let (verdict, spread) = allowed(2e-4, 5e-3);
    assert_eq!(verdict, Verdict::Pass);
    assert!((1.4e-3..1.7e-3).contains(&spread), "four times the change of 4e-4: {spread:e}");
    // More than 256 round-offs of everything that may have cancelled proves nothing,
    assert_eq!(allowed(1e-3, 5e-3).0, Verdict::Unresolved);
    // nor does a tolerance of more than a hundredth of the gradient.
    assert_eq!(allowed(2e-4, 0.05).0, Verdict::Unresolved);
}

#[test]
fn an_error_beyond_the_noise_stays_as_it_was() {
    assert_eq!(allowed(0.0, 1e-2), (Verdict::Mismatch, 0.0));
}
