use super::Members;

pub(super) fn all() -> Members {
    vec![
        ("the slope at −x", |call| call.with_values(|x| -x)),
        ("the slope at |x|", |call| call.with_values(f64::abs)),
        ("the slope at x − 0.5", |call| call.with_values(|x| x - 0.5)),
        ("the slope at the lower of x and 1", |call| call.with_values(|x| x.min(1.0))),
        ("the slope at the higher of x and 0", |call| call.with_values(|x| x.max(0.0))),
        ("the slope at x without its digits", |call| call.with_values(|x| x.trunc())),
        ("straight through where the slope is 0", |call| call.with_gradients(|_, d| if d == 0.0 { 1.0 } else { d })),
        ("leaks a hundredth below 0", |call| call.with_gradients(|x, d| if x < 0.0 { 0.99 * d + 0.01 } else { d })),
    ]
}
