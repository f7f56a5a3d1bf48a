use super::*;
use crate::GradientSource;
use crate::examine::tests::{U, claims, only, options, problem, variable};

/// y = 3 x at 2, with a source that says 3 + `error` and moves by `rate` as x does.
fn line(error: f64, rate: f64) -> Problem<'static> {
    let line = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
    claims(line, only(move |x| vec![3.0 + error + rate * (x[0] - 2.0)]))
}

/// With a named mutant that says `gradient` of the first output.
fn with_mutant<'a>(mut problem: Problem<'a>, name: &str, gradient: Value, roundoff: f64) -> Problem<'a> {
    problem.mutants.push(GradientSource::new(name, roundoff, move |_, w| {
        vec![Some(gradient.map_data(gradient.data().iter().map(|g| w.data()[0] * g).collect()))]
    }));
    problem
}

fn scalar(x: f64) -> Value {
    Value::full([1], x)
}

/// How many named mutants were tried, and how many of them were killed.
fn control(problem: &Problem<'_>) -> (usize, usize) {
    let options = options();
    let mutants = problem.examine(&options).mutants();
    let named: Vec<&Mutant> = mutants.tried.iter().filter(|mutant| mutant.source == Mutant::NAMED).collect();
    // A thousandth of a gradient may be left out too, for the round-off of its source.
    let thousandth = crate::Mutation::Thousandth.to_string();
    let left_out = mutants.left_out.iter().filter(|left_out| left_out.mutation != thousandth).count();
    assert_eq!(named.len() + left_out, problem.mutants.len());
    (named.len(), named.iter().filter(|mutant| mutant.killed).count())
}

fn tried(problem: Problem<'_>, gradient: f64, roundoff: f64) -> bool {
    control(&with_mutant(problem, "mutant", scalar(gradient), roundoff)).0 == 1
}

/// 256 round-offs of the gradient, and 16 of what is shared, 3 · 2 over a scale of 2: 816 in all.
#[test]
fn a_mutant_that_differs_by_rounding_is_left_out() {
    for (roundoff, factor) in [(0.0, 1.0), (4.0 * U, 4.0)] {
        let tried = |roundoffs: f64| tried(line(0.0, 0.0), 3.0 + factor * roundoffs * U, roundoff);
        assert_eq!([815.0, 816.0, 817.0].map(tried), [false, false, true], "{factor}");
    }
    // Four times the 10 that the source's own gradient moves.
    let tried = |roundoffs: f64| tried(line(0.0, 1.0), 3.0 + roundoffs * U, 0.0);
    assert_eq!([tried(855.0), tried(857.0)], [false, true]);
}

#[test]
fn what_is_not_a_number_or_has_another_shape_is_a_change() {
    assert!(tried(line(0.0, 0.0), f64::NAN, 0.0));
    assert_eq!(control(&with_mutant(line(0.0, 0.0), "shape", Value::full([1, 1], 3.0), 0.0)), (1, 1));
}

#[test]
fn what_a_kink_allows_is_no_change() {
    let kink = || {
        let kink = problem(vec![variable("x", &[0.0])], |values| vec![values[0].data()[0].abs()]);
        let mut problem = claims(kink, only(|_| vec![0.5]));
        problem.tensors[0].expect_zero = true;
        problem
    };
    let tried = |gradient: f64| {
        let problem = with_mutant(kink(), "mutant", scalar(gradient), 0.0);
        // Under a random cotangent alone, so that nothing but the kink is looked at.
        let options = crate::Options { cotangents: 1, jacobian: 0, ..options() };
        let mutants = problem.examine(&options).mutants();
        mutants.tried.iter().any(|mutant| mutant.source == Mutant::NAMED)
    };
    assert_eq!([tried(-0.5), tried(5.0)], [false, true]);
}

#[test]
fn a_mutant_is_killed_by_the_least_exact_source_that_is_proven() {
    let control = |roundoffs: [f64; 2], gradients: [f64; 2]| {
        let mut problem = line(0.0, 0.0);
        problem.sources.clear();
        for (name, (roundoff, gradient)) in ["one", "two"].into_iter().zip(roundoffs.into_iter().zip(gradients)) {
            problem = claims(problem, only(move |_| vec![gradient]));
            let source = problem.sources.last_mut().unwrap();
            (source.name, source.unit_roundoff) = (name.into(), roundoff * U);
        }
        control(&with_mutant(problem, "mutant", scalar(3.0 + 2000.0 * U), 0.0))
    };
    assert_eq!(control([1.0, 2.0], [3.0, 3.0]), (1, 1));
    // With 16 times the round-off the difference passes.
    assert_eq!(control([1.0, 16.0], [3.0, 3.0]), (1, 0));
    assert_eq!(control([16.0, 1.0], [3.0, 3.0]), (1, 0));
    assert_eq!(control([1.0, 16.0], [3.0, 9.0]), (1, 1), "who is wrong does not judge");
    assert_eq!(control([16.0, 1.0], [9.0, 3.0]), (1, 1));
    assert_eq!(control([1.0, 1.0], [9.0, 9.0]), (0, 0), "nobody is right");
}

/// The name by which a source that is off by `error` is recognised.
fn recognised(problem: &Problem<'_>) -> Option<String> {
    let diagnosis = problem.examine(&options()).report.rows[0].diagnosis.clone()?;
    problem.mutants.iter().map(|mutant| mutant.name.clone()).find(|name| *name == diagnosis)
}

/// 64 round-offs of the larger gradient, 4, are 256.
#[test]
fn a_fault_is_recognised_to_within_round_off() {
    let recognised = |rate: f64, roundoffs: f64, roundoff: f64| {
        recognised(&with_mutant(line(1.0, rate), "fault", scalar(4.0 + roundoffs * U), roundoff)).is_some()
    };
    assert_eq!([-256.0, 255.0, 258.0].map(|roundoffs| recognised(0.0, roundoffs, 0.0)), [true, true, false]);
    assert_eq!([recognised(0.0, 510.0, 2.0 * U), recognised(0.0, 516.0, 2.0 * U)], [true, false]);
    assert_eq!([recognised(1.0, 295.0, 0.0), recognised(1.0, 298.0, 0.0)], [true, false], "and four times the wobble");
    assert!(!recognised(0.0, f64::NAN, 0.0));
}

#[test]
fn a_fault_is_recognised_to_within_a_quarter_of_its_error() {
    let error = 600.0 * U;
    let recognised = |of_error: f64| {
        recognised(&with_mutant(line(error, 0.0), "fault", scalar(3.0 + error + of_error * error), 0.0))
    };
    assert_eq!([recognised(0.24), recognised(0.26)], [Some("fault".into()), None]);
}

#[test]
fn the_nearest_fault_of_the_same_shape_is_recognised() {
    let with = |first: Value| with_mutant(with_mutant(line(1.0, 0.0), "far", first, 0.0), "near", scalar(4.0), 0.0);
    assert_eq!(recognised(&with(scalar(4.0 + 100.0 * U))).unwrap(), "near");
    let shape = with_mutant(line(1.0, 0.0), "shape", Value::full([1, 1], 4.0), 0.0);
    assert_eq!(recognised(&shape), None);
}
