//! Sources whose gradient of y = (3 x₀, 5 x₁, …) is right under every cotangent that is checked, and not linear in it.

use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::examine::tests::{U, problem, variable};
use crate::{GradientSource, Options, Problem};

/// The verdict and the diagnosis of a backward that makes `of` the incoming gradient, under one random cotangent.
fn found(of: impl Fn(&[f64]) -> Vec<f64> + 'static) -> (Verdict, Option<String>) {
    found_at([2.0, 4.0, 1.0, 3.0], of)
}

fn found_at(x: [f64; 4], of: impl Fn(&[f64]) -> Vec<f64> + 'static) -> (Verdict, Option<String>) {
    let mut lines = problem(vec![variable("x", &x)], |values| {
        values[0].data().iter().zip([3.0, 5.0, 7.0, 9.0]).map(|(x, slope)| slope * x).collect()
    });
    lines.sources.push(GradientSource::new("source", U, move |_, w| {
        let gradient = of(w.data()).iter().zip([3.0, 5.0, 7.0, 9.0]).map(|(w, slope)| w * slope).collect();
        vec![Some(Value::new([4], gradient))]
    }));
    let options = Options { cotangents: 2, jacobian: 0, ..Options::default() };
    let row = lines.examine(&options).report().rows[0].clone();
    (row.verdict, row.diagnosis)
}

#[track_caller]
fn assert_not_linear(of: impl Fn(&[f64]) -> Vec<f64> + 'static, words: &str) {
    let (verdict, diagnosis) = found(of);
    let diagnosis = diagnosis.unwrap_or_default();
    assert!(verdict == Verdict::Mismatch && diagnosis.contains(words), "{verdict:?} {diagnosis}");
}

fn map(of: impl Fn(f64) -> f64 + 'static) -> impl Fn(&[f64]) -> Vec<f64> {
    move |w| w.iter().map(|&w| of(w)).collect()
}

#[test]
fn a_linear_backward_passes() {
    assert_eq!(found(<[f64]>::to_vec).0, Verdict::Pass);
}

/// Under the first cotangent, of weights from 2^−1.5 to 2^1.5, all of these are right.
#[test]
fn a_backward_that_is_not_linear_is_found_by_multiples_of_what_it_is_right_under() {
    assert_not_linear(map(|w| w.clamp(-100.0, 100.0)), "2^20 times the incoming gradient");
    assert_not_linear(map(|w| if w.abs() < 1e-5 { 0.0 } else { w }), "2^-30 times the incoming gradient");
    let first = std::cell::RefCell::new(None::<Vec<f64>>);
    let wrong_under_the_negative = move |w: &[f64]| {
        let mut first = first.borrow_mut();
        let known = first.get_or_insert_with(|| w.to_vec());
        let against = known.iter().zip(w).all(|(a, b)| *a == -b);
        w.iter().map(|w| if against { 2.0 * w } else { *w }).collect()
    };
    assert_not_linear(wrong_under_the_negative, "the negative of the incoming gradient");
}

#[test]
fn what_is_lost_beside_a_large_neighbour_is_found_in_two_parts() {
    let lost = |w: &[f64]| {
        let largest = w.iter().fold(0.0, |largest: f64, w| largest.max(w.abs()));
        w.iter().map(|&w| if w.abs() < 1e-3 * largest { 0.0 } else { w }).collect::<Vec<_>>()
    };
    assert_not_linear(lost, "the incoming gradient in two parts");
}

#[test]
fn what_is_not_additive_is_found_by_a_sum_of_two() {
    // It is right under multiples of both cotangents, and of each with every second weight made small.
    let known = [0, 1].map(|number| crate::cotangent::Cotangent::random(&[4], 0, number).value.data().to_vec());
    let wrong_of_sums = move |w: &[f64]| {
        let right = known.iter().any(|known| {
            let ratio = |i: usize| w[i] / known[i];
            ratio(0) == ratio(2) && ratio(1) == ratio(3)
        });
        w.iter().map(|w| if right { *w } else { 1.5 * w }).collect()
    };
    assert_not_linear(wrong_of_sums, "a sum of two incoming gradients");
}

