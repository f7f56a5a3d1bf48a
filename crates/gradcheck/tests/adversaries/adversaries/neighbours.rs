use backproof_gradcheck::Value;

use super::{Call, Gradients, Members, noise};

pub(super) fn all() -> Members {
    vec![
        ("a tenth more for each unit of the next element, up to one", |call| {
            call.with_tensors(|x, d| {
                let next = |i: usize| x.data()[(i + 1) % x.len()].clamp(-1.0, 1.0);
                (0..d.len()).map(|i| d.data()[i] * (1.0 + 0.1 * next(i))).collect()
            })
        }),
        ("the slope at the next element", |call| {
            let rolled = |x: &Value| {
                let data = x.data();
                Value::new(x.dims(), (0..x.len()).map(|i| data[(i + 1) % x.len()]).collect())
            };
            let mut values = call.values.to_vec();
            values[0] = rolled(&values[0]);
            call.at(&values, call.cotangent)
        }),
        ("0 where the first element is negative", |call| {
            call.with_tensors(|x, d| {
                let off = x.data()[0] < 0.0;
                d.data().iter().map(|&d| if off { 0.0 } else { d }).collect()
            })
        }),
        ("twice where there is an outlier", |call| {
            call.with_tensors(|x, d| {
                let outlier = x.data().iter().any(|x| x.abs() > 1e3);
                d.data().iter().map(|d| if outlier { 2.0 * d } else { *d }).collect()
            })
        }),
        ("the sign of the sum of the elements", |call| {
            call.with_tensors(|x, d| {
                let sum: f64 = x.data().iter().sum();
                d.data().iter().map(|d| if sum < 0.0 { -d } else { *d }).collect()
            })
        }),
        ("a hundredth of the next gradient", |call| {
            call.with_tensors(|_, d| (0..d.len()).map(|i| d.data()[i] + 0.01 * d.data()[(i + 1) % d.len()]).collect())
        }),
        ("0 beside an equal element", |call| {
            call.with_tensors(|x, d| {
                let equal = |i: usize| i > 0 && x.data()[i] == x.data()[i - 1];
                (0..d.len()).map(|i| if equal(i) { 0.0 } else { d.data()[i] }).collect()
            })
        }),
        ("a difference over 0.01 of the root mean square", |call| difference(call, 1.0)),
        ("a difference to the right over 0.01 of the root mean square", |call| difference(call, 0.0)),
        ("a hundredth of noise from the last digits of x", |call| {
            call.with_gradients(|x, d| d * (1.0 + 0.01 * (noise(x) - 0.5)))
        }),
    ]
}

/// The gradients by differences from `x − left · h` to `x + h`, with a step that an outlier makes large; of tensors of more than 256 elements the right ones.
fn difference(call: &Call<'_>, left: f64) -> Gradients {
    let mut values = call.values.to_vec();
    let mut found = call.right();
    for tensor in 0..values.len() {
        let Some(gradient) = found[tensor].as_mut().filter(|gradient| gradient.len() <= 256) else { continue };
        let x = call.values[tensor].clone();
        let step = 0.01 * (x.data().iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt().max(1e-30);
        let mut objective = |index: usize, by: f64| {
            let mut data = x.data().to_vec();
            data[index] += by;
            values[tensor] = Value::new(x.dims(), data);
            let y = call.function.forward(false, &values);
            y.data().iter().zip(call.cotangent.data()).map(|(y, g)| y * g).sum::<f64>()
        };
        let slope = |index: usize| {
            let rise = objective(index, step) - objective(index, -left * step);
            rise / (step * (1.0 + left))
        };
        *gradient = Value::new(x.dims(), (0..x.len()).map(slope).collect());
        values[tensor] = x;
    }
    found
}
