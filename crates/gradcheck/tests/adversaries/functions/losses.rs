use backproof_gradcheck::{Value, Variable};

use super::rows::{log_sum_exp, matrix, softmax};
use super::{Definition, Function, constant, input};
use crate::points::{ANY, Setting};
use crate::real::{Array, Real};

pub(super) fn all() -> Vec<Function> {
    vec![Function::of::<MeanSquaredError>(), Function::of::<CrossEntropy>()]
}

/// The mean of `(x − t)²`.
struct MeanSquaredError;

impl Definition for MeanSquaredError {
    const NAME: &'static str = "mean squared error";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let x = matrix(setting, ANY.upto(1e15, 1e100));
        let t = setting.value(x.dims(), ANY.upto(1e15, 1e100));
        vec![input("x", x), constant("t", t)]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let squares = tensors[0].with(&tensors[1], |x, t| (x - t) * (x - t));
        Array::new([1], vec![squares.data.iter().copied().sum::<R>() / R::of(squares.data.len() as f64)])
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let factor = R::of(2.0) * cotangent.data[0] / R::of(tensors[0].data.len() as f64);
        vec![Some(tensors[0].with(&tensors[1], |x, t| factor * (x - t))), None]
    }
}

/// The mean of `log Σ e^x − x_t` over the rows, with the class `t` of each.
struct CrossEntropy;

impl Definition for CrossEntropy {
    const NAME: &'static str = "cross-entropy";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let x = matrix(setting, ANY);
        let [rows, classes] = [x.dims()[0], x.dims()[1]];
        let t = (0..rows).map(|_| setting.draw.between(0, classes) as f64).collect();
        vec![input("x", x), constant("t", Value::new([rows], t))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let losses =
            tensors[0].rows().zip(&tensors[1].data).map(|(row, t)| log_sum_exp(row) - row[t.double() as usize]);
        Array::new([1], vec![losses.sum::<R>() / R::of(tensors[0].dims[0] as f64)])
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let factor = cotangent.data[0] / R::of(tensors[0].dims[0] as f64);
        let row = |(row, t): (&[R], &R)| {
            let (p, t) = (softmax(row), t.double() as usize);
            // Of the class itself it is minus the sum of the others, where p − 1 would have no digits.
            let others: R = (0..p.len()).filter(|&i| i != t).map(|i| p[i]).sum();
            (0..p.len()).map(move |i| factor * if i == t { -others } else { p[i] }).collect::<Vec<_>>()
        };
        let data = tensors[0].rows().zip(&tensors[1].data).flat_map(row).collect();
        vec![Some(Array::new(tensors[0].dims.clone(), data)), None]
    }
}
