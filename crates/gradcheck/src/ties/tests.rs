//! Sources that divide the gradient of a kink among the elements that share it.

use super::*;
use crate::examine::tests::{claims, only, problem, variable};
use crate::report::Row;
use crate::{Options, Problem, Value, Verdict};

/// The row of a source that says `gradient` of the first output of `f` at `x`.
fn row(x: &[f64], f: fn(&[f64]) -> f64, gradient: &[f64]) -> Row {
    let gradient = gradient.to_vec();
    let problem = problem(vec![variable("x", x)], move |values| vec![f(values[0].data())]);
    let options = Options { cotangents: 1, ..Options::default() };
    claims(problem, only(move |_| gradient.clone())).examine(&options).report().rows[0].clone()
}

#[track_caller]
fn assert_right_and_wrong(x: &[f64], f: fn(&[f64]) -> f64, right: &[&[f64]], wrong: &[&[f64]]) {
    for gradient in right {
        let found = row(x, f, gradient);
        assert_eq!(found.verdict, Verdict::Kink, "{gradient:?}: {:?}", found.diagnosis);
    }
    for gradient in wrong {
        let found = row(x, f, gradient);
        assert_eq!(found.verdict, Verdict::Mismatch, "{gradient:?}");
    }
}

#[test]
fn a_tied_maximum_may_be_shared_in_any_way_that_adds_up_to_all_of_it() {
    let maximum = |x: &[f64]| x[0].max(x[1]);
    let right: [&[f64]; 4] = [&[1.0, 0.0], &[0.0, 1.0], &[0.5, 0.5], &[0.25, 0.75]];
    let wrong: [&[f64]; 5] = [&[1.0, 1.0], &[0.0, 0.0], &[0.5, 0.0], &[0.51, 0.5], &[0.49, 0.5]];
    assert_right_and_wrong(&[2.0, 2.0], maximum, &right, &wrong);
    assert_right_and_wrong(
        &[2.0, 2.0],
        |x| -x[0].min(x[1]),
        &[&[-0.5, -0.5], &[-1.0, 0.0]],
        &[&[-1.0, -1.0], &[0.0; 2]],
    );
}

#[test]
fn tied_elements_of_other_slopes_move_by_their_own_shares() {
    let maximum = |x: &[f64]| (2.0 * x[0]).max(3.0 * x[1]);
    let right: [&[f64]; 3] = [&[2.0, 0.0], &[0.0, 3.0], &[1.0, 1.5]];
    assert_right_and_wrong(&[3.0, 2.0], maximum, &right, &[&[2.0, 3.0], &[0.0, 0.0], &[2.0, 1.5], &[1.0, 0.0]]);
    let against = |x: &[f64]| (2.0 * x[0]).max(-3.0 * x[1]);
    assert_right_and_wrong(&[3.0, -2.0], against, &[&[2.0, 0.0], &[0.0, -3.0]], &[&[2.0, -3.0], &[0.0, 0.0]]);
}

#[test]
fn inputs_that_share_a_relu_are_both_on_one_side_of_it() {
    let sum = |x: &[f64]| (x[0] + x[1]).max(0.0);
    assert_right_and_wrong(&[1.0, -1.0], sum, &[&[0.0, 0.0], &[1.0, 1.0], &[0.5, 0.5]], &[&[1.0, 0.0], &[0.0, 1.0]]);
    let difference = |x: &[f64]| (x[0] - x[1]).max(0.0);
    assert_right_and_wrong(&[1.0, 1.0], difference, &[&[0.0, 0.0], &[1.0, -1.0]], &[&[1.0, 0.0], &[0.0, -1.0]]);
}

#[test]
fn an_absolute_difference_has_no_slope_as_both_rise() {
    let apart = |x: &[f64]| (x[0] - x[1]).abs();
    let right: [&[f64]; 3] = [&[1.0, -1.0], &[-1.0, 1.0], &[0.0, 0.0]];
    assert_right_and_wrong(&[3.0, 3.0], apart, &right, &[&[1.0, 1.0], &[1.0, 0.0], &[-1.0, -1.0]]);
}

