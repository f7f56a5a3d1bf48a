mod operators;

use super::*;
use crate::levels::Near;

const ESTIMATE: Estimate = Estimate {
    derivative: 8.0,
    truncation: 0.25,
    noise: 0.0,
    magnitude: 3.0,
    step: 1e-3,
    relative: 1e-3,
    clean: true,
    kink: None,
    near: None,
    hidden: 0.0,
};

const LIMITS: Limits =
    Limits { roundoff: 0.5, unit: 16.0, weight: 1.0, range: [1e-30, 1e30], resolution: 1e-3, near: 1e-3 };

/// Limits under which an element has no round-off of its own.
const EXACT: Limits = Limits { roundoff: 0.0, unit: 0.0, ..LIMITS };

const ALLOWED: Allowances = Allowances {
    output: 7.0,
    saturated: 0.0,
    beside: 0.0,
    steepest: 0.0,
    terms: 5.0,
    shared: 0.0,
    near_wobble: 1.0,
    wobble: 1.5,
    any_wobble: 1.5,
    wobble_bound: 1.5,
    cancelled: 0.5,
};

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} is not {expected}");
}

#[test]
fn the_tolerance_of_a_wrong_element_is_the_sum_of_the_formula() {
    let roundoff = |estimate: Estimate, own: Option<f64>| {
        let found = judge(1e9, &estimate, own, &LIMITS, || ALLOWED);
        assert_eq!((found.verdict, found.tolerance.truncation, found.tolerance.noise), (Verdict::Mismatch, 0.25, 0.0));
        found.tolerance.roundoff
    };
    let wide = 0.5 * (5.0 + 0.25 * 16.0) + 2.0;
    assert_near(roundoff(ESTIMATE, None), 0.5 * (3.0 + 4.0 * 7.0) + wide);
    // What the source itself says of its terms.
    assert_near(roundoff(ESTIMATE, Some(4.0)), 0.5 * (4.0 + 4.0 * 7.0) + wide);
    assert_near(roundoff(ESTIMATE, Some(1.0)), 0.5 * (3.0 + 4.0 * 7.0) + wide); // but never less than the terms seen
    // A hundred times the element's terms, as long as these are a thousandth of the output.
    let small = Estimate { magnitude: 1.0 / 64.0, ..ESTIMATE };
    assert_near(roundoff(small, None), 0.5 * (1.0 / 64.0 + 4.0 * 100.0 / 64.0) + wide);
    let flat = Estimate { magnitude: 1.0 / 256.0, ..ESTIMATE };
    assert_near(roundoff(flat, None), 0.5 * (1.0 / 256.0 + 4.0 * 7.0) + wide);
}

/// The answer with a tolerance of this much from differences, and this much for whoever needs more.
fn answer(gradient: f64, estimate: Estimate, own: f64, wobble: f64, limits: Limits) -> Answer {
    let estimate = Estimate { truncation: own / 2.0, noise: own / 2.0, magnitude: 1e9, ..estimate };
    let limits = Limits { range: [0.0, 1e30], ..limits };
    judge(gradient, &estimate, None, &limits, || Allowances { wobble, any_wobble: wobble, ..Allowances::default() })
}

fn verdict(gradient: f64, estimate: Estimate, own: f64, wobble: f64) -> (Verdict, f64) {
    let answer = answer(gradient, estimate, own, wobble, EXACT);
    (answer.verdict, answer.error)
}

#[test]
fn an_error_passes_up_to_the_tolerance() {
    for (gradient, expected) in [
        (8.0, (Verdict::Pass, 0.0)),
        (8.5, (Verdict::Pass, 0.5)),
        (7.5, (Verdict::Pass, 0.5)),
        (8.75, (Verdict::Unresolved, 0.75)),
        (9.25, (Verdict::Mismatch, 1.25)),
        (-8.0, (Verdict::Mismatch, 16.0)),
    ] {
        assert_eq!(verdict(gradient, ESTIMATE, 0.5, 0.0), expected, "{gradient}");
    }
}

