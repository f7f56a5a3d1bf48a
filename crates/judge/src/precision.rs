//! In which precision an answer was computed.

use backproof_gradcheck::Value;

/// The unit round-off of double and of single precision.
pub(crate) const DOUBLE: f64 = f64::EPSILON / 2.0;
pub(crate) const SINGLE: f64 = (f32::EPSILON / 2.0) as f64;

/// The unit round-off of the code that computed an answer: of single precision where every number is one of its.
pub(crate) fn unit_roundoff(answer: &Value) -> f64 {
    let single = |x: &f64| f64::from(*x as f32) == *x;
    if answer.data().iter().all(single) { SINGLE } else { DOUBLE }
}