/// Each place of a sort of three equal elements may take any of them, and all places together take each once.
#[test]
fn of_three_equal_elements_each_place_of_a_sort_takes_what_adds_up_to_one() {
    let verdict = |places: [[f64; 3]; 3]| {
        let sort = Problem::new("sort", burn::tensor::DType::F64, vec![variable("x", &[2.0; 3])], |values| {
            let mut x = values[0].data().to_vec();
            x.sort_by(f64::total_cmp);
            Value::new([3], x)
        });
        let problem = claims(sort, move |_, place| places[place].to_vec());
        let options = Options { cotangents: 1, ..Options::default() };
        problem.examine(&options).report().rows[0].verdict
    };
    let [a, b, c] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert_eq!([verdict([a, b, c]), verdict([c, a, b]), verdict([b, c, a])], [Verdict::Kink; 3]);
    let none = [0.0; 3];
    assert_eq!([verdict([a, none, c]), verdict([none; 3]), verdict([[1.0; 3]; 3])], [Verdict::Mismatch; 3]);
}

#[test]
fn seven_tied_elements_move_together_too() {
    let maximum = |x: &[f64]| x.iter().copied().fold(f64::MIN, f64::max);
    let mut one = [0.0; 7];
    one[3] = 1.0;
    let mut two = one;
    two[6] = 1.0;
    assert_right_and_wrong(&[2.0; 7], maximum, &[&[1.0 / 7.0; 7], &one], &[&[1.0; 7], &[0.0; 7], &two]);
}

/// Too many to look at in pairs: each must rise or fall as its own slope says.
#[test]
fn seven_tied_elements_of_both_signs_move_each_its_own_way() {
    let largest =
        |x: &[f64]| x.iter().enumerate().map(|(i, x)| if i % 2 == 0 { *x } else { -x }).fold(f64::MIN, f64::max);
    let x = [2.0, -2.0, 2.0, -2.0, 2.0, -2.0, 2.0];
    let signs = x.map(|x| x / 2.0);
    let mut one = [0.0; 7];
    one[1] = -1.0;
    assert_right_and_wrong(&x, largest, &[&one, &signs.map(|sign| sign / 7.0)], &[&signs, &[0.0; 7]]);
}

/// max(x₀, x₁) with a small slope on both: the kink is as wide as its larger slope.
#[test]
fn a_fault_of_one_tied_element_is_told_beyond_round_off_and_not_within_it() {
    let u = crate::examine::tests::U;
    let maximum = |x: &[f64]| x[0].max(x[1]);
    // Each has 16 u of its own terms and of the output's, and half of the slope is at either.
    assert_eq!(row(&[2.0, 2.0], maximum, &[0.5 + 8.0 * u, 0.5 + 8.0 * u]).verdict, Verdict::Kink);
    assert_eq!(row(&[2.0, 2.0], maximum, &[0.5 + 64.0 * u, 0.5 + 64.0 * u]).verdict, Verdict::Mismatch);
}

/// The gradients move by 4 for each 1 that the elements do: by 40 round-offs under a small change, of which four times
/// excuse the sum.
#[test]
fn what_round_off_does_to_the_gradients_of_tied_elements_excuses_their_sum() {
    let u = crate::examine::tests::U;
    let verdict = |off: f64| {
        let maximum = problem(vec![variable("x", &[2.0, 2.0])], |values| {
            let x = values[0].data();
            vec![x[0].max(x[1])]
        });
        let gradient = move |x: &[f64]| x.iter().map(|x| 0.5 + off + 4.0 * (x - 2.0)).collect();
        let options = Options { cotangents: 1, ..Options::default() };
        claims(maximum, only(gradient)).examine(&options).report().rows[0].verdict
    };
    assert_eq!([verdict(100.0 * u), verdict(250.0 * u)], [Verdict::Kink, Verdict::Mismatch]);
}

