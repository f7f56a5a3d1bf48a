//! Functions on the host, at points and with steps that are powers of two or nearly so: the tolerances can be worked
//! out by hand.

use burn::tensor::DType;

use super::*;
use crate::random::direction;
use crate::report::{Row, Worst};
use crate::{GradientSource, Variable};

/// The round-off of the sources here.
pub(crate) const U: f64 = 1.0 / (1 << 20) as f64;

pub(crate) fn options() -> Options {
    // Every output by itself, with one step.
    Options { cotangents: 0, steps: vec![0.25], ..Options::default() }
}

pub(crate) fn variable(name: &str, data: &[f64]) -> Variable {
    Variable {
        name: name.into(),
        role: Role::Input,
        value: Value::new([data.len()], data.to_vec()),
        expect_zero: false,
    }
}

pub(crate) fn problem<'a>(tensors: Vec<Variable>, f: impl Fn(&[Value]) -> Vec<f64> + 'a) -> Problem<'a> {
    Problem::new("host", DType::F64, tensors, move |values| {
        let mut y = f(values);
        // One output alone would have a random cotangent.
        y.resize(y.len().max(2), 1.0);
        Value::new([y.len()], y)
    })
}

/// With a source that says `gradient(values, output)` of the only tensor, summed over the outputs.
pub(crate) fn claims<'a>(mut problem: Problem<'a>, gradient: impl Fn(&[f64], usize) -> Vec<f64> + 'a) -> Problem<'a> {
    problem.sources.push(GradientSource::new("source", U, move |values, w| {
        let x = values[0].data();
        let mut sum = vec![0.0; x.len()];
        for (output, w) in w.data().iter().enumerate().filter(|(_, w)| **w != 0.0) {
            sum.iter_mut().zip(gradient(x, output)).for_each(|(sum, g)| *sum += w * g);
        }
        vec![Some(Value::new([sum.len()], sum))]
    }));
    problem
}

/// A source's gradient of the first output, where the second does not move.
pub(crate) fn only(gradient: impl Fn(&[f64]) -> Vec<f64>) -> impl Fn(&[f64], usize) -> Vec<f64> {
    move |x, output| if output == 0 { gradient(x) } else { vec![0.0; x.len()] }
}

fn row(problem: &Problem<'_>) -> Row {
    problem.examine(&options()).report.rows[0].clone()
}

fn worst(problem: &Problem<'_>) -> Worst {
    row(problem).worst.unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} is not {expected}");
}

/// y = (3 x₀, 5 x₁) at (2, 4), and a gradient of y₀ that is off by `error` and moves by `rate` as x₀ does.
fn two_lines(error: f64, rate: f64) -> Problem<'static> {
    let lines = problem(vec![variable("x", &[2.0, 4.0])], |values| {
        let x = values[0].data();
        vec![3.0 * x[0], 5.0 * x[1]]
    });
    claims(lines, move |x, output| match output {
        0 => vec![3.0 + error + rate * (x[0] - 2.0), 0.0],
        _ => vec![0.0, 5.0],
    })
}

/// c u (A + 4 |y₀| / 2): the terms, and the output over the element.
const STRICT: f64 = 16.0 * U * (3.0 + 4.0 * 6.0 / 2.0);

/// With the largest terms of the output that the element moves, and a quarter of a slope of 1.
const TWO_LINES: f64 = STRICT + 16.0 * U * (3.0 + 0.25);

#[test]
fn the_tolerance_of_a_wrong_element_is_that_of_the_formula() {
    let found = worst(&two_lines(1.0, 0.0));
    assert_eq!((found.index, found.cotangent.as_str()), (0, "output 0"));
    assert_near(found.difference, 3.0);
    assert_near(found.error, 1.0);
    assert!(found.tolerance.truncation < 1e-11 && found.tolerance.noise < 1e-11);
    assert_near(found.tolerance.roundoff, TWO_LINES);
}

/// By how much a run changes a number at most: 5 round-offs in one direction, 4 in another.
fn largest_change(x: f64) -> f64 {
    x * U * f64::max(5.0 * direction(x, 0).abs(), 4.0 * direction(x, 1).abs())
}

#[test]
fn four_times_the_wobble_excuses_what_is_wrong_and_nothing_that_is_right() {
    let wobble = 4.0 * largest_change(2.0);
    let found = worst(&two_lines(1.0, 1.0));
    assert!((found.tolerance.roundoff / (TWO_LINES + wobble) - 1.0).abs() < 1e-3, "{:?}", found.tolerance);
    assert_eq!(row(&two_lines(TWO_LINES + 0.98 * wobble, 1.0)).verdict, Verdict::Pass);
    // A second look changes it by 8 round-offs at most.
    assert_eq!(row(&two_lines(TWO_LINES + wobble + 4.0 * 8.0 * 2.0 * U, 1.0)).verdict, Verdict::Mismatch);
    // What passes is told with all that would pass.
    let found = worst(&two_lines(STRICT / 2.0, 1.0));
    assert!((found.tolerance.roundoff / (TWO_LINES + wobble) - 1.0).abs() < 1e-3, "{:?}", found.tolerance);
}