/// Twice the tolerance of the negative beside it: 16 u (4 |g| + max |g| + what the steepest element has).
#[test]
fn round_off_is_no_fault_and_more_is() {
    let off_by = |off: f64| {
        let negative = std::cell::RefCell::new(None::<f64>);
        found(move |w: &[f64]| {
            let first = *negative.borrow_mut().get_or_insert(w[0]);
            w.iter().map(|w| if first == -w || first == w + off { w + off } else { *w }).collect::<Vec<_>>()
        })
        .0
    };
    assert_eq!(off_by(16.0 * U), Verdict::Pass);
    assert_eq!(off_by(16.0 * 64.0 * U), Verdict::Mismatch);
}

#[test]
fn what_overflows_says_nothing() {
    assert_eq!(found(map(|w| if w.abs() > 1e5 { f64::INFINITY } else { w })).0, Verdict::Pass);
}

/// A wrong multiple of what is right under a tiny cotangent is told by its factor, however small it is beside the rest.
#[test]
fn a_small_part_that_is_not_linear_is_a_fault_of_its_own_size() {
    let twice = map(|w| if w.abs() < 1e-5 { (1.0 + 2e-3) * w } else { w });
    assert_not_linear(twice, "2^-30 times the incoming gradient");
}

/// The size of the elements is no excuse: what they share is a slope.
#[test]
fn large_elements_do_not_excuse_what_is_not_linear() {
    let twice = || map(|w| if w.abs() < 1e-5 { (1.0 + 2e-3) * w } else { w });
    for x in [[2048.0, 4096.0, 1024.0, 3072.0], [2e6, 4e6, 1e6, 3e6]] {
        assert_eq!(found_at(x, twice()).0, Verdict::Mismatch);
        assert_eq!(found_at(x, <[f64]>::to_vec).0, Verdict::Pass);
    }
}

/// y = (3 x₀ + 7 x₁, 5 x₁) at x₁ = 4 and this x₀, of a source that is off by `off` for the next calls.
fn shared(x: f64, off: Rc<Cell<usize>>) -> Problem<'static> {
    let mut lines = problem(vec![variable("x", &[x, 4.0])], |values| {
        let x = values[0].data();
        vec![3.0 * x[0] + 7.0 * x[1], 5.0 * x[1]]
    });
    lines.sources.push(GradientSource::new("source", U, move |_, w| {
        let w = w.data();
        let left = off.get();
        off.set(left.saturating_sub(1));
        let factor = if left > 0 { 1.5 } else { 1.0 };
        vec![Some(Value::new([2], vec![factor * 3.0 * w[0], factor * (7.0 * w[0] + 5.0 * w[1])]))]
    }));
    lines
}

fn judgement(verdict: Verdict, zero: Option<f64>) -> Judgement {
    let (selected, kinks, worst, fault) = (vec![0, 1], Vec::new(), None, None);
    Judgement { verdict, selected, kinks, mismatched: 0, unresolved: 0, worst, zero, fault }
}

/// By how many of 16 round-offs an element of a combination may deviate, and by how many it does so by far.
fn bounds(x: f64, index: usize, factors: &[(usize, f64)], parts: bool, judged: &Judgement) -> [f64; 2] {
    let (problem, options) = (shared(x, Rc::default()), Options { cotangents: 0, ..Options::default() });
    let examination = problem.examine(&options);
    let of = |number: usize| examination.runs[0].run().unwrap().gradients[number][0].clone().unwrap();
    let sum = |index: usize| factors.iter().map(|&(number, factor)| factor * of(number).data()[index]).sum::<f64>();
    let deviates = |off: f64| {
        let mut gradient = Value::new([2], vec![sum(0), sum(1)]);
        gradient.set(index, gradient.data()[index] + off);
        let combined = Combined { factors: factors.to_vec(), gradients: vec![Some(gradient)], parts };
        examination.deviates(0, 0, &combined, judged).map_or(0, |(_, by_far)| 1 + usize::from(by_far))
    };
    [1, 2].map(|least| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if deviates(middle) >= least { high = middle } else { low = middle }
        }
        high / (16.0 * U)
    })
}