#[test]
fn what_excuses_an_error_must_be_small_beside_the_gradient_too() {
    assert_eq!(verdict(8.0625, ESTIMATE, 0.03125, 0.03125), (Verdict::Pass, 0.0625), "a hundredth of the gradient");
    assert_eq!(verdict(8.09375, ESTIMATE, 0.03125, 0.03125), (Verdict::Mismatch, 0.09375));
    assert_eq!(
        verdict(8.0625, ESTIMATE, 0.03125, 2.0),
        (Verdict::Unresolved, 0.0625),
        "it may be right, and is not proven"
    );
    for wobble in [0.0625, 0.5] {
        let found = verdict(8.0625, ESTIMATE, 0.03125, wobble);
        assert_eq!(found, (Verdict::Unresolved, 0.0625), "more than a hundredth: {wobble}");
    }
    assert_eq!(verdict(8.125, ESTIMATE, 0.25, 2.0), (Verdict::Pass, 0.125), "it needs no excuse");
}

#[test]
fn a_tolerance_above_a_tenth_of_the_gradient_proves_nothing() {
    assert_eq!(verdict(8.0, ESTIMATE, 0.75, 0.0), (Verdict::Pass, 0.0));
    assert_eq!(verdict(8.0, ESTIMATE, 1.0, 0.0), (Verdict::Unresolved, 0.0));
    // A zero is accepted beside a slope that is a thousand times its tolerance.
    let zero = Estimate { derivative: 0.0, ..ESTIMATE };
    let with_unit = |own: f64| answer(0.0, zero, own, 0.0, Limits { unit: 1000.0, ..EXACT }).verdict;
    assert_eq!((with_unit(0.5), with_unit(2.0)), (Verdict::Pass, Verdict::Unresolved));
}

#[test]
fn differences_that_are_not_clean_call_nothing_wrong_and_prove_nothing() {
    let unclean = Estimate { clean: false, ..ESTIMATE };
    assert_eq!(verdict(8.0, unclean, 0.5, 0.0).0, Verdict::Unresolved);
    assert_eq!(verdict(-8.0, unclean, 0.5, 0.0).0, Verdict::Unresolved);
}

#[test]
fn noise_that_hides_the_truncation_calls_nothing_wrong_that_it_is_not_small_beside() {
    let noisy = |noise: f64| {
        let estimate = Estimate { truncation: 1e-3, noise, ..ESTIMATE };
        judge(-8.0, &estimate, None, &EXACT, Allowances::default).verdict
    };
    assert_eq!([noisy(0.125), noisy(1e-5)], [Verdict::Unresolved, Verdict::Mismatch]);
    let exact = Estimate { truncation: 1e-6, noise: 0.125, ..ESTIMATE };
    assert_eq!(judge(-8.0, &exact, None, &EXACT, Allowances::default).verdict, Verdict::Mismatch);
}

#[test]
fn what_is_not_finite_is_a_fault_where_the_right_answer_is_a_number() {
    for gradient in [f64::NAN, f64::INFINITY] {
        assert_eq!(verdict(gradient, ESTIMATE, 0.5, 0.0), (Verdict::NonFinite, f64::INFINITY));
    }
    let unknown = Estimate { derivative: f64::NAN, ..ESTIMATE };
    assert_eq!(verdict(8.0, unknown, 0.5, 0.0), (Verdict::Unresolved, f64::INFINITY));
    assert_eq!(verdict(8.0, ESTIMATE, f64::INFINITY, 0.0), (Verdict::Unresolved, f64::INFINITY));
    // The slope is infinite, or larger than the precision can say.
    let steep = Estimate { clean: false, ..ESTIMATE };
    let large = Estimate { derivative: 1e31, ..ESTIMATE };
    assert_eq!(verdict(f64::INFINITY, large, 0.5, 0.0).0, Verdict::Pass, "infinity is the nearest that there is");
    assert_eq!(verdict(f64::NEG_INFINITY, large, 0.5, 0.0).0, Verdict::Unresolved);
    for estimate in [steep, unknown] {
        assert_eq!(verdict(f64::INFINITY, estimate, 0.5, 0.0).0, Verdict::Unresolved);
        assert_eq!(verdict(f64::NAN, estimate, 0.5, 0.0).0, Verdict::NonFinite);
    }
}