/// y = 3 x₀ + 2⁻¹² x₁ at (2, 2): beside the first element the second is what is left of a cancellation.
#[test]
fn eight_round_offs_of_what_cancelled_excuse_the_rest_of_it() {
    let small = 2f64.powi(-12);
    let sum = problem(vec![variable("x", &[2.0, 2.0])], move |values| {
        let x = values[0].data();
        vec![3.0 * x[0] + small * x[1]]
    });
    let found = worst(&claims(sum, only(|_| vec![3.0, 1.0])));
    assert_eq!(found.index, 1);
    let output = 4.0 * (3.0 + small);
    assert_near(found.tolerance.roundoff, 16.0 * U * (small + output + 3.0 + 0.25) + 8.0 * U * 3.0);
}

/// y = (x₀², x₁²) at (10⁶, 1): the second is judged by its own terms.
#[test]
fn a_large_neighbour_excuses_nothing() {
    let squares = problem(vec![variable("x", &[1e6, 1.0])], |values| values[0].data().iter().map(|x| x * x).collect());
    let verdict = |second: f64| {
        let gradient = move |x: &[f64], output: usize| match output {
            0 => vec![2.0 * x[0], 0.0],
            _ => vec![0.0, second],
        };
        let options = Options { cotangents: 2, jacobian: 0, ..Options::default() };
        claims(squares.clone(), gradient).examine(&options).report.rows[0].verdict
    };
    assert_eq!([2.0, 2.01, 0.0].map(verdict), [Verdict::Pass, Verdict::Mismatch, Verdict::Mismatch]);
}

#[test]
fn an_element_at_a_kink_is_not_excused_by_its_wobble() {
    let kink = problem(vec![variable("x", &[2.0])], |values| vec![(values[0].data()[0] - 2.0).abs()]);
    let tolerance = worst(&claims(kink.clone(), only(|_| vec![9.0]))).tolerance.total();
    let verdict = |beyond: f64| {
        row(&claims(kink.clone(), only(move |x| vec![1.0 + tolerance + beyond + 64.0 * (x[0] - 2.0)]))).verdict
    };
    assert_eq!([verdict(-1e-4), verdict(1e-4)].map(Verdict::is_fault), [false, true]);
}

#[test]
fn the_worst_element_has_the_largest_error_beside_its_tolerance_and_the_first_of_equals_counts() {
    // The second error is larger, and so is its tolerance.
    let lines = || {
        problem(vec![variable("x", &[2.0, 2.0])], |values| {
            let x = values[0].data();
            vec![x[0], 100.0 * x[1]]
        })
    };
    let wrong = |errors: [f64; 2]| {
        claims(lines(), move |_, output| match output {
            0 => vec![1.0 + errors[0], 0.0],
            _ => vec![0.0, 100.0 + errors[1]],
        })
    };
    assert_eq!(worst(&wrong([8.0, 9.0])).index, 0);
    assert_eq!(worst(&wrong([0.0, 9.0])).index, 1);
    let found = worst(&wrong([0.0, 0.0]));
    assert_eq!((found.index, found.cotangent.as_str()), (0, "output 0"));
}

/// The tolerance is smaller under the first output alone.
#[test]
fn of_faults_one_under_a_random_cotangent_is_shown() {
    let cotangent = |error: f64| {
        let problem = two_lines(error, 0.0);
        let options = Options { cotangents: 1, ..options() };
        problem.examine(&options).report.rows[0].worst.clone().unwrap().cotangent
    };
    assert_eq!([cotangent(1.0), cotangent(TWO_LINES / 2.0)], ["random 0", "output 0"]);
}

/// y = |x₀| + x₁ + x₂ + 1e−5 x₃ with x₀ at the kink, and a round-off that excuses as much as the last has.
#[test]
fn elements_are_counted_by_what_is_wrong_with_them() {
    let found = |gradient: [f64; 4]| {
        let sum = problem(vec![variable("x", &[0.0, 2.0, 2.0, 2.0])], |values| {
            let x = values[0].data();
            vec![x[0].abs() + x[1] + x[2] + 1e-5 * x[3]]
        });
        let mut problem = claims(sum, only(move |_| gradient.to_vec()));
        problem.sources[0].unit_roundoff = 2f64.powi(-14);
        let row = row(&problem);
        (row.verdict, row.kinks, row.mismatched, row.unresolved)
    };
    assert_eq!(found([0.5, 3.0, -1.0, 1.5e-5]), (Verdict::Mismatch, 1, 2, 1));
    assert_eq!(found([0.5, 1.0, 1.0, 1.5e-5]), (Verdict::Unresolved, 1, 0, 1));
    assert_eq!(found([0.5, 1.0, 1.0, 1e-5]), (Verdict::Kink, 1, 0, 0), "it agrees to within its own terms");
}