/// What the steepest element of all does to the output of this number, as a slope.
fn shared_slope(x: f64, number: usize) -> f64 {
    let (problem, options) = (shared(x, Rc::default()), Options { cotangents: 0, ..Options::default() });
    let examination = problem.examine(&options);
    examination.energies[number] / examination.oracle().typical[0]
}

#[track_caller]
fn assert_bounds(found: [f64; 2], expected: f64) {
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-4;
    assert!(near(found[0], expected) && near(found[1], 4.0 * expected), "{found:?} is not {expected}");
}

#[test]
fn a_combination_may_deviate_by_the_round_off_of_its_parts() {
    let passed = judgement(Verdict::Pass, None);
    // 4 |g| + max |g| + what is shared, and the element's own terms, those of its output, and a quarter of a slope.
    let [first, second] = [0, 1].map(|number| shared_slope(2.0, number));
    let one = 4.0 * 3.0 + 7.0 + first + (3.0 + 7.0 + 0.25);
    assert_bounds(bounds(2.0, 0, &[(0, -1.0)], false, &passed), one);
    assert_bounds(bounds(2.0, 0, &[(0, 3.0)], false, &passed), 3.0 * one);
    // Of an element that does not move the output next to a weight of 1, twice that.
    let none = 5.0 + 2.0 + second + 0.25;
    assert_bounds(bounds(2.0, 0, &[(0, -2.0), (1, 0.5)], false, &passed), 2.0 * one + 0.5 * none);
}

#[test]
fn what_is_not_resolved_may_deviate_by_the_rounding_of_1_too() {
    let of = |x: f64, verdict: Verdict| bounds(x, 0, &[(0, -1.0)], false, &judgement(verdict, None))[0];
    for (x, more) in [(2.0, 2.0), (128.0, 0.5)] {
        let found = of(x, Verdict::Unresolved) - of(x, Verdict::Pass);
        assert!((found - more).abs() < 1e-3, "{found}");
    }
}

#[test]
fn what_counts_as_zero_and_what_two_parts_may_hide_is_allowed() {
    let of = |factor: f64, parts: bool, zero: f64| {
        16.0 * U * bounds(2.0, 0, &[(0, factor)], parts, &judgement(Verdict::Pass, Some(zero)))[0]
    };
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-4;
    assert!(near(of(3.0, false, 1e-3) - of(3.0, false, 0.0), 3e-3));
    assert!(near(of(3.0, true, 0.0) - of(3.0, false, 0.0), 1e-3 * 9.0 + 1e-5 * 7.0));
    // A multiple of one gradient is exact to a thousandth, whatever counts as zero.
    let own = 16.0 * U * (3.0 + 7.0 + 0.25);
    assert!(near(of(2.0, false, 0.5), 1e-3 * 6.0 + 2.0 * own));
}

#[test]
fn a_sum_that_deviates_must_do_so_in_most_of_three_others() {
    let off = Rc::new(Cell::new(0));
    let (problem, options) = (shared(2.0, off.clone()), Options { cotangents: 0, ..Options::default() });
    let examination = problem.examine(&options);
    let again = [0, 1, 2, 3].map(|wrong| {
        off.set(wrong);
        examination.deviates_again(0, 0, &judgement(Verdict::Pass, None))
    });
    assert_eq!(again, [false, false, true, true]);
}

#[test]
fn the_round_off_of_an_element_is_that_of_its_terms_of_its_outputs_and_of_a_slope() {
    let (problem, options) = (shared(2.0, Rc::default()), Options { cotangents: 0, ..Options::default() });
    let examination = problem.examine(&options);
    let of = |index: usize, cotangent: usize| examination.roundoff_of(0, 0, index, cotangent) / (16.0 * U);
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-9;
    assert!(near(of(0, 0), 3.0 + 7.0 + 0.25) && near(of(1, 1), 5.0 + 5.0 + 0.25) && near(of(0, 1), 0.25));
}