#[test]
fn at_a_kink_the_error_is_the_distance_from_both_sides() {
    let kink = Estimate { kink: Some([-1.0, 2.0]), ..ESTIMATE };
    for (gradient, expected) in [
        (0.0, (Verdict::Kink, 0.0)),
        (2.25, (Verdict::Kink, 0.0)),
        (-1.25, (Verdict::Kink, 0.0)),
        (2.75, (Verdict::Mismatch, 0.75)),
        (-1.75, (Verdict::Mismatch, 0.75)),
    ] {
        assert_eq!(verdict(gradient, kink, 0.25, 0.0), expected, "{gradient}");
    }
    assert_eq!(verdict(0.0, kink, 0.5, 0.0).0, Verdict::Unresolved, "more than a tenth of what the sides are apart");
}

#[test]
fn a_gradient_between_the_slopes_of_a_near_kink_is_marked() {
    let near = |within: f64| Estimate { near: Some(Near { within, slopes: [2.0, 4.0] }), ..ESTIMATE };
    let marked = |gradient: f64, within: f64| {
        let answer = answer(gradient, near(within), 0.5, 0.0, EXACT);
        (answer.verdict, answer.beside_kink)
    };
    assert_eq!(marked(3.0, 1e-3), (Verdict::Mismatch, true));
    assert_eq!(marked(3.0, 2e-3), (Verdict::Mismatch, false), "it is further away than round-off reaches");
    assert_eq!(marked(8.25, 1e-3), (Verdict::Pass, false));
    assert_eq!(marked(6.0, 1e-3), (Verdict::Mismatch, false));
}

/// A kink's sides are 3 apart and the tolerance may be a tenth of that.
#[test]
fn what_excuses_at_a_kink_leaves_out_the_wobble() {
    let kink = Estimate { kink: Some([-1.0, 2.0]), ..ESTIMATE };
    assert_eq!(verdict(2.25, kink, 0.25, 9.0), (Verdict::Kink, 0.0));
    assert_eq!(verdict(2.75, kink, 0.25, 9.0), (Verdict::Mismatch, 0.75));
}

/// The function does not move: an error of 16 ε over the step may be what adds to a 1 inside, as far as the largest
/// weight carries it.
#[test]
fn where_nothing_moves_an_error_as_large_as_the_rounding_of_one_is_not_called_wrong() {
    let still = Estimate { derivative: 0.0, truncation: 0.0, magnitude: 0.0, step: 0.25, ..ESTIMATE };
    let limits = Limits { weight: 8.0, range: [0.0, 1e30], ..EXACT };
    let judged =
        |gradient: f64, estimate: Estimate| judge(gradient, &estimate, None, &limits, Allowances::default).verdict;
    let below = 16.0 * f64::EPSILON * 8.0 / 0.25;
    assert_eq!(judged(below, still), Verdict::Unresolved);
    assert_eq!(judged(1.01 * below, still), Verdict::Mismatch);
    assert_eq!(judged(below, Estimate { magnitude: 1.0, ..still }), Verdict::Mismatch, "it moves");
}

/// Four of the smallest number of the precision are zero to it.
#[test]
fn a_gradient_below_the_smallest_number_is_proven_to_be_zero() {
    let tiny = Estimate { derivative: 1.0, truncation: 0.0, magnitude: 0.0, ..ESTIMATE };
    let judged = |smallest: f64, truncation: f64| {
        let limits = Limits { range: [smallest, 1e30], ..EXACT };
        judge(0.5, &Estimate { truncation, ..tiny }, None, &limits, Allowances::default).verdict
    };
    assert_eq!(judged(0.75, 0.0), Verdict::Pass);
    assert_eq!(judged(0.75, 2.0), Verdict::Pass, "2.75 of 3");
    assert_eq!(judged(0.75, 3.0), Verdict::Unresolved, "3.75 of 3");
}

/// A millionth of the magnitude is no truncation, and 10⁻⁴ of a tenth of the gradient no noise: the bounds of what
/// noise may hide.
#[test]
fn noise_hides_a_truncation_from_a_hundred_thousandth_of_the_gradient_on() {
    let judged = |truncation: f64, noise: f64| {
        let estimate = Estimate { truncation, noise, magnitude: 4.0, ..ESTIMATE };
        judge(-8.0, &estimate, None, &EXACT, Allowances::default).verdict
    };
    assert_eq!([judged(5e-6, 1e-4), judged(3e-6, 1e-4)], [Verdict::Unresolved, Verdict::Mismatch]);
    assert_eq!([judged(5e-6, 9e-5), judged(5e-6, 7e-5)], [Verdict::Unresolved, Verdict::Mismatch]);
}

