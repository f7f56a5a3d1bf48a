//! The cases of an optimizer.

use backproof_gradcheck::Value;
use rand::RngExt;

use super::rule::{Optimizer, Steps};
use crate::context::random;
use crate::manifest::{Level, Request};

/// How many there are.
pub(crate) const COUNT: u64 = 3;

/// Weights, gradients of several steps and options.
pub(crate) fn draw(optimizer: &'static Optimizer, request: &Request, number: u64) -> Steps {
    let mut random = random(request, number);
    let (dims, steps) = match (request.level, number) {
        (Level::Pencil, _) => (vec![2], 3),
        (_, 0) => (vec![4], 3),
        (_, 1) => (vec![2, 3], 5),
        _ => (vec![3, 2], 12),
    };
    let mut number_of = |scale: f64| match request.level {
        Level::Pencil => [-2.0, -1.0, 1.0, 2.0, 3.0][random.random_range(0..5)],
        Level::Program => f64::from((scale * random.random_range(-2.0..2.0)) as f32),
    };
    let count: usize = dims.iter().product();
    let weights: Vec<f64> = (0..count).map(|_| number_of(1.0)).collect();
    // The gradients of a step are of another size than those of the one before.
    let scales = [1.0, 0.1, 4.0, 1.0, 0.02];
    let gradients: Vec<f64> = (0..steps * count).map(|at| number_of(scales[at / count % scales.len()])).collect();
    let options = optimizer.options.iter().map(|&(name, usual)| {
        let value = match number {
            0 => usual,
            // Other numbers, so that a usual one that is written into the code is found out.
            _ if name.starts_with("beta") || name == "momentum" || name == "smoothing" => {
                let drawn: f64 = random.random_range(0.5..0.95);
                (100.0 * drawn).round() / 100.0
            }
            _ => (1e6 * usual * f64::from(random.random_range(2..5_u8))).round() / 1e6,
        };
        (name.to_owned(), Value::new([], vec![value]))
    });
    let options = options.collect();
    let of_steps = [&[steps][..], &dims].concat();
    let (first, gradients) = (Value::new(dims, weights), Value::new(of_steps, gradients));
    Steps { optimizer, first, gradients, options }
}
