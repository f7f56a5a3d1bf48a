//! Wrong backward passes, and what the report says of them.

use backproof_gradcheck::{Arguments, Check, Gradients, Report, Value, Verdict};
use burn::tensor::{DType, activation};

use crate::common::*;

/// The weight's gradient in [`linear`], which the fault changes; `[4, 3]`, batch 6.
fn weight_fault(fault: impl Fn(&Arguments<'_>, Vec<f64>) -> Vec<f64> + 'static) -> Report {
    let check = linear(DType::F32).autodiff(&device()).source("manual", &device(), move |t| {
        let right = Value::from_tensor(t.get::<2>("x").transpose().matmul(t.cotangent::<2>()));
        linear_manual(t).with("w", Value::new([4, 3], fault(t, right.data().to_vec())))
    });
    check.run()
}

fn assert_diagnosis(report: &Report, tensor: &str, expected: &str) {
    let row = report.row("manual", tensor).unwrap();
    assert_eq!(row.verdict, Verdict::Mismatch, "{report}");
    let diagnosis = row.diagnosis.as_deref().unwrap();
    assert!(diagnosis.contains(expected), "expected “{expected}” in “{diagnosis}”\n{report}");
    assert!(row.sweep.as_ref().unwrap().stays, "{report}");
    assert_eq!(row.odd_one_out.as_deref(), report.rows.iter().any(|row| row.source == "autodiff").then_some("manual"));
    assert!(!report.proven);
}

#[test]
fn a_flipped_sign() {
    let report = weight_fault(|_, g| g.iter().map(|x| -x).collect());
    assert_diagnosis(&report, "w", "the sign is flipped");
    assert_eq!(report.verdict("manual", "x"), Some(Verdict::Pass));
    assert_eq!(report.verdict("autodiff", "w"), Some(Verdict::Pass));
}

#[test]
fn a_lost_mean_over_the_batch() {
    assert_diagnosis(
        &weight_fault(|_, g| g.iter().map(|x| x * 6.0).collect()),
        "w",
        "6 times too large: a lost factor 1/N, N = 6 is axis 0 of the output",
    );
    assert_diagnosis(&weight_fault(|_, g| g.iter().map(|x| x / 6.0).collect()), "w", "an extra factor 1/N, N = 6");
}

#[test]
fn a_factor_two_and_a_thousandth() {
    assert_diagnosis(&weight_fault(|_, g| g.iter().map(|x| x * 2.0).collect()), "w", "an extra factor 2");
    assert_diagnosis(&weight_fault(|_, g| g.iter().map(|x| x * 0.5).collect()), "w", "a lost factor 2");
    assert_diagnosis(&weight_fault(|_, g| g.iter().map(|x| x * 1.001).collect()), "w", "1.001000 times");
}

#[test]
fn a_transposed_weight_gradient() {
    let transposed = |_: &Arguments<'_>, g: Vec<f64>| (0..12).map(|i| g[i % 4 * 3 + i / 4]).collect();
    assert_diagnosis(&weight_fault(transposed), "w", "transposed");
}

#[test]
fn shifted_by_one() {
    let shifted = |_: &Arguments<'_>, mut g: Vec<f64>| {
        g.rotate_right(1);
        g
    };
    assert_diagnosis(&weight_fault(shifted), "w", "shifted by one element");
}

#[test]
fn one_row_only_and_one_element_only() {
    let row = |_: &Arguments<'_>, mut g: Vec<f64>| {
        g[6..9].iter_mut().for_each(|x| *x *= 1.5);
        g
    };
    assert_diagnosis(&weight_fault(row), "w", "wrong only at index 2 of 4 along axis 0");
    let element = |_: &Arguments<'_>, mut g: Vec<f64>| {
        g[11] += 0.1;
        g
    };
    assert_diagnosis(&weight_fault(element), "w", "only the element [3, 2], the last one is wrong");
}

#[test]
fn a_dropped_column_and_nothing_at_all() {
    let column = |_: &Arguments<'_>, mut g: Vec<f64>| {
        (0..4).for_each(|row| g[3 * row] = 0.0);
        g
    };
    assert_diagnosis(&weight_fault(column), "w", "zero in 4 elements where it should not be");
    assert_diagnosis(&weight_fault(|_, g| vec![0.0; g.len()]), "w", "zero everywhere");
}

