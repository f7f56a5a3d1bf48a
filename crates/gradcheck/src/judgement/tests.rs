use super::*;
use crate::examine::tests::{U, claims, only, problem, variable};
use crate::report::Report;
use crate::{Options, Problem};

fn report(problem: &Problem<'_>) -> Report {
    let options = Options { cotangents: 1, ..Options::default() };
    problem.examine(&options).report().clone()
}

/// y = |x − kink| at x = 2, of a source that has the kink at `its`.
fn absolute(kink: f64, its: f64) -> (Verdict, usize) {
    let function = problem(vec![variable("x", &[2.0])], move |values| vec![(values[0].data()[0] - kink).abs()]);
    let report = report(&claims(function, only(move |x| vec![if x[0] > its { 1.0 } else { -1.0 }])));
    (report.rows[0].verdict, report.rows[0].kinks)
}

#[test]
fn a_source_may_be_on_the_wrong_side_of_a_kink_within_its_round_off() {
    let near = 2e-5;
    // The kink is 21 round-offs above the point, and the source has it 94 below: no change of the point by round-off
    // leads across.
    assert_eq!(absolute(2.0 + 2.0 * near, 2.0 - 9.0 * near), (Verdict::Kink, 1));
    assert_eq!(absolute(2.0 - 2.0 * near, 2.0 + 9.0 * near), (Verdict::Kink, 1));
    assert_eq!(absolute(2.0 + 2.0 * near, 2.0 + 2.0 * near), (Verdict::Pass, 0));
}

#[test]
fn a_source_that_is_wrong_further_away_from_the_kink_too_is_wrong() {
    let near = 2e-5;
    assert_eq!(absolute(2.0 + 2.0 * near, f64::NEG_INFINITY).0, Verdict::Mismatch, "it has no kink at all");
    assert_eq!(absolute(2.0 - 2.0 * near, f64::INFINITY).0, Verdict::Mismatch);
    assert_eq!(absolute(2.0 + 2.0 * near, 1.9).0, Verdict::Mismatch, "its kink is elsewhere");
    assert_eq!(absolute(2.02, 1.98).0, Verdict::Mismatch, "the kink is further away than round-off reaches");
}

#[test]
fn what_is_missing_or_of_other_dimensions_is_told() {
    let verdict = |gradient: Option<Value>| {
        let mut problem = problem(vec![variable("x", &[2.0, 1.0])], |values| values[0].data().to_vec());
        problem.sources.push(crate::GradientSource::new("source", U, move |_, _| vec![gradient.clone()]));
        report(&problem).rows[0].verdict
    };
    assert_eq!(verdict(None), Verdict::Missing);
    assert_eq!(verdict(Some(Value::full([2, 1], 1.0))), Verdict::Mismatch);
    assert_eq!(verdict(Some(Value::full([3], 1.0))), Verdict::Mismatch);
    assert_eq!(verdict(Some(Value::full([2], f64::NAN))), Verdict::NonFinite);
}

/// One element of which nobody asks is not a number.
#[test]
fn a_gradient_with_a_nan_is_not_finite_wherever_it_is() {
    let lines = problem(vec![variable("x", &[1.0; 500])], |values| vec![values[0].data().iter().sum()]);
    let problem = claims(lines, only(|_| (0..500).map(|i| if i == 250 { f64::NAN } else { 1.0 }).collect()));
    let options = Options { cotangents: 1, full: 2, quota: 2, ..Options::default() };
    assert_eq!(problem.examine(&options).report().rows[0].verdict, Verdict::NonFinite);
}

/// y = Σ x_i of 40 elements: what is wrong everywhere is confirmed at one, and told of all.
#[test]
fn a_gradient_that_is_wrong_everywhere_is_wrong() {
    let sum = || problem(vec![variable("x", &[2.0; 40])], |values| vec![values[0].data().iter().sum()]);
    let row = report(&claims(sum(), only(|_| vec![2.0; 40]))).rows[0].clone();
    assert_eq!((row.verdict, row.mismatched, row.unresolved, row.kinks), (Verdict::Mismatch, 40, 0, 0));
    let one =
        report(&claims(sum(), only(|_| (0..40).map(|i| if i == 7 { 3.0 } else { 1.0 }).collect()))).rows[0].clone();
    assert_eq!((one.verdict, one.mismatched, one.worst.unwrap().index), (Verdict::Mismatch, 1, 7));
}

