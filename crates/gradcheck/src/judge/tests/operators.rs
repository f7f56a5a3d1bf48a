//! What each operator of `judge.rs` does: one test for each that no other test holds.

use super::*;

#[test]
fn an_infinity_is_right_only_where_differences_are_sure_of_it() {
    let large = Estimate { derivative: 1e31, ..ESTIMATE };
    let of = |estimate: Estimate| verdict(f64::INFINITY, estimate, 0.5, 0.0).0;
    assert_eq!(of(large), Verdict::Pass);
    assert_eq!(of(Estimate { clean: false, ..large }), Verdict::Unresolved);
    assert_eq!(of(Estimate { derivative: f64::INFINITY, ..large }), Verdict::Unresolved);
}

/// The output is 7 and the element's terms are 2⁻¹⁰: four roundings of a hundred times these are 3.8 · 10⁻⁴, which is
/// little beside the gradient of 0.01. Four roundings of the output are more than that gradient.
#[test]
fn an_element_may_need_the_rounding_of_a_hundred_times_its_terms() {
    let estimate = Estimate { derivative: 0.01, truncation: 0.0, magnitude: 2f64.powi(-10), ..ESTIMATE };
    let limits = Limits { roundoff: 2f64.powi(-10), unit: 0.0, ..LIMITS };
    let allowed = Allowances { output: 7.0, ..Allowances::default() };
    let verdict = |error: f64| judge(0.01 + error, &estimate, None, &limits, || allowed).verdict;
    assert_eq!([3e-4, 5e-4].map(verdict), [Verdict::Pass, Verdict::Unresolved]);
}

/// Two roundings of a result of 4 are 8 · 10⁻⁶, and a thousandth of it is 4 · 10⁻³.
#[test]
fn a_saturated_result_is_rounded_as_its_size_says() {
    let verdict = |magnitude: f64, error: f64| {
        let estimate = Estimate { truncation: 0.0, derivative: 1e-5, magnitude, ..ESTIMATE };
        let limits = Limits { roundoff: 1e-6, unit: 1e-5, ..LIMITS };
        let allowed = Allowances { saturated: 4.0, ..Allowances::default() };
        judge(1e-5 + error, &estimate, None, &limits, || allowed).verdict
    };
    assert_eq!(verdict(2e-3, 5e-6), Verdict::Unresolved);
    assert_eq!([verdict(2e-3, 9e-6), verdict(5e-3, 7e-6)], [Verdict::Mismatch; 2]);
}