#[test]
fn a_weight_decay_that_does_not_belong() {
    let decay = |t: &Arguments<'_>, g: Vec<f64>| g.iter().zip(t.value("w").data()).map(|(g, w)| g + 0.01 * w).collect();
    assert_diagnosis(&weight_fault(decay), "w", "too large by 0.010000 times the tensor itself");
}

#[test]
fn a_permutation() {
    let reversed = |_: &Arguments<'_>, g: Vec<f64>| (0..12).map(|i| g[i * 5 % 12]).collect();
    assert_diagnosis(&weight_fault(reversed), "w", "the right numbers in the wrong places");
}

fn relu_with(mask: impl Fn(&Value) -> Vec<f64> + 'static) -> Report {
    let x = Value::normal([4, 5], 1);
    let check = Check::new("relu").input("x", x).forward(&device(), |t| activation::relu(t.get::<2>("x")));
    let manual = move |t: &Arguments<'_>| {
        let mask = mask(t.value("x"));
        let data = t.cotangent_value().data().iter().zip(mask).map(|(g, m)| g * m).collect();
        Gradients::new().with("x", Value::new([4, 5], data))
    };
    check.autodiff(&device()).source("manual", &device(), manual).run()
}

#[test]
fn the_mask_of_another_step() {
    let other = |_: &Value| Value::normal([4, 5], 2).data().iter().map(|&x| f64::from(x > 0.0)).collect();
    assert_diagnosis(&relu_with(other), "x", "the mask of another step");
    let none = |x: &Value| vec![1.0; x.len()];
    assert_diagnosis(&relu_with(none), "x", "where the forward is flat: the mask is missing or stale");
}

#[test]
fn wrong_at_a_kink_only() {
    let mut x = Value::normal([4, 5], 1).data().to_vec();
    x[7] = 0.0;
    let report = Check::new("relu")
        .input("x", Value::new([4, 5], x))
        .forward(&device(), |t| activation::relu(t.get::<2>("x")))
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let slope = |&x: &f64| if x == 0.0 { 2.0 } else { f64::from(x > 0.0) };
            let pairs = t.value("x").data().iter().zip(t.cotangent_value().data());
            Gradients::new().with("x", Value::new([4, 5], pairs.map(|(x, g)| slope(x) * g).collect()))
        })
        .run();
    let row = report.row("manual", "x").unwrap();
    assert_eq!((row.verdict, row.mismatched), (Verdict::Mismatch, 1), "{report}");
    assert!(row.diagnosis.as_deref().unwrap().contains("wrong only at kinks or ties"), "{report}");
}

#[test]
fn a_batch_norm_that_forgets_that_the_mean_moves() {
    let check = batch_norm(DType::F64, 7, 3).source("forgetful", &device(), |t| {
        let x = t.get::<2>("x");
        let centred = x.clone() - x.mean_dim(0);
        let deviation = (centred.square().mean_dim(0) + 1e-5).sqrt();
        Gradients::new().with("x", t.cotangent::<2>() * t.get::<1>("gamma").unsqueeze() / deviation)
    });
    let report = check.run();
    assert_eq!(report.verdict("forgetful", "x"), Some(Verdict::Mismatch));
    assert_eq!(report.verdict("forgetful", "gamma"), Some(Verdict::Missing));
    assert_eq!(report.row("forgetful", "x").unwrap().odd_one_out.as_deref(), Some("forgetful"), "{report}");
}

#[test]
fn a_kernel_turned_around() {
    let check = conv(DType::F64, [2, 3], 4, 1, 0);
    let problem = check.problem();
    let autodiff = problem.sources[0].backward.clone();
    let turned = backproof_gradcheck::GradientSource::new("manual", 1e-16, move |values, w| {
        let mut gradients = autodiff(values, w);
        let right = gradients[1].take().unwrap();
        // The kernel is [3, 2, 3, 2]: the last 3 · 2 elements backwards.
        let data = right.data().chunks(6).flat_map(|kernel| kernel.iter().rev().copied()).collect();
        gradients[1] = Some(Value::new(right.dims(), data));
        gradients
    });
    assert_diagnosis(&check.add(turned).run(), "w", "turned by 180°");
}
