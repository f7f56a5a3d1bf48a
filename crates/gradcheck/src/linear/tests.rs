//! Sources whose gradient of y = (3 x₀, 5 x₁, …) is right under every cotangent that is checked, and not linear in it.

use crate::examine::tests::{U, problem, variable};
use crate::{GradientSource, Options, Value, Verdict};

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
