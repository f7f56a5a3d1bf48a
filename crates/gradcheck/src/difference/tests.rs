mod oracle;

use std::rc::Rc;

use super::*;
use crate::Options;
use crate::cotangent::Cotangent;
use crate::precision::Precision;
use crate::problem::Evaluation;

/// The errors of the central and of the extrapolated difference of `f` at `x` with this step.
fn errors(f: fn(f64) -> f64, derivative: f64, x: f64, step: f64) -> [f64; 2] {
    let forward: Evaluation<'static> = Rc::new(move |values| (Value::new([1], vec![f(values[0].data()[0])]), None));
    let values = vec![Value::new([1], vec![x])];
    let center = forward(&values);
    let options = Options { steps: vec![step], ..Options::default() };
    let cotangents = vec![Cotangent::one_hot(&[1], 0)];
    let double = Precision(burn::tensor::DType::F64);
    let oracle = Oracle::new(Place::new(forward, double, values, |_| true, center, cotangents, &options, 0.0));
    let estimate = measured(&oracle, step);
    let (_, central) = oracle.central(0, 0, 0, step / oracle.base(0, 0));
    [(central - derivative).abs(), (estimate.derivative - derivative).abs()]
}

/// What the five points with this step say of the first element under the first cotangent.
fn measured(oracle: &Oracle<'_>, step: f64) -> crate::measure::Measured {
    let line = Line::element(0, 0, 1.0);
    oracle.points(&mut oracle.values.clone(), &line, step).measure(&oracle.cotangents[0], &oracle.noise)
}

/// Halving the step divides the error by 2 to the order.
fn orders(f: fn(f64) -> f64, derivative: f64, x: f64) -> [f64; 2] {
    let (coarse, fine) = (errors(f, derivative, x, 0.04), errors(f, derivative, x, 0.02));
    std::array::from_fn(|kind| (coarse[kind] / fine[kind]).log2())
}

/// The largest number is an element, an output, or 1.
#[test]
fn round_off_hides_64_roundings_of_the_largest_number_under_the_largest_weight() {
    for (x, slope, largest) in [(5.0, 0.5, 5.0), (5.0, 2.0, 10.0), (0.125, 1.0, 1.0)] {
        let forward: Evaluation<'static> =
            Rc::new(move |values| (Value::new([1], vec![slope * values[0].data()[0]]), None));
        let values = vec![Value::new([1], vec![x])];
        let (center, double) = (forward(&values), Precision(burn::tensor::DType::F64));
        let place = Place::new(forward, double, values, |_| true, center, Vec::new(), &Options::default(), 0.0);
        let mut cotangent = Cotangent::one_hot(&[1], 0);
        cotangent.value = Value::new([1], vec![-3.0]);
        assert_eq!(place.quantum(&cotangent), 64.0 * f64::EPSILON * largest * 3.0);
    }
}

#[test]
fn central_differences_are_of_second_order_and_extrapolated_ones_of_fourth() {
    for (f, derivative, x) in [
        (f64::exp as fn(f64) -> f64, 0.7f64.exp(), 0.7),
        (f64::sin, 1.3f64.cos(), 1.3),
        (f64::tanh, 1.0 - 0.4f64.tanh().powi(2), 0.4),
    ] {
        let [central, extrapolated] = orders(f, derivative, x);
        assert!((central - 2.0).abs() < 0.05, "central: order {central}");
        assert!((extrapolated - 4.0).abs() < 0.1, "extrapolated: order {extrapolated}");
    }
}

#[test]
fn a_thousandth_is_the_right_step_in_double_precision() {
    let [central, extrapolated] = errors(f64::exp, 1f64.exp(), 1.0, 1e-3);
    assert!(central < 1e-6 && extrapolated < 1e-11, "{central:e} {extrapolated:e}");
}

#[test]
fn the_truncation_term_bounds_the_error_of_the_extrapolated_difference() {
    for step in [0.1, 0.03, 0.01] {
        let [central, extrapolated] = errors(f64::tanh, 1.0 - 0.8f64.tanh().powi(2), 0.8, step);
        assert!(extrapolated < 0.1 * central, "{step}");
    }
}
