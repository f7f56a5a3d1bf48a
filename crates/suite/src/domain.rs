//! Where a function has a value and a derivative that the precision under test can hold: at other points nothing is
//! asked of a gradient.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Forward, Problem, Value};
use burn::tensor::DType;

/// Steps for one-sided slopes, each a hundredth of the one before: relative to the element, or to 1 at zero.
const STEPS: [f64; 3] = [1e-2, 1e-4, 1e-6];

/// The same for a function in single precision, where shorter ones find round-off.
const SINGLE_STEPS: [f64; 3] = [0.1, 0.03, 0.01];

/// The largest number that the precision can hold.
fn largest(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => f64::from(f32::MAX),
        _ => f64::MAX,
    }
}

/// The function in double precision, or in the precision under test if it panics there, and the steps that go with it.
fn evaluate(problem: &Problem<'_>, values: &[Value]) -> Option<(Value, [f64; 3])> {
    let run = |forward: &Forward<'_>| catch_unwind(AssertUnwindSafe(|| forward(values))).ok();
    let single = || problem.single.as_ref().and_then(run).map(|output| (output, SINGLE_STEPS));
    run(&problem.forward).map(|output| (output, STEPS)).or_else(single)
}

/// Why the point lies outside of the function's domain, if it does: the function in double precision decides it.
pub(crate) fn outside(problem: &Problem<'_>) -> Option<String> {
    let Some((output, _)) = evaluate(problem, &problem.values()) else {
        return Some("the function does not take these tensors".to_owned());
    };
    let largest = largest(problem.dtype);
    if output.is_empty() {
        return Some("the function has no output there".to_owned());
    }
    if !output.data().iter().all(|y| y.is_finite()) {
        return Some("the function is not finite".to_owned());
    }
    let fits = output.data().iter().all(|y| y.abs() <= largest);
    (!fits).then(|| format!("the function is too large for {:?}", problem.dtype))
}

/// What the function does on one side of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// It has a slope that the precision can hold.
    Slope,
    /// It is not finite there: the element lies at the edge of the domain.
    Outside,
    /// It jumps, or its slope has no limit that steps find.
    NoSlope,
}

/// Whether the function has a derivative along this element, at the edge of its domain from one side, that the
/// precision can hold.
pub(crate) fn has_derivative(problem: &Problem<'_>, tensor: usize, index: usize) -> bool {
    let sides = [1.0, -1.0].map(|sign| side(problem, tensor, index, sign));
    sides.contains(&Side::Slope) && !sides.contains(&Side::NoSlope)
}

fn side(problem: &Problem<'_>, tensor: usize, index: usize, sign: f64) -> Side {
    let values = problem.values();
    let Some((output, steps)) = evaluate(problem, &values) else { return Side::Outside };
    let x = values[tensor].data()[index];
    let slopes: Option<Vec<f64>> = (steps.iter())
        .map(|step| {
            let mut moved = values.clone();
            let mut data = moved[tensor].data().to_vec();
            data[index] = x + sign * step * if x == 0.0 { 1.0 } else { x.abs() };
            let taken = data[index] - x;
            moved[tensor] = Value::new(moved[tensor].dims(), data);
            let (there, _) = evaluate(problem, &moved)?;
            let slope = there.data().iter().zip(output.data()).map(|(there, here)| ((there - here) / taken).abs());
            Some(slope.fold(0.0, worse))
        })
        .collect();
    let Some([coarse, middle, fine]) = slopes.as_deref().and_then(|slopes| <[f64; 3]>::try_from(slopes).ok()) else {
        return Side::Outside;
    };
    // Beside 1, a number that is nearly zero is lost: a slope that is zero there, and not over a longer step, is
    // round-off.
    if fine == 0.0 && middle == 0.0 && x != 0.0 && x.abs() < 1e-8 && moves(problem, tensor, index, sign) {
        return Side::NoSlope;
    }
    // Of √x at zero and at a jump, the slope grows with every step; of a function that is all round-off, it is another
    // one each time.
    // One that shrinks with every step, as that of x² at zero, is zero.
    let settles = (middle - fine).abs() <= 0.1 * middle.max(fine) || (fine < 0.5 * middle && middle < 0.5 * coarse);
    match settles && fine < 1e-3 * largest(problem.dtype) {
        _ if !fine.is_finite() || !middle.is_finite() => Side::Outside,
        true => Side::Slope,
        false => Side::NoSlope,
    }
}

/// Whether the function changes over a step of a thousandth.
fn moves(problem: &Problem<'_>, tensor: usize, index: usize, sign: f64) -> bool {
    let mut values = problem.values();
    let before = evaluate(problem, &values);
    let mut data = values[tensor].data().to_vec();
    data[index] += sign * 1e-3;
    values[tensor] = Value::new(values[tensor].dims(), data);
    evaluate(problem, &values).map(|(output, _)| output) != before.map(|(output, _)| output)
}

/// The larger one, or NaN if either is.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

#[cfg(test)]
mod tests {
    use backproof_gradcheck::Check;
    use burn::tensor::{Device, Tensor};

    use super::*;

    fn problem(x: f64, function: fn(Tensor<1>) -> Tensor<1>) -> Problem<'static> {
        let check = Check::new("function").input("x", Value::new([1], vec![x]));
        check.forward(&Device::flex(), move |t| function(t.get("x"))).problem()
    }

    #[test]
    fn a_function_has_a_domain_and_a_precision_has_another() {
        let why = |x: f64, function: fn(Tensor<1>) -> Tensor<1>| outside(&problem(x, function)).unwrap_or_default();
        assert_eq!(why(2.0, Tensor::log), "");
        assert_eq!(why(-1.0, Tensor::log), "the function is not finite");
        assert_eq!(why(90.0, Tensor::exp), "the function is too large for F32");
        assert_eq!(why(1.0, |x| x.reshape([2])), "the function does not take these tensors");
    }

    #[test]
    fn a_derivative_is_the_limit_of_slopes_from_one_side_at_least() {
        let has = |x: f64, function: fn(Tensor<1>) -> Tensor<1>| has_derivative(&problem(x, function), 0, 0);
        assert!(has(4.0, Tensor::sqrt) && has(1e-30, Tensor::sqrt));
        assert!(!has(0.0, Tensor::sqrt), "the slope is infinite");
        assert!(has(0.0, Tensor::abs) && has(0.0, |x| x.clone() * x), "both slopes are finite");
        assert!(has(0.0, |x| x.powf_scalar(1.5)), "from the right alone");
        assert!(!has(2.0, Tensor::floor) && has(2.5, Tensor::floor), "a jump");
        assert!(!has(1e-39, Tensor::log), "larger than the precision can hold");
        assert!(!has(-1e-30, |x| x.exp() - 1.0), "lost beside 1");
        assert!(has(-1e9, Tensor::exp), "it is flat there");
    }
}
