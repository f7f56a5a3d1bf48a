use super::*;
use crate::examine::tests::{claims, only, options, problem, variable};
use crate::{Options, Problem};

fn line(x: &[f64], slopes: &'static [f64]) -> Problem<'static> {
    problem(vec![variable("x", x)], move |values| vec![values[0].data().iter().zip(slopes).map(|(x, c)| x * c).sum()])
}

/// y = 3 x₀ + x₁ with a source for each of these gradients of it.
fn rows_of(gradients: &[[f64; 2]]) -> Vec<Row> {
    let mut problem = line(&[2.0, 2.0], &[3.0, 1.0]);
    for (number, &gradient) in gradients.iter().enumerate() {
        problem = claims(problem, only(move |_| gradient.to_vec()));
        problem.sources.last_mut().unwrap().name = format!("source {number}");
    }
    problem.examine(&options()).report().rows.clone()
}

#[test]
fn the_odd_one_out_is_who_is_wrong_alone_or_the_differences() {
    let odd = |gradients: &[[f64; 2]]| rows_of(gradients).into_iter().find_map(|row| row.odd_one_out);
    let (right, wrong) = ([3.0, 1.0], [5.0, 1.0]);
    assert_eq!(odd(&[right, right]), None);
    assert_eq!(odd(&[wrong]), None, "there is nobody else");
    assert_eq!(odd(&[right, wrong]).unwrap(), "source 1");
    assert_eq!(odd(&[right, wrong, right]).unwrap(), "source 1");
    assert_eq!(odd(&[right, wrong, wrong]), None, "two against one and the differences");
    // Two that are off by 2 agree to within a hundredth of that.
    assert_eq!(odd(&[wrong, [5.018, 1.0]]).unwrap(), "finite differences");
    assert_eq!(odd(&[wrong, [5.025, 1.0]]), None);
    assert_eq!(odd(&[wrong, [f64::NAN, 1.0]]), None);
}

#[test]
fn a_gradient_of_another_shape_agrees_with_nobody() {
    let mut problem = claims(line(&[2.0, 2.0], &[3.0, 1.0]), only(|_| vec![3.0, 5.0]));
    problem.sources.push(crate::GradientSource::new("short", 1e-9, |_, _| vec![Some(Value::full([1], 5.0))]));
    let rows = problem.examine(&options()).report().rows.clone();
    assert_eq!(rows[1].diagnosis.as_deref(), Some("the gradient's dimensions are [1], the tensor's [2]"));
    assert!(rows.iter().all(|row| row.verdict == Verdict::Mismatch && row.odd_one_out.is_none()));
}

#[test]
fn what_is_missing_moody_or_not_finite_is_said() {
    let diagnosis = |gradient: &dyn Fn() -> Option<Vec<f64>>| {
        let mut problem = line(&[2.0, 2.0], &[3.0, 1.0]);
        let source = |w: &Value| Some(Value::new([2], gradient()?.iter().map(|g| g * w.data()[0]).collect()));
        problem.sources.push(crate::GradientSource::new("source", 1e-9, move |_, w| vec![source(w)]));
        let report = problem.examine(&options()).report().clone();
        (report.rows[0].verdict, report.rows[0].diagnosis.clone().unwrap(), report.rows[0].sweep.is_some())
    };
    let (verdict, said, swept) = diagnosis(&|| None);
    assert!((verdict, swept) == (Verdict::Missing, false) && said.contains("detached"), "{said}");
    let calls = std::cell::Cell::new(0);
    let moody = || {
        calls.set(calls.get() + 1);
        Some(vec![3.0 + f64::EPSILON * f64::from(2 * (calls.get() % 2)), 1.0])
    };
    let (verdict, said, swept) = diagnosis(&moody);
    assert!((verdict, swept) == (Verdict::NonDeterministic, false) && said.contains("two runs differ"), "{said}");
    let (verdict, said, swept) = diagnosis(&|| Some(vec![f64::NAN, f64::INFINITY]));
    assert_eq!((verdict, said.as_str(), swept), (Verdict::NonFinite, "2 of 2 elements are NaN or infinite", false));
}

/// y = 3 x + c (x − 2)³ at 2 has the central difference 3 + c h², for steps of 2/10, …, 2/10⁸. A gradient of 6 is wrong
/// by 3.
#[test]
fn an_error_stays_if_it_is_within_a_factor_of_two_at_five_of_eight_steps() {
    let sweep = |c: f64| {
        let cubic = problem(vec![variable("x", &[2.0])], move |values| {
            let x = values[0].data()[0];
            vec![3.0 * x + c * (x - 2.0).powi(3)]
        });
        let options = Options { steps: vec![2f64.powi(-20)], ..options() };
        claims(cubic, only(|_| vec![6.0])).examine(&options).report().rows[0].sweep.clone().unwrap()
    };
    let straight = sweep(0.0);
    for (exponent, (step, error)) in (1..).zip(&straight.points) {
        let expected = 2.0 * 10f64.powi(-exponent);
        assert!((step / expected - 1.0).abs() < 1e-9 && (error - 3.0).abs() < 1e-6, "{step:e} {error}");
    }
    assert!(straight.points.len() == 8 && straight.stays);
    // At the fourth step the difference is off by 0.4, 2 and −2.5, and at longer ones by more than all.
    assert_eq!([1e7, 5e7, -6.25e7].map(|c| sweep(c).stays), [true, false, true]);
}

#[test]
fn all_elements_of_a_small_tensor_are_known_to_the_diagnosis() {
    const SLOPES: [f64; 8] = [1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 22.0, 29.0];
    let mut problem = line(&[2.0; 8], &SLOPES);
    problem.tensors[0].value = Value::full([2, 4], 2.0);
    problem.sources.push(crate::GradientSource::new("transposed", 1e-9, |_, w| {
        vec![Some(Value::new([2, 4], (0..8).map(|i| w.data()[0] * SLOPES[i % 2 * 4 + i / 2]).collect()))]
    }));
    let options = Options { full: 4, quota: 4, ..options() };
    let row = problem.examine(&options).report().rows[0].clone();
    assert_eq!((row.checked, row.diagnosis.as_deref()), (4, Some("transposed")));
}

/// The largest gradient is 1000: numbers that are 10⁻⁶ apart are the same to a diagnosis.
#[test]
fn a_diagnosis_overlooks_a_billionth_of_the_largest_gradient() {
    let mut problem = claims(line(&[2.0; 4], &[1000.0, 1.0, 2.0, 3.0]), only(|_| vec![1000.0, 2.0, 2.000_000_5, 3.0]));
    problem.sources[0].unit_roundoff = 2f64.powi(-53);
    let row = problem.examine(&options()).report().rows[0].clone();
    assert_eq!(row.mismatched, 2);
    assert_eq!(row.diagnosis.as_deref(), Some("only the element [1] is wrong"));
}

#[test]
fn a_mean_may_be_taken_over_axes_positions_channels_and_all() {
    let mut problem = line(&[2.0], &[3.0]);
    problem.tensors.push(variable("image", &[1.0; 60]));
    problem.tensors[1].value = Value::full([2, 3, 2, 5], 1.0);
    let options = options();
    let examination = problem.examine(&options);
    let names = factors(&examination);
    for (size, name) in [
        (2.0, "axis 0 of the output"),
        (1.0, "the elements of `x`"),
        (3.0, "axis 1 of `image`"),
        (60.0, "the elements of `image`"),
        (10.0, "the positions in `image`"),
        (20.0, "the elements of a channel of `image`"),
    ] {
        assert!(names.contains(&(size, name.to_owned())), "{size} {name}: {names:?}");
    }
    assert_eq!(names.len(), 2 + 2 + 7);
}
