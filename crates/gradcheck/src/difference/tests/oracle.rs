//! The differences of whole functions. All steps are powers of two, so that the numbers are exact.

use std::cell::Cell;

use super::*;
use crate::sweep::SHORTEST;

/// An oracle of `f` at `x` with these relative steps and weights of the outputs, and how often it has called `f` since
/// it was made.
fn oracle(
    f: impl Fn(&[f64]) -> (Vec<f64>, Option<u64>) + 'static,
    x: &[f64],
    steps: &[f64],
    w: &[f64],
    roundoff: f64,
) -> (Oracle<'static>, Rc<Cell<usize>>) {
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let forward: Evaluation<'static> = Rc::new(move |values| {
        count.set(count.get() + 1);
        let (y, fingerprint) = f(values[0].data());
        (Value::new([y.len()], y), fingerprint)
    });
    let values = vec![Value::new([x.len()], x.to_vec())];
    let center = forward(&values);
    let cotangents = vec![Cotangent { name: "weights".into(), value: Value::new([w.len()], w.to_vec()), only: None }];
    let options = Options { steps: steps.to_vec(), ..Options::default() };
    let double = Precision(burn::tensor::DType::F64);
    let oracle = Oracle::new(Place::new(forward, double, values, |_| true, center, cotangents, &options, roundoff));
    calls.set(0);
    (oracle, calls)
}

fn cubes(x: &[f64]) -> (Vec<f64>, Option<u64>) {
    (vec![x[0].powi(3), x[1].powi(2)], None)
}

#[test]
fn a_cube_at_two_has_the_differences_worked_out_by_hand() {
    let (oracle, calls) = oracle(cubes, &[2.0, 2.0], &[0.25], &[2.0, -3.0], 0.0);
    // The step is 1/2: 12 + 1/4 between the outer points, 12 + 1/16 between the inner ones, 12 extrapolated.
    let found = measured(&oracle, 0.5);
    assert_eq!((found.derivative, found.truncation, found.magnitude), (24.0, 0.5, 24.0));
    assert!(found.noise > 0.0 && found.noise < 1e-13);
    assert_eq!(oracle.central(0, 0, 0, 0.25), (0.5, 24.5));
    assert_eq!(calls.get(), 6);
}

#[test]
fn what_was_found_is_remembered() {
    let (oracle, calls) = oracle(cubes, &[2.0, 2.0], &[1e-4], &[2.0, -3.0], 0.0);
    let first = oracle.element(0, 0).estimates[0].derivative;
    assert_eq!((oracle.element(0, 0).estimates[0].derivative, calls.get()), (first, 4));
}

#[test]
fn the_condition_of_the_forward_is_estimated_from_the_elements_seen() {
    let lines = |x: &[f64]| (vec![3.0 * x[0], 5.0 * x[1]], None);
    let (oracle, _) = oracle(lines, &[2.0, -2.0], &[0.5], &[2.0, -3.0], 0.0);
    oracle.element(0, 0);
    oracle.element(0, 1);
    // 3 · 2 and 5 · 2, of 2 of 8 elements.
    let [(first, noise), (second, _)] = [0, 1].map(|output| oracle.forward_condition(output, 8));
    assert_eq!((first, second), (4.0 * 6.0, 4.0 * 10.0));
    assert!(noise > 0.0 && noise < 1e-13, "{noise:e}");
    // Each element moves one output: 2 · 6 with a slope of 3, −3 · −10 with a slope of 5.
    let reach = [0, 1].map(|index| oracle.reach(0, index, 0));
    assert_eq!(reach.map(|reach| (reach.terms, reach.output)), [(2.0 * 3.0, 12.0), (3.0 * 5.0, 30.0)]);
}

