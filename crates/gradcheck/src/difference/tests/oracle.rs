//! The differences of whole functions. All steps are powers of two, so that the numbers are exact.

use std::cell::Cell;

use super::*;

/// An oracle of `f` at `x` with these relative steps and weights of the outputs, and how often it has called `f` since it was made.
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
    let oracle = Oracle::new(forward, values, |_| true, center, cotangents, &options, roundoff);
    calls.set(0);
    (oracle, calls)
}

fn cubes(x: &[f64]) -> (Vec<f64>, Option<u64>) {
    (vec![x[0].powi(3), x[1].powi(2)], None)
}

#[test]
fn a_cube_at_two_has_the_differences_worked_out_by_hand() {
    let (oracle, calls) = oracle(cubes, &[2.0, 2.0], &[0.25], &[2.0, -3.0], 0.0);
    // The step is 1/4 of 2: 12 + 1/4 between the outer points, 12 + 1/16 between the inner ones, 12 extrapolated.
    let found = oracle.element(0, 0)[0];
    assert_eq!((found.derivative, found.truncation, found.magnitude, found.step), (24.0, 0.5, 24.0, 0.5));
    assert_eq!(found.noise, 16.0 * oracle.objective_noise[0] / 0.5);
    assert!(found.noise > 0.0 && found.noise < 1e-12);
    assert_eq!(oracle.central(0, 0, 0, 0.25), (0.5, 24.5));
    assert_eq!(calls.get(), 6);
    assert_eq!((oracle.element(0, 0)[0].derivative, calls.get()), (24.0, 6), "it is remembered");
}

#[test]
fn the_condition_of_the_forward_is_estimated_from_the_elements_seen() {
    let (oracle, _) = oracle(cubes, &[2.0, -2.0], &[0.5], &[2.0, -3.0], 0.0);
    oracle.element(0, 0);
    oracle.element(0, 1);
    // With a step of 1, 13 · 2 and 4 · 2, of 2 of 8 elements.
    let [(cube, noise), (square, _)] = [0, 1].map(|output| oracle.forward_condition(output, 8));
    assert_eq!((cube, square), (4.0 * 26.0, 4.0 * 8.0));
    assert!(noise > 0.0 && noise < 1e-13, "{noise:e}");
    assert_eq!(oracle.objective_size(0), (16f64 * 16.0 + 12.0 * 12.0).sqrt());
}

#[test]
fn a_straight_line_needs_one_step_and_a_kink_all() {
    let steps = [0.25, 0.125, 0.0625];
    let (line, calls) = oracle(|x| (vec![3.0 * x[0]], None), &[2.0], &steps, &[1.0], 0.0);
    assert_eq!((line.element(0, 0)[0].step, calls.get()), (0.5, 4));
    let (kink, calls) = oracle(|x| (vec![(x[0] - 2.0).abs()], None), &[2.0], &steps, &[1.0], 0.0);
    let found = kink.element(0, 0)[0];
    assert_eq!((found.kink, found.near, found.step, calls.get()), (Some([-1.0, 1.0]), None, 0.125, 12));
    // 1 · 2, by the slope between the outer points of the last step.
    assert_eq!(kink.forward_condition(0, 1).0, 0.0);
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

/// Code in single precision may be on the other side of a kink within 2¹⁵ of its round-offs of 2⁻²⁴, which is 2⁻⁹.
#[test]
fn a_kink_is_near_within_the_round_off_of_the_code_under_test() {
    let near = |step: f64| {
        let beside = |x: &[f64]| (vec![(x[0] - 1.0 - 1e-9).abs()], None);
        oracle(beside, &[1.0], &[step], &[1.0], 2f64.powi(-24)).0.element(0, 0)[0].near
    };
    let [low, high] = near(2f64.powi(-9)).unwrap();
    assert!((low + 1.0).abs() < 1e-3 && (high - 1.0).abs() < 1e-3, "{low} {high}");
    assert_eq!(near(2f64.powi(-8)), None);
}

/// The steps are relative to the point, 1. The kink lies 10⁻¹¹ beside it.
#[test]
fn a_recorded_kink_beside_the_point_gets_smaller_steps_than_the_smallest() {
    let calls = |steps: &[f64], recorded: bool| {
        let beside = move |x: &[f64]| {
            let past = x[0] - 1.0 - 1e-11;
            (vec![past.abs()], recorded.then_some(u64::from(past > 0.0)))
        };
        let (oracle, calls) = oracle(beside, &[1.0], steps, &[1.0], 0.0);
        let found = oracle.element(0, 0)[0];
        assert!(found.kink.is_some(), "{steps:?}");
        assert!(oracle.forward_condition(0, 1).0 < 0.01, "{steps:?}");
        calls.get() / 4
    };
    assert_eq!(calls(&[1e-3, 1e-4], true), 4);
    assert_eq!(calls(&[1e-3, 1e-7], true), 3);
    assert_eq!(calls(&[1e-3, 1e-8], true), 2);
    assert_eq!(calls(&[1e-3, 1e-4], false), 2);
}

/// On both sides of the point the record says something else than at it, as at a tie.
#[test]
fn a_recorded_kink_at_the_point_needs_no_smaller_steps() {
    let tie = |x: &[f64]| (vec![(x[0] - 2.0).abs()], Some(x[0].total_cmp(&2.0) as u64));
    let (oracle, calls) = oracle(tie, &[2.0], &[0.25, 0.125], &[1.0], 0.0);
    assert_eq!((oracle.element(0, 0)[0].kink, calls.get()), (Some([-1.0, 1.0]), 8));
}