/// y = Σ |x_i − kink| of 40 elements, all of which lie on the other side for the source: no more than 16 are looked at
/// again.
#[test]
fn what_is_excused_at_sixteen_elements_is_not_proven_of_more() {
    let row = |count: usize| {
        let x = vec![2.0; count];
        let sum = problem(vec![variable("x", &x)], |values| {
            vec![values[0].data().iter().map(|x| (x - 2.0 - 4e-5).abs()).sum()]
        });
        let gradient = |x: &[f64]| x.iter().map(|x| if *x > 2.0 - 1.8e-4 { 1.0 } else { -1.0 }).collect();
        let options = Options { cotangents: 0, jacobian: 1_000_000, ..Options::default() };
        let row = claims(sum, only(gradient)).examine(&options).report().rows[0].clone();
        (row.verdict, row.kinks, row.unresolved, row.mismatched)
    };
    assert_eq!(row(CONFIRMED), (Verdict::Kink, CONFIRMED, 0, 0));
    assert_eq!(row(CONFIRMED + 1), (Verdict::Unresolved, CONFIRMED, 1, 0));
}

#[test]
fn a_zero_is_excused_by_what_moves_elsewhere_and_no_more() {
    let verdict = |gradient: f64| {
        let mut problem = problem(vec![variable("a", &[2.0]), variable("b", &[4.0])], |values| {
            vec![3.0 * values[0].data()[0] + 0.0 * values[1].data()[0]]
        });
        problem.sources.push(crate::GradientSource::new("source", U, move |_, w| {
            vec![Some(Value::full([1], 3.0 * w.data()[0])), Some(Value::full([1], gradient * w.data()[0]))]
        }));
        let options = Options { cotangents: 0, ..Options::default() };
        problem.examine(&options).report().rows[1].verdict
    };
    // 16 u · 6 / 4.
    assert_eq!([0.0, 23.0 * U, -23.0 * U].map(verdict), [Verdict::Pass; 3]);
    // More may be the rounding of the output, and is not proven; still more is wrong.
    assert_eq!([25.0 * U, -25.0 * U].map(verdict), [Verdict::Unresolved; 2]);
    assert_eq!([0.01, -0.01].map(verdict), [Verdict::Mismatch; 2]);
}

#[test]
fn a_gradient_of_less_than_the_round_off_shows_no_thousandth() {
    let shows = |u: f64| {
        let mut problem = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
        problem = claims(problem, only(|_| vec![3.0]));
        problem.sources[0].unit_roundoff = u;
        let options = Options { cotangents: 0, ..Options::default() };
        let examination = problem.examine(&options);
        let run = examination.runs[0].run().unwrap();
        let gradients: Vec<&Value> = run.of(0).into_iter().flatten().collect();
        examination.shows_a_thousandth(0, 0, &gradients)
    };
    // 16 u of the terms of the gradient, of the output and of its other terms: 18 times the gradient in all.
    assert!(shows(2f64.powi(-20)) && !shows(2f64.powi(-14)));
}

/// y = Σ c |x − kink| where the source takes 20 elements for those on the other side, and is wrong at the last, whose
/// error is a little smaller, beside a tolerance that is much smaller.
#[test]
fn what_is_the_most_wrong_beside_its_tolerance_is_looked_at_first() {
    let factor = |index: usize| if index == 20 { 0.1 } else { 1.0 };
    let sum = problem(vec![variable("x", &[2.0; 21])], move |values| {
        let x = values[0].data().iter().enumerate();
        vec![x.map(|(index, x)| factor(index) * (x - 2.0 - 4e-5).abs()).sum()]
    });
    let gradient = |x: &[f64]| {
        let side = |x: f64| if x > 2.0 - 1.8e-4 { 1.0 } else { -1.0 };
        let excused = x[..20].iter().map(|x| side(*x));
        excused.chain([1.8]).collect()
    };
    let options = Options { cotangents: 0, jacobian: 1_000_000, ..Options::default() };
    let row = claims(sum, only(gradient)).examine(&options).report().rows[0].clone();
    assert_eq!((row.verdict, row.mismatched, row.worst.unwrap().index), (Verdict::Mismatch, 21, 20));
}

