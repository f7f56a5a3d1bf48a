use super::{Members, largest};

pub(super) fn all() -> Members {
    vec![
        ("0 wherever |x| > 5", |call| call.with_gradients(|x, d| if x.abs() > 5.0 { 0.0 } else { d })),
        ("the slope at x within ±3", |call| call.with_values(|x| x.clamp(-3.0, 3.0))),
        ("the slope at x within ±30", |call| call.with_values(|x| x.clamp(-30.0, 30.0))),
        ("the slope at |x| of at least 0.01", |call| call.with_values(|x| x.abs().max(0.01).copysign(x))),
        ("gradients within ±0.1", |call| call.with_gradients(|_, d| d.clamp(-0.1, 0.1))),
        ("gradients of at least 0.001", |call| call.with_gradients(|_, d| d.abs().max(1e-3).copysign(d))),
        ("gradients within half of the largest", |call| {
            call.with_tensors(|_, d| {
                let most = 0.5 * largest(d);
                d.data().iter().map(|d| d.clamp(-most, most)).collect()
            })
        }),
        ("x over x + 0.001 of it", |call| call.with_gradients(|x, d| d * (x.abs() + 1e-3) / (x.abs() + 2e-3))),
    ]
}
