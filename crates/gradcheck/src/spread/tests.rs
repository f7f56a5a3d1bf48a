//! Sources of y = 3x whose gradient has noise, seldom enough that the points of a run miss it.

use crate::examine::tests::{U, problem, variable};
use crate::random::direction;
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