#[test]
fn a_straight_line_needs_one_step_and_a_kink_the_shortest_beside_two() {
    let steps = [0.25, 0.125, 0.0625];
    let (line, calls) = oracle(|x| (vec![3.0 * x[0]], None), &[2.0], &steps, &[1.0], 0.0);
    assert_eq!((line.element(0, 0).estimates[0].step, calls.get()), (0.5, 4));
    let (kink, calls) = oracle(|x| (vec![(x[0] - 2.0).abs()], None), &[2.0], &steps, &[1.0], 0.0);
    let found = kink.element(0, 0);
    let estimate = found.estimates[0];
    assert_eq!((estimate.near, calls.get()), (None, 12));
    let [low, high] = estimate.kink.unwrap();
    assert!((low + 1.0).abs() < 1e-6 && (high - 1.0).abs() < 1e-6 && estimate.relative == SHORTEST);
    assert_eq!(found.bent.iter().map(|bent| bent.output).collect::<Vec<_>>(), [0]);
    // 1 · 2, by the slope between the outer points of the shortest step.
    assert!(kink.forward_condition(0, 1).0 < 1e-6);
}

/// The kink is 10⁻⁶ beside the point: the shortest step does not reach it, and a usual one is used that does not
/// either.
#[test]
fn a_kink_beside_the_point_is_stepped_around() {
    let steps = [1e-2, 1e-3, 1e-4, 1e-7];
    let (oracle, calls) = oracle(|x| (vec![(x[0] - 1.0 - 1e-6).abs()], None), &[1.0], &steps, &[1.0], 0.0);
    let found = oracle.element(0, 0).estimates[0];
    assert_eq!((found.clean, found.kink, found.relative), (true, None, 1e-7));
    assert!((found.derivative + 1.0).abs() < 1e-9);
    assert_eq!(calls.get(), 4 * 5, "two steps, the shortest, and the two usual ones that are left");
}

/// A step of 10⁻³ beside 10⁴ sees a straight line far from the sigmoid's middle; 1.5 has its own.
#[test]
fn a_large_neighbour_does_not_lengthen_the_step() {
    let silu = |x: &[f64]| (x.iter().map(|x| x / (1.0 + (-x).exp())).collect(), None);
    let (oracle, _) = oracle(silu, &[1e4, 1.5, -1e4], &[1e-3, 1e-4], &[1.0, 1.0, 1.0], 0.0);
    let found = oracle.element(0, 1).estimates[0];
    assert!(found.clean && (found.derivative - 1.041_297).abs() < 1e-5, "{found:?}");
}

/// 10⁻⁹ beside 1: noise hides the function where the step is relative to the element, and a step relative to 1 does
/// not.
#[test]
fn a_longer_step_is_taken_where_noise_hides_the_function() {
    let (oracle, _) = oracle(|x| (vec![1e3 + x[0].sin() + x[1]], None), &[1e-9, 1.0], &[1e-3], &[1.0], 0.0);
    let found = oracle.element(0, 0).estimates[0];
    assert!(found.clean && (found.derivative - 1.0).abs() < 1e-6 && found.noise < 1e-6, "{found:?}");
}

/// Where nothing moves at all, other scales are tried before that is believed: here is a bump of width 3 at 10⁴.
#[test]
fn a_function_that_stays_is_looked_at_more_closely() {
    let bump = |x: &[f64]| {
        let z = x[0] - 1e4;
        (vec![if z.abs() < 3.0 { z * (-z * z).exp() } else { 0.0 }], None)
    };
    let (oracle, _) = oracle(bump, &[1e4], &[1e-3], &[1.0], 0.0);
    let found = oracle.element(0, 0).estimates[0];
    assert!(found.clean && (found.derivative - 1.0).abs() < 1e-6, "{found:?}");
}

/// The square root has an infinite slope at 0, and no derivative from the left.
#[test]
fn what_has_no_derivative_is_not_clean() {
    for f in [f64::sqrt as fn(f64) -> f64, f64::cbrt] {
        let (oracle, _) = oracle(move |x| (vec![f(x[0])], None), &[0.0, 1.0], &[1e-3, 1e-4], &[1.0], 0.0);
        let found = oracle.element(0, 0).estimates[0];
        let told = found.truncation + found.noise <= 0.1 * found.derivative.abs();
        assert!(!(found.clean && told) && found.kink.is_none(), "{found:?}");
    }
}

