use backproof_gradcheck::Value;

use super::{Call, Gradients, Members, map};

pub(super) fn all() -> Members {
    vec![
        ("the output lies where the input was", |call| {
            let mut values = call.values.to_vec();
            let output = call.function.forward(call.single, call.values);
            if output.dims() == values[0].dims() {
                values[0] = output;
            }
            call.at(&values, call.cotangent)
        }),
        ("the first tensor is halved before the others' gradients", |call| others(call, |x, _| 0.5 * x, |g| g)),
        ("the first tensor is rectified before the others' gradients", |call| others(call, |x, _| x.max(0.0), |g| g)),
        ("the first tensor holds its gradient before the others'", |call| others(call, |_, d| d, |g| g)),
        ("the cotangent is doubled before the others' gradients", |call| others(call, |x, _| x, |g| 2.0 * g)),
        ("the cotangent is rectified before the others' gradients", |call| others(call, |x, _| x, |g| g.max(0.0))),
        ("every call halves a buffer that is shared", |call| {
            let factor = 0.5f64.powi(call.memory.calls.get().min(40) as i32);
            call.with_gradients(|_, d| factor * d)
        }),
        ("every second call leaves a buffer rectified for the next two", |call| {
            match call.memory.calls.get() / 2 % 2 {
                0 => call.right(),
                _ => call.with_gradients(|_, d| d.max(0.0)),
            }
        }),
        ("every fifth call is off by a hundredth", |call| {
            let factor = if call.memory.calls.get() % 5 == 4 { 1.01 } else { 1.0 };
            call.with_gradients(|_, d| factor * d)
        }),
        ("from the fifth call on the weights are a hundredth larger", |call| match call.memory.calls.get() {
            0..4 => call.right(),
            _ => call.with_values(|x| 1.01 * x),
        }),
    ]
}

/// The gradient of the first tensor is right; those of the others are computed after its elements became `f(x, ∂x)` and the cotangent `h(g)`.
fn others(call: &Call<'_>, f: impl Fn(f64, f64) -> f64, h: impl Fn(f64) -> f64) -> Gradients {
    let right = call.right();
    let mut values = call.values.to_vec();
    let Some(first) = &right[0] else { return right };
    let changed = values[0].data().iter().zip(first.data()).map(|(&x, &d)| f(x, d)).collect();
    values[0] = Value::new(first.dims(), changed);
    let mut gradients = call.at(&values, &map(call.cotangent, h));
    gradients[0].clone_from(&right[0]);
    gradients
}