/// y = offset + 3 a + slope (b − 4) at a = 2, b = 4: the noise of the offset over the step hides what b does.
#[test]
fn what_is_seen_not_to_move_is_proven_to_be_zero() {
    let examined = |offset: f64, slope: f64, gradient: f64| {
        let mut problem = problem(vec![variable("a", &[2.0]), variable("b", &[4.0])], move |values| {
            let [a, b] = [0, 1].map(|tensor| values[tensor].data()[0]);
            vec![offset + (3.0 * a + slope * (b - 4.0))]
        });
        problem.sources.push(GradientSource::new("source", U, move |values, w| {
            let wobbling = gradient + (values[1].data()[0] - 4.0);
            vec![Some(Value::full([1], 3.0 * w.data()[0])), Some(Value::full([1], w.data()[0] * wobbling))]
        }));
        let options = options();
        let examination = problem.examine(&options);
        let estimate = examination.oracle().element(1, 0).estimates[0];
        let row = examination.report.rows[1].clone();
        assert_eq!(row.note.is_some(), row.verdict == Verdict::Pass);
        (row.verdict, estimate.truncation + estimate.noise)
    };
    // The energy is 3 · 2, of which 6/4 is shared, and the gradient wobbles; a second look sees at most 8 u · 4.
    let (verdict, error) = examined(0.0, 0.0, 0.0);
    assert!(verdict == Verdict::Pass && error < 1e-12, "{error}");
    let excused = 16.0 * U * 6.0 / 4.0 + 4.0 * largest_change(4.0);
    assert_eq!(examined(0.0, 0.0, 0.98 * excused).0, Verdict::Pass);
    assert_eq!(examined(0.0, 0.0, excused + 4.0 * 32.0 * U).0, Verdict::Mismatch);
    // The noise is as large as what moves elsewhere: nothing was seen.
    assert_ne!(examined(1e19, 1e-3, 0.0).0, Verdict::Pass);
}

#[test]
fn where_nothing_moves_at_all_nothing_is_proven() {
    let constant = || problem(vec![variable("x", &[2.0])], |_| vec![7.0]);
    assert_eq!(row(&claims(constant(), only(|_| vec![0.0]))).verdict, Verdict::Unobservable);
    let mut expected = constant();
    expected.tensors[0].expect_zero = true;
    assert_eq!(row(&claims(expected, only(|_| vec![0.0]))).verdict, Verdict::Pass);
    assert_eq!(row(&claims(constant(), only(|_| vec![1.0]))).verdict, Verdict::Mismatch);
}

/// y = 3 x at 2: the condition is 3 · 2.
#[test]
fn a_forward_may_be_off_by_its_value_and_its_condition() {
    let forward = |off: f64| {
        let line = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
        let mut problem = claims(line, only(|_| vec![3.0]));
        problem.sources[0].forward = Some(std::rc::Rc::new(move |_| Value::new([2], vec![6.0 + off, 1.0])));
        let options = options();
        let examination = problem.examine(&options);
        let noise = examination.oracle().forward_condition(0, 1).1;
        (examination.report.forwards[0].clone(), 256.0 * U * (6.0 + 6.0) + 16.0 * noise * U / f64::EPSILON + 16.0 * U)
    };
    let (row, tolerance) = forward(1e-4);
    assert_eq!((row.verdict, row.position, row.value, row.reference), (Verdict::Pass, vec![0], 6.0 + 1e-4, 6.0));
    assert_near(row.tolerance, tolerance);
    assert_eq!(forward(tolerance - 1e-9).0.verdict, Verdict::Pass);
    assert_eq!(forward(tolerance + 1e-9).0.verdict, Verdict::Mismatch);
    assert_eq!(forward(f64::NAN).0.verdict, Verdict::NonFinite);
    assert_eq!(forward(0.0).0.verdict, Verdict::Pass);
}

