use backproof_gradcheck::Value;

use super::Members;

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
    ]
}