#[test]
fn an_excuse_that_is_too_large_hides_no_smaller_one() {
    let beside = |cancelled: f64, gradient: f64| {
        let allowed = Allowances {
            near_wobble: 0.03125,
            wobble: 0.03125,
            any_wobble: 0.03125,
            cancelled,
            ..Allowances::default()
        };
        let estimate = Estimate { truncation: 0.0, magnitude: 0.0, ..ESTIMATE };
        judge(gradient, &estimate, None, &EXACT, || allowed).verdict
    };
    assert_eq!([0.0, 4.0].map(|cancelled| beside(cancelled, 8.015625)), [Verdict::Pass; 2]);
    assert_eq!([0.0, 4.0].map(|cancelled| beside(cancelled, 8.25)), [Verdict::Mismatch, Verdict::Unresolved]);
}

#[test]
fn what_the_rounding_of_a_saturated_result_may_have_left_is_neither_wrong_nor_proven() {
    let at = |magnitude: f64, saturated: f64, gradient: f64| {
        let estimate = Estimate { truncation: 0.0, derivative: 1e-5, magnitude, ..ESTIMATE };
        let limits = Limits { roundoff: 1e-6, unit: 1e-5, ..LIMITS };
        judge(gradient, &estimate, None, &limits, || Allowances { saturated, ..Allowances::default() }).verdict
    };
    assert_eq!(at(1e-5, 1.0, 1.1e-5), Verdict::Unresolved);
    assert_eq!(at(1e-5, 1.0, 1.3e-5), Verdict::Mismatch, "it is more than the rounding of 1");
    assert_eq!(at(1e-5, 1e-3, 1.1e-5), Verdict::Mismatch, "the output is small too");
    assert_eq!(at(1e-2, 1.0, 1.1e-5), Verdict::Mismatch, "the terms are as large as the rounding");
}

/// Round-off explains 1 of a wobble of 4: an error of 2 is neither proven to be round-off nor wrong.
#[test]
fn a_wobble_beyond_what_round_off_explains_proves_nothing() {
    let estimate = Estimate { truncation: 0.0, derivative: 1024.0, ..ESTIMATE };
    let allowed = Allowances { near_wobble: 1.0, wobble: 1.0, any_wobble: 4.0, ..Allowances::default() };
    let verdict = |error: f64| judge(1024.0 + error, &estimate, None, &EXACT, || allowed).verdict;
    assert_eq!([0.5, 2.0, 8.0].map(verdict), [Verdict::Pass, Verdict::Unresolved, Verdict::Mismatch]);
}

/// Outputs that do not move may hide a slope of 2: that is called neither right nor wrong.
#[test]
fn what_may_be_hidden_is_not_called_wrong() {
    let estimate = Estimate { truncation: 0.0, derivative: 0.0, magnitude: 0.0, hidden: 2.0, ..ESTIMATE };
    let verdict = |gradient: f64| judge(gradient, &estimate, None, &EXACT, Allowances::default).verdict;
    assert_eq!([1.0, 4.0].map(verdict), [Verdict::Unresolved, Verdict::Mismatch]);
}

#[test]
fn what_no_difference_can_see_is_not_called_wrong() {
    let estimate = Estimate { truncation: 0.0, ..ESTIMATE };
    let verdict = |noise: f64, steepest: f64| {
        let allowed = Allowances { steepest, ..Allowances::default() };
        judge(108.0, &Estimate { noise, ..estimate }, None, &EXACT, || allowed).verdict
    };
    assert_eq!([49.0, 51.0].map(|noise| verdict(noise, 0.0)), [Verdict::Mismatch, Verdict::Unresolved]);
    assert_eq!([101.0, 99.0].map(|steepest| verdict(0.0, steepest)), [Verdict::Mismatch, Verdict::Unresolved]);
}
