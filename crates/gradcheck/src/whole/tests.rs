//! Tensors of which most elements are not differentiated by themselves.

use super::*;
use crate::examine::tests::{claims, only, problem, variable};
use crate::report::Report;
use crate::{Options, Value, Verdict};

const TOTAL: usize = 1000;

/// y = Σ c_i x_i², with slopes of both signs and several sizes.
fn slope(index: usize, x: f64) -> f64 {
    let size = [1.0, -0.5, 2.0, 0.25][index % 4];
    2.0 * size * x
}

fn options() -> Options {
    Options { cotangents: 2, jacobian: 0, full: 16, quota: 24, ..Options::default() }
}

fn report(change: impl Fn(usize, f64) -> f64) -> Report {
    let x: Vec<f64> = (0..TOTAL).map(|i| 1.0 + i as f64 / TOTAL as f64).collect();
    let sum = problem(vec![variable("x", &x)], |values| {
        vec![values[0].data().iter().enumerate().map(|(i, x)| slope(i, *x) * x / 2.0).sum()]
    });
    let gradient = move |x: &[f64]| (0..TOTAL).map(|i| change(i, slope(i, x[i]))).collect();
    claims(sum, only(gradient)).examine(&options()).report().clone()
}

#[test]
fn a_right_gradient_of_a_large_tensor_is_proven() {
    let row = &report(|_, g| g).rows[0];
    assert_eq!((row.verdict, row.checked, row.total), (Verdict::Pass, 24, TOTAL));
}

#[test]
fn one_wrong_element_of_a_thousand_is_found_by_the_line_through_all() {
    for (wrong, factor) in [(1, 0.0), (98, -1.0), (500, 0.9), (776, 1.1), (998, 0.0)] {
        let row = &report(move |i, g| if i == wrong { factor * g } else { g }).rows[0];
        let worst = row.worst.as_ref().unwrap();
        assert_eq!((row.verdict, worst.index), (Verdict::Mismatch, wrong), "{factor}");
    }
}

#[test]
fn a_wrong_element_is_not_proven_wherever_halving_the_line_ends() {
    for (wrong, factor) in [(1, -1.0), (97, 0.0), (501, 0.9), (777, 1.1)] {
        let row = &report(move |i, g| if i == wrong { factor * g } else { g }).rows[0];
        assert!(!row.verdict.proven(), "{wrong} {factor}");
    }
}

#[test]
fn elements_that_are_wrong_in_one_half_are_found() {
    let row = &report(|i, g| if (600..620).contains(&i) { 0.0 } else { g }).rows[0];
    assert_eq!(row.verdict, Verdict::Mismatch);
    assert!((600..620).contains(&row.worst.as_ref().unwrap().index));
}

/// Each element has 16 round-offs of its own and is wrong by fewer; the line has the root of their squares, which is
/// less than their sum.
#[test]
fn what_only_all_elements_together_show_is_not_proven() {
    let u = crate::examine::tests::U;
    let x: Vec<f64> = vec![1.0; TOTAL];
    let verdict = |off: f64| {
        let sum = problem(vec![variable("x", &x)], |values| vec![values[0].data().iter().sum()]);
        let signs = std::cell::OnceCell::new();
        let gradient = move |_: &[f64]| -> Vec<f64> {
            let signs: &Vec<f64> = signs.get_or_init(|| {
                let mut random = Random::new(0, "all of x");
                (0..TOTAL).map(|_| random.sign()).collect()
            });
            signs.iter().map(|sign| 1.0 + off * sign).collect()
        };
        let report = claims(sum, only(gradient)).examine(&options()).report().clone();
        (report.rows[0].verdict, report.rows[0].mismatched)
    };
    // The line's tolerance is 4 √1000 · 40 u, with 8 u for what cancels, and a thousand elements are off by 1000 times
    // `off`.
    assert_eq!(verdict(5.0 * u), (Verdict::Pass, 0));
    assert_eq!(verdict(5.12 * u), (Verdict::Unresolved, 0));
}

#[test]
fn a_tensor_that_is_checked_in_full_needs_no_line() {
    let problem = problem(vec![variable("x", &[1.0, 2.0])], |values| vec![values[0].data().iter().sum()]);
    let problem = claims(problem, only(|_| vec![1.0, 3.0]));
    let options = options();
    let examination = problem.examine(&options);
    let gradients: Vec<Option<&Value>> = examination.runs[0].run().unwrap().of(0);
    let claim = Claim { source: 0, tensor: 0, gradients: &gradients };
    assert_eq!(examination.hidden_fault(&claim, &[0, 1]), None);
    assert_eq!(examination.hidden_fault(&claim, &[0]), Some(1));
    let weight = examination.oracle().cotangents[0].value.data()[0].abs();
    let terms = examination.typical_terms(&claim, &[0, 1], 0);
    assert!((terms / weight - 1.0).abs() < 1e-6, "{terms} {weight}");
}

/// What cancels is beside the slopes of the tensor, however large its elements are.
#[test]
fn one_wrong_element_is_found_among_large_ones() {
    let sum = problem(vec![variable("x", &[1024.0; TOTAL])], |values| vec![values[0].data().iter().sum()]);
    let gradient = |_: &[f64]| (0..TOTAL).map(|i| if i == 500 { 1.5 } else { 1.0 }).collect();
    let options = Options { quota: 8, ..options() };
    let row = claims(sum, only(gradient)).examine(&options).report().rows[0].clone();
    assert!(row.verdict == Verdict::Mismatch && row.worst.unwrap().index == 500);
}

/// Elements of 10¹² hide nothing of those about 1: these have a line of their own.
#[test]
fn one_wrong_element_is_found_beside_some_that_are_far_larger() {
    let x: Vec<f64> = (0..TOTAL).map(|i| if i % 100 == 7 { 1e12 } else { 1.0 + i as f64 / TOTAL as f64 }).collect();
    let sum = problem(vec![variable("x", &x)], |values| vec![values[0].data().iter().map(|x| x.min(2.0)).sum()]);
    let gradient = |wrong: usize| {
        move |x: &[f64]| (0..TOTAL).map(|i| if x[i] > 2.0 || i == wrong { 0.0 } else { 1.0 }).collect::<Vec<f64>>()
    };
    let verdict = |wrong: usize| {
        let report = claims(sum.clone(), only(gradient(wrong))).examine(&options()).report().clone();
        report.rows[0].verdict
    };
    assert_eq!([TOTAL, 500, 901].map(verdict), [Verdict::Pass, Verdict::Mismatch, Verdict::Mismatch]);
}

/// The largest of each row of four, of which two are equal: a line in random directions crosses every tie.
#[test]
fn one_wrong_element_is_not_proven_among_ties() {
    let x: Vec<f64> = (0..TOTAL).map(|i| [1.0, 3.0, 2.0, 3.0][i % 4] + (i / 4) as f64).collect();
    let most = |row: &[f64]| row.iter().fold(f64::MIN, |most: f64, x| most.max(*x));
    let rows = problem(vec![variable("x", &x)], move |values| values[0].data().chunks(4).map(most).collect());
    let proven = |wrong: usize| {
        let gradient = move |_: &[f64], row: usize| {
            let share = |i: usize| if i / 4 == row && i % 2 == 1 && i != wrong { 0.5 } else { 0.0 };
            (0..TOTAL).map(share).collect()
        };
        claims(rows.clone(), gradient).examine(&options()).report().proven
    };
    assert_eq!([TOTAL, 501, 703].map(proven), [true, false, false]);
}
