use super::Members;

pub(super) fn all() -> Members {
    vec![
        ("a hundredth more where |x| > 10", |call| {
            call.with_gradients(|x, d| if x.abs() > 10.0 { 1.01 * d } else { d })
        }),
        ("0 where |x| > 50", |call| call.with_gradients(|x, d| if x.abs() > 50.0 { 0.0 } else { d })),
        ("the other sign where |x| > 1e6", |call| call.with_gradients(|x, d| if x.abs() > 1e6 { -d } else { d })),
        ("0 where |x| < 0.1", |call| call.with_gradients(|x, d| if x.abs() < 0.1 { 0.0 } else { d })),
        ("0 where |x| < 1e-6", |call| call.with_gradients(|x, d| if x.abs() < 1e-6 { 0.0 } else { d })),
        ("the other sign where |x| < 1e-20", |call| call.with_gradients(|x, d| if x.abs() < 1e-20 { -d } else { d })),
        ("the slope at x without what is below 1e-4", |call| {
            call.with_values(|x| if x.abs() < 1e-4 { 0.0 } else { x })
        }),
        ("x rounded to eight bits", |call| {
            call.with_values(|x| f64::from(f32::from_bits((x as f32).to_bits() & 0xffff_0000)))
        }),
    ]
}

pub(super) fn at_zero() -> Members {
    vec![
        ("0", |call| call.with_gradients(|x, d| if x == 0.0 { 0.0 } else { d })),
        ("twice", |call| call.with_gradients(|x, d| if x == 0.0 { 2.0 * d } else { d })),
        ("1", |call| call.with_gradients(|x, d| if x == 0.0 { 1.0 } else { d })),
        ("a hundredth more", |call| call.with_gradients(|x, d| if x == 0.0 { d + 0.01 } else { d })),
        ("0 at −0 only", |call| call.with_gradients(|x, d| if x == 0.0 && x.is_sign_negative() { 0.0 } else { d })),
        ("NaN", |call| call.with_gradients(|x, d| if x == 0.0 { f64::NAN } else { d })),
    ]
}