/// y = max(a, b) of two tensors: each source says its own gradient of each.
#[test]
fn a_tie_between_two_tensors_is_shared_too() {
    let verdicts = |gradients: [f64; 2]| {
        let mut problem = problem(vec![variable("a", &[2.0]), variable("b", &[2.0])], |values| {
            vec![values[0].data()[0].max(values[1].data()[0])]
        });
        problem.sources.push(crate::GradientSource::new("source", crate::examine::tests::U, move |_, w| {
            gradients.map(|g| Some(Value::full([1], g * w.data()[0]))).to_vec()
        }));
        let report = problem.examine(&Options { cotangents: 1, ..Options::default() }).report().clone();
        [report.rows[0].verdict, report.rows[1].verdict]
    };
    assert_eq!([verdicts([1.0, 0.0]), verdicts([0.5, 0.5])], [[Verdict::Kink; 2]; 2]);
    assert_eq!([verdicts([1.0, 1.0]), verdicts([0.0, 0.0])], [[Verdict::Mismatch; 2]; 2]);
}

#[test]
fn the_report_names_the_tied_elements_and_what_they_say_together() {
    let found = row(&[2.0, 5.0, 5.0], |x| x[0] + x[1].max(x[2]), &[1.0, 1.0, 1.0]);
    assert_eq!((found.mismatched, found.worst.unwrap().index), (2, 1));
    let maximum = |x: &[f64]| x.iter().copied().fold(f64::MIN, f64::max);
    let fault = |x: &[f64]| {
        let gradient = vec![1.0; x.len()];
        let problem = problem(vec![variable("x", x)], move |values| vec![maximum(values[0].data())]);
        let options = Options { cotangents: 0, ..Options::default() };
        let problem = claims(problem, only(move |_| gradient.clone()));
        let examination = problem.examine(&options);
        let gradients = examination.runs[0].run().unwrap().of(0);
        examination.tie_fault(&Claim { source: 0, tensor: 0, gradients: &gradients }).unwrap()
    };
    let two = fault(&[4.0, 4.0]);
    assert_eq!(two.members, [0, 1]);
    assert!(two.text.starts_with("x[0], x[1] share a kink") && two.text.contains("+1.000000e0"), "{}", two.text);
    assert!(two.text.ends_with("the gradients say +2.000000e0"), "{}", two.text);
    assert!(fault(&[4.0; 4]).text.starts_with("x[0], x[1], x[2], x[3] share"));
    assert!(fault(&[4.0; 6]).text.starts_with("x[0], x[1], x[2], x[3], 2 more share"));
}

fn member(number: usize, weight: f64) -> Member {
    Member { number, weight }
}

#[test]
fn groups_with_a_common_element_are_one_component() {
    let [a, b, c] = [
        vec![member(0, 1.0), member(2, 2.0)],
        vec![member(2, 9.0), member(3, 3.0)],
        vec![member(1, 4.0), member(5, 5.0)],
    ];
    let found = components(&[&a, &b, &c], 6);
    assert_eq!(found, [vec![(0, 1.0), (2, 2.0), (3, 3.0)], vec![(1, 4.0), (5, 5.0)]]);
    assert_eq!(weights(&a), [(0, 1.0), (2, 2.0)]);
}

#[test]
fn pairs_are_taken_in_both_signs() {
    let found = pairs(&[member(0, 1.0), member(4, 2.0), member(5, 3.0)]);
    let expected = [(0, 1.0, 4, 2.0), (0, 1.0, 5, 3.0), (4, 2.0, 5, 3.0)];
    let both = expected.map(|(a, x, b, y)| [vec![(a, x), (b, y)], vec![(a, x), (b, -y)]]);
    assert_eq!(found, both.concat());
}
