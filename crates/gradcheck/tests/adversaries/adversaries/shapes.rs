use backproof_gradcheck::Value;

use super::Members;

pub(super) fn all() -> Members {
    vec![
        ("a lost 1/N of the elements", |call| {
            call.with_tensors(|_, d| d.data().iter().map(|g| g * d.len() as f64).collect())
        }),
        ("a lost 1/N of the rows", |call| {
            call.with_tensors(|_, d| d.data().iter().map(|g| g * d.dims()[0] as f64).collect())
        }),
        ("divided by the elements of the output", |call| {
            let count = call.cotangent.len() as f64;
            call.with_gradients(|_, d| d / count)
        }),
        ("rows and columns swapped", |call| {
            call.with_tensors(|_, d| match *d.dims() {
                [rows, columns] => (0..d.len()).map(|i| d.data()[i % rows * columns + i / rows]).collect(),
                _ => d.data().iter().rev().copied().collect(),
            })
        }),
        ("the cotangent summed over its first axis", |call| {
            let rows = call.cotangent.dims()[0];
            let row = call.cotangent.len() / rows;
            let sum = |i: usize| (0..rows).map(|r| call.cotangent.data()[r * row + i % row]).sum();
            call.at(call.values, &Value::new(call.cotangent.dims(), (0..call.cotangent.len()).map(sum).collect()))
        }),
        ("half", |call| call.with_gradients(|_, d| 0.5 * d)),
        ("the other sign", |call| call.with_gradients(|_, d| -d)),
        ("a thousandth and a half more", |call| call.with_gradients(|_, d| 1.0015 * d)),
        ("moved by one element", |call| {
            call.with_tensors(|_, d| (0..d.len()).map(|i| d.data()[(i + 1) % d.len()]).collect())
        }),
    ]
}