#[test]
fn the_worst_output_of_a_forward_is_the_one_furthest_beside_its_tolerance() {
    let forward = |off: [f64; 2]| {
        let lines = problem(vec![variable("x", &[2.0, 2.0])], |values| {
            let x = values[0].data();
            vec![x[0], 100.0 * x[1]]
        });
        let mut problem = claims(lines, |_, output| if output == 0 { vec![1.0, 0.0] } else { vec![0.0, 100.0] });
        problem.sources[0].forward =
            Some(std::rc::Rc::new(move |_| Value::new([2], vec![2.0 + off[0], 200.0 + off[1]])));
        problem.examine(&options()).report.forwards[0].position.clone()
    };
    assert_eq!(forward([0.5, 1.0]), [0]);
    assert_eq!(forward([0.0, 1.0]), [1]);
    assert_eq!(forward([0.0, 0.0]), [0]);
}

#[test]
fn a_function_that_is_not_one_says_where() {
    let calls = std::cell::Cell::new(0);
    let report = |f: &dyn Fn(f64) -> f64| {
        let problem = problem(vec![variable("x", &[2.0])], |values| vec![1.0, f(values[0].data()[0])]);
        let report = problem.examine(&options()).report.clone();
        (report.forwards[0].verdict, report.forwards[0].position.clone(), report.rows.len(), report.proven)
    };
    let moody = |x: f64| {
        calls.set(calls.get() + 1);
        x + f64::from(calls.get())
    };
    assert_eq!(report(&moody), (Verdict::NonDeterministic, vec![1], 0, false));
    assert_eq!(report(&|_| f64::INFINITY), (Verdict::NonFinite, vec![1], 0, false));
}

#[test]
fn nothing_is_proven_without_a_row_and_with_a_wrong_forward() {
    let line = || problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
    assert!(!line().examine(&options()).report.proven, "nobody claims anything");
    let mut wrong = claims(line(), only(|_| vec![3.0]));
    assert!(wrong.examine(&options()).report.proven);
    wrong.sources[0].forward = Some(std::rc::Rc::new(|_| Value::full([2], 60.0)));
    assert!(!wrong.examine(&options()).report.proven);
}

#[test]
fn cotangents_and_gradients_are_found_by_name() {
    let problem = two_lines(0.0, 0.0);
    let options = options();
    let examination = problem.examine(&options);
    assert!(examination.cotangents().map(|(name, _)| name).eq(["output 0", "output 1"]));
    assert_eq!(examination.gradient("source", "x", 1).unwrap().data(), [0.0, 5.0]);
    assert!(examination.gradient("nobody", "x", 1).is_none() && examination.gradient("source", "y", 1).is_none());
}

/// Of 100 elements 10 are checked. With one source it is the size that brings an element in, with two the disagreement.
#[test]
fn an_element_that_a_mutant_changes_is_chosen() {
    for (sources, changed) in [(1, 2.0), (2, 0.5)] {
        let mut problem = problem(vec![variable("x", &[1.0; 100])], |values| vec![values[0].data().iter().sum()]);
        for name in &["one", "two"][..sources] {
            problem = claims(problem, only(|_| vec![1.0; 100]));
            problem.sources.last_mut().unwrap().name = (*name).into();
        }
        let options = Options { full: 10, quota: 10, ..options() };
        let examination = problem.examine(&options);
        let chosen = examination.selected(0, None);
        let index = (0..100).find(|index| !chosen.contains(index)).unwrap();
        let mut mutant = Value::full([100], 1.0);
        mutant.set(index, changed);
        let chosen = examination.selected(0, Some((0, &[Some(&mutant), None])));
        assert!(chosen.len() == 10 && chosen.contains(&index), "{sources}: {chosen:?}");
        let short = Value::full([3], 9.0);
        assert_eq!(examination.selected(0, Some((0, &[Some(&short), None]))).len(), 10);
    }
}

#[test]
fn gradients_that_were_recorded_are_judged_under_the_cotangent_that_is_given() {
    let report = |factor: f64| {
        let mut problem =
            problem(vec![variable("x", &[1.0, -2.0])], |values| values[0].data().iter().map(|x| x * x * x).collect());
        // 3 x² w, for x = 1 and −2, w = 2 and −1.
        let gradient = Value::new([2], vec![factor * 6.0, factor * -12.0]);
        problem.sources.push(GradientSource::recorded("answer", f64::EPSILON / 2.0, vec![Some(gradient)]));
        let options = Options { cotangent: Some(Value::new([2], vec![2.0, -1.0])), ..Options::default() };
        problem.examine(&options).report().clone()
    };
    assert_eq!(report(1.0).verdict("answer", "x"), Some(Verdict::Pass));
    let wrong = report(2.0).row("answer", "x").unwrap().clone();
    assert_eq!(wrong.verdict, Verdict::Mismatch);
    assert!(wrong.diagnosis.unwrap().contains("2 times"));
}