#[test]
fn a_function_that_panics_beside_the_point_has_no_value_there() {
    let edge = |x: &[f64]| {
        assert!(x[0] <= 1.0, "out of its domain");
        (vec![x[0]], None)
    };
    let (oracle, _) = oracle(edge, &[1.0], &[1e-3], &[1.0], 0.0);
    assert!(!oracle.element(0, 0).estimates[0].clean);
}

#[test]
fn on_a_kink_what_lies_between_both_sides_is_allowed() {
    let (oracle, _) = oracle(|x| (vec![(x[0] - 2.0).abs()], None), &[2.0], &[0.25, 0.125], &[1.0], 0.0);
    assert!(!oracle.allows(0, 0, 0, 0.0, 0.5), "not yet differentiated");
    oracle.element(0, 0);
    for (gradient, allowed) in [(0.0, true), (1.5, true), (1.75, false), (-1.5, true), (-1.75, false)] {
        assert_eq!(oracle.allows(0, 0, 0, gradient, 0.5), allowed, "{gradient}");
    }
}

/// Code in single precision may be on the other side of a kink within 2¹¹ of its round-offs of 2⁻²⁴, which is 2⁻¹³.
#[test]
fn a_kink_is_near_within_the_round_off_of_the_code_under_test() {
    let near = |step: f64| {
        let beside = |x: &[f64]| (vec![(x[0] - 1.0 - 1e-7).abs()], None);
        oracle(beside, &[1.0], &[1e-3, step, 1e-8], &[1.0], 2f64.powi(-24)).0.element(0, 0).estimates[0].near
    };
    let found = near(2f64.powi(-13)).unwrap();
    let [low, high] = found.slopes;
    assert!((low + 1.0).abs() < 1e-2 && (high - 1.0).abs() < 1e-2, "{low} {high}");
    assert_eq!(found.within, 2f64.powi(-13));
    assert_eq!(near(2f64.powi(-12)), None);
}

/// On both sides of the point the record says something else than at it, as at a tie.
#[test]
fn a_recorded_kink_at_the_point_is_one() {
    let tie = |x: &[f64]| (vec![(x[0] - 2.0).abs()], Some(x[0].total_cmp(&2.0) as u64));
    let (oracle, _) = oracle(tie, &[2.0], &[0.25, 0.125], &[1.0], 0.0);
    let [low, high] = oracle.element(0, 0).estimates[0].kink.unwrap();
    assert!((low + 1.0).abs() < 1e-6 && (high - 1.0).abs() < 1e-6);
}

#[test]
fn whoever_calls_a_gradient_wrong_gets_every_step() {
    let (oracle, calls) = oracle(cubes, &[2.0, 2.0], &[1e-3, 1e-4, 1e-5], &[2.0, -3.0], 0.0);
    oracle.element(0, 0);
    assert_eq!(calls.get(), 4, "a thousandth is clean");
    oracle.thoroughly(0, 0);
    assert_eq!(calls.get(), 4 + 12);
    oracle.thoroughly(0, 0);
    assert_eq!(calls.get(), 16, "it is remembered");
}

#[test]
fn a_line_of_two_elements_has_the_sum_of_their_slopes() {
    let (oracle, _) = oracle(cubes, &[2.0, 2.0], &[1e-4], &[2.0, -3.0], 0.0);
    let moves = [(0, 0.5), (1, -2.0)].map(|(index, by)| crate::line::Move { tensor: 0, index, by });
    let found = oracle.along(&Line { moves: moves.to_vec() }).estimates[0];
    assert!((found.derivative - (0.5 * 24.0 + 2.0 * 12.0)).abs() < 1e-6 && found.clean, "{found:?}");
}
