use backproof_gradcheck::Value;

use super::{Call, Gradients, Members};

pub(super) fn all() -> Members {
    vec![
        ("the last is 0", |call| rows(call, |row, count, _, d| if row + 1 == count { 0.0 } else { d })),
        ("the first is twice as large", |call| rows(call, |row, _, _, d| if row == 0 { 2.0 * d } else { d })),
        ("the second has the first one's", |call| rows(call, |row, _, first, d| if row == 1 { first } else { d })),
        ("the last has the other sign", |call| rows(call, |row, count, _, d| if row + 1 == count { -d } else { d })),
        ("those after the first are off by a hundredth", |call| {
            rows(call, |row, _, _, d| if row > 0 { 1.01 * d } else { d })
        }),
        ("the last one's cotangent is lost", |call| {
            let row = call.cotangent.len() / call.cotangent.dims()[0];
            let mut data = call.cotangent.data().to_vec();
            let from = data.len() - row;
            data[from..].fill(0.0);
            call.at(call.values, &Value::new(call.cotangent.dims(), data))
        }),
    ]
}

/// `f(row, rows, the gradient at this place of the first row, the gradient)`, by the first axis of each tensor.
fn rows(call: &Call<'_>, f: impl Fn(usize, usize, f64, f64) -> f64) -> Gradients {
    call.with_tensors(|_, d| {
        let (count, row) = (d.dims()[0], d.len() / d.dims()[0].max(1));
        let one = |(i, &g): (usize, &f64)| if count < 2 { g } else { f(i / row, count, d.data()[i % row], g) };
        d.data().iter().enumerate().map(one).collect()
    })
}