#[test]
fn a_slope_is_zero_below_a_thousandth_and_in_double_precision_below_a_tenth_of_that() {
    let limits = |u: f64| {
        let mut line = problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]]);
        line = claims(line, only(|_| vec![3.0]));
        line.sources[0].unit_roundoff = u;
        let options = Options { cotangents: 0, ..Options::default() };
        let examination = line.examine(&options);
        let gradients = examination.runs[0].run().unwrap().of(0);
        let of = examination.limits(&Claim { source: 0, tensor: 0, gradients: &gradients }, &[0])[0];
        assert_eq!((of.roundoff, of.near, of.unit, of.weight), (16.0 * u, NEAR * u, 1.0, 1.0));
        of.resolution
    };
    assert_eq!([2f64.powi(-53), 2f64.powi(-24), 1e-12].map(limits), [1e-4, 1e-3, 1e-3]);
}

/// The verdict on the zero of a second tensor, of this typical size, that moves a rounding of 1e-8 alone, where the
/// first moves the function by `motion`.
fn beside_motion(motion: f64, size: f64) -> Verdict {
    let mut rounds = problem(vec![variable("a", &[2.0]), variable("b", &[size])], move |values| {
        let (a, b) = (values[0].data()[0], values[1].data()[0] / size);
        vec![motion * a + (((b + 1e8) - 1e8) - b)]
    });
    rounds.sources.push(crate::GradientSource::new("source", U, move |_, w| {
        vec![Some(Value::full([1], motion * w.data()[0])), Some(Value::full([1], 0.0))]
    }));
    let options = Options { cotangents: 0, ..Options::default() };
    rounds.examine(&options).report().rows[1].verdict
}

#[test]
fn a_zero_is_proven_if_differences_bound_it_by_a_thousandth_of_what_moves_elsewhere() {
    // They bound it by 7e-8 over its size, and what moves elsewhere is 2 motion over its size.
    assert_eq!([1.0, 1e4].map(|size| beside_motion(1e-4, size)), [Verdict::Pass; 2]);
    assert_eq!([1.0, 1e4].map(|size| beside_motion(1e-5, size)), [Verdict::Unobservable; 2]);
    // With shorter steps they bound it by 9e-5, and a slope of less may hide in that.
    assert_eq!([1e-2, 1e-5].map(|motion| beside_motion(motion, 1e-4)), [Verdict::Pass, Verdict::Unobservable]);
}

/// y = x₀ / 4 at x₀ = 2, beside which nothing moves.
#[test]
fn what_may_excuse_an_element_is_measured_by_its_outputs_and_its_size() {
    let quarter = problem(vec![variable("x", &[2.0])], |values| vec![0.25 * values[0].data()[0]]);
    let quarter = claims(quarter, only(|_| vec![0.25]));
    let options = Options { cotangents: 0, ..Options::default() };
    let examination = quarter.examine(&options);
    let gradients = examination.runs[0].run().unwrap().of(0);
    let claim = Claim { source: 0, tensor: 0, gradients: &gradients };
    let found = examination.allowances(&claim, 0, 0, 0.25);
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-9;
    let shared = examination.energies[0] / examination.oracle().typical[0];
    assert!(near(found.shared, shared) && near(shared, 0.25), "{found:?}");
    // The output is 1/2, and the weight 1.
    assert!(near(found.saturated, 0.5) && near(found.beside, 0.25) && near(found.output, 0.25), "{found:?}");
    assert!(near(found.steepest, 0.25 / f64::EPSILON) && near(found.terms, 0.25), "{found:?}");
    assert!(near(found.wobble_bound, WOBBLE * U * (0.25 + 0.25 + 0.5 + 0.25 + 1.0)), "{found:?}");
    assert!(near(examination.wobble_bound(0, 0, 3.0), WOBBLE * U * 4.0));
    assert!(near(examination.saturated(0), 0.5));
}

/// Not even a rounding is to be seen.
#[test]
fn a_function_that_is_zero_everywhere_proves_no_gradient() {
    let zero = Problem::new("zero", burn::tensor::DType::F64, vec![variable("x", &[2.0])], |values| {
        Value::new([2], vec![0.0 * values[0].data()[0]; 2])
    });
    let zero = claims(zero, |_, _| vec![0.0]);
    assert_eq!(report(&zero).rows[0].verdict, Verdict::Unobservable);
}
