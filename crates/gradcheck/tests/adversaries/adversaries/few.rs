use backproof_gradcheck::Value;

use super::{Call, Gradients, Members, chosen, noise};

pub(super) fn all() -> Members {
    vec![
        ("one is 0", |call| one(call, |_, d| 0.0 * d)),
        ("one has the other sign", |call| one(call, |_, d| -d)),
        ("one is twice as large", |call| one(call, |_, d| 2.0 * d)),
        ("one is off by a hundredth", |call| one(call, |_, d| 1.01 * d)),
        ("one has its neighbour's", |call| one(call, |neighbour, _| neighbour)),
        ("one is 0, and the last digits of x say which", |call| {
            call.with_tensors(|x, d| {
                let sum: f64 = x.data().iter().map(|&x| noise(x)).sum();
                let lost = ((noise(sum) * d.len() as f64) as usize).min(d.len() - 1);
                let mut found = d.data().to_vec();
                found[lost] = 0.0;
                found
            })
        }),
        ("the last is 0", |call| {
            call.with_tensors(|_, d| {
                let mut found = d.data().to_vec();
                *found.last_mut().expect("an element") = 0.0;
                found
            })
        }),
    ]
}

/// `f(neighbour, gradient)` for one element of each tensor.
fn one(call: &Call<'_>, f: impl Fn(f64, f64) -> f64) -> Gradients {
    call.with_tensors(|x: &Value, d: &Value| {
        let mut found = d.data().to_vec();
        let index = chosen(x);
        found[index] = f(d.data()[(index + 1) % d.len()], d.data()[index]);
        found
    })
}
