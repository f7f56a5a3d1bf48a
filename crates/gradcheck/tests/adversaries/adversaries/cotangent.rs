use backproof_gradcheck::Value;

use super::{Members, largest};

pub(super) fn all() -> Members {
    vec![
        ("the sign of g", |call| call.with_cotangent(|g| if g == 0.0 { 0.0 } else { g.signum() })),
        ("g within ±1", |call| call.with_cotangent(|g| g.clamp(-1.0, 1.0))),
        ("g³", |call| call.with_cotangent(|g| g * g * g)),
        ("|g|", |call| call.with_cotangent(f64::abs)),
        ("g without its negative part", |call| call.with_cotangent(|g| g.max(0.0))),
        ("g is ignored", |call| call.with_cotangent(|_| 1.0)),
        ("g |g|", |call| call.with_cotangent(|g| g * g.abs())),
        ("tanh g", |call| call.with_cotangent(f64::tanh)),
        ("0 for |g| < 1e-4", |call| call.with_cotangent(|g| if g.abs() < 1e-4 { 0.0 } else { g })),
        ("0 for |g| < 0.01", |call| call.with_cotangent(|g| if g.abs() < 0.01 { 0.0 } else { g })),
        ("0 for |g| < 1e-7", |call| call.with_cotangent(|g| if g.abs() < 1e-7 { 0.0 } else { g })),
        ("g in half precision", |call| {
            call.with_cotangent(|g| burn::tensor::f16::from_f64(g).to_f64().clamp(-65504.0, 65504.0))
        }),
        ("g within ±100", |call| call.with_cotangent(|g| g.clamp(-100.0, 100.0))),
        ("g as an integer", |call| call.with_cotangent(f64::round)),
        ("g to the nearest power of two", |call| {
            call.with_cotangent(|g| if g == 0.0 { 0.0 } else { g.abs().log2().round().exp2().copysign(g) })
        }),
        ("g over its largest", |call| {
            let most = largest(call.cotangent).max(f64::MIN_POSITIVE);
            call.with_cotangent(|g| g / most)
        }),
        ("g below a hundredth of its largest is lost", |call| {
            let least = 0.01 * largest(call.cotangent);
            call.with_cotangent(|g| if g.abs() < least { 0.0 } else { g })
        }),
        ("g in 127 steps of its largest", |call| {
            let step = (largest(call.cotangent) / 127.0).max(f64::MIN_POSITIVE);
            call.with_cotangent(|g| (g / step).round() * step)
        }),
        ("the sign of g times its mean size", |call| {
            let mean = call.cotangent.data().iter().map(|g| g.abs()).sum::<f64>() / call.cotangent.len() as f64;
            call.with_cotangent(|g| if g == 0.0 { 0.0 } else { mean.copysign(g) })
        }),
        ("g of length 1 at most", |call| {
            let length = call.cotangent.data().iter().map(|g| g * g).sum::<f64>().sqrt();
            call.with_cotangent(|g| g / length.max(1.0))
        }),
        ("g less its mean", |call| {
            let mean = call.cotangent.data().iter().sum::<f64>() / call.cotangent.len() as f64;
            call.with_cotangent(|g| g - mean)
        }),
        ("the first g for all", |call| {
            let first = call.cotangent.data().first().copied().unwrap_or(0.0);
            call.with_cotangent(|_| first)
        }),
        ("g from the last to the first", |call| {
            let reversed = call.cotangent.data().iter().rev().copied().collect();
            call.at(call.values, &Value::new(call.cotangent.dims(), reversed))
        }),
        ("gradients of length 1 at most", |call| {
            call.with_tensors(|_, d| {
                let length = d.data().iter().map(|d| d * d).sum::<f64>().sqrt();
                d.data().iter().map(|d| d / length.max(1.0)).collect()
            })
        }),
        ("a term that does not depend on g", |call| {
            let none = call.with_cotangent(|_| 1.0);
            let sum = |(d, one): (Option<Value>, Option<Value>)| {
                let (d, one) = (d?, one?);
                Some(Value::new(d.dims(), d.data().iter().zip(one.data()).map(|(d, one)| d + 0.01 * one).collect()))
            };
            call.right().into_iter().zip(none).map(sum).collect()
        }),
    ]
}
