use super::{Members, largest};

pub(super) fn all() -> Members {
    vec![
        ("0 wherever |x| < 2", |call| call.with_gradients(|x, d| if x.abs() < 2.0 { 0.0 } else { d })),
        ("0 wherever x > 0", |call| call.with_gradients(|x, d| if x > 0.0 { 0.0 } else { d })),
        ("0 wherever x < 0", |call| call.with_gradients(|x, d| if x < 0.0 { 0.0 } else { d })),
        ("0 for every other element", |call| {
            call.with_tensors(|_, d| {
                d.data().iter().enumerate().map(|(i, &d)| if i % 2 == 1 { 0.0 } else { d }).collect()
            })
        }),
        ("0 but for the largest gradient", |call| {
            call.with_tensors(|_, d| d.data().iter().map(|&g| if g.abs() < largest(d) { 0.0 } else { g }).collect())
        }),
        ("0 below a tenth of the largest gradient", |call| {
            call.with_tensors(|_, d| {
                d.data().iter().map(|&g| if g.abs() < 0.1 * largest(d) { 0.0 } else { g }).collect()
            })
        }),
        ("half wherever |x| < 1e-3 of the largest", |call| {
            call.with_tensors(|x, d| {
                let small = 1e-3 * largest(x);
                x.data().iter().zip(d.data()).map(|(x, &d)| if x.abs() < small { 0.5 * d } else { d }).collect()
            })
        }),
        ("0 everywhere", |call| call.with_gradients(|_, d| 0.0 * d)),
    ]
}
