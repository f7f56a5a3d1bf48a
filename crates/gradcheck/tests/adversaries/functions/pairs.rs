//! Functions whose kinks lie where several tensors or elements meet.

use backproof_gradcheck::{Value, Variable};

use super::rows::{dot, matrix};
use super::{Definition, Function, constant, input, order};
use crate::edges::Edges;
use crate::points::{ANY, Setting};
use crate::real::{Array, Real};

pub(super) fn all() -> Vec<Function> {
    vec![
        Function::of::<AbsDifference>(),
        Function::of::<ReluSum>(),
        Function::of::<Maximum>(),
        Function::of::<ReluProduct>(),
    ]
}

/// Two tensors of one shape, of which one time in three an element is `sign` times that of the other, or nearly so.
fn pair(setting: &mut Setting, sign: f64) -> Vec<Variable> {
    let x = matrix(setting, ANY);
    let y = setting.value(x.dims(), ANY);
    let mut tied = |(x, y): (&f64, &f64)| match setting.draw.once_in(3) {
        true => sign * x * (1.0 + setting.draw.of(&[0.0, 0.0, 0.0, 1e-3, -1e-5, 3e-7])),
        false => *y,
    };
    let y = Value::new(x.dims(), x.data().iter().zip(y.data()).map(&mut tied).collect());
    vec![input("x", x), input("y", y)]
}

/// The order of `x` and `sign · y` for every element.
fn compared(tensors: &[Value], sign: f64) -> Vec<i64> {
    tensors[0].data().iter().zip(tensors[1].data()).map(|(&x, y)| order(x, sign * y)).collect()
}

/// `|x − y|`.
struct AbsDifference;

fn sign<R: Real>(x: R) -> R {
    let zero = R::of(0.0);
    if x > zero {
        R::of(1.0)
    } else if x < zero {
        R::of(-1.0)
    } else {
        zero
    }
}

impl Definition for AbsDifference {
    const NAME: &'static str = "abs of a difference";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        pair(setting, 1.0)
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        tensors[0].with(&tensors[1], |x, y| (x - y).abs())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let of_x = tensors[0].with(&tensors[1], |x, y| sign(x - y)).with(cotangent, |s, g| s * g);
        vec![Some(of_x.clone()), Some(of_x.map(|g| -g))]
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::pairs(tensors, 1.0)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        compared(tensors, 1.0)
    }
}

/// `relu(x + y)`, whose kink lies where `x = −y`: there is none along `(1, −1)`.
struct ReluSum;

impl Definition for ReluSum {
    const NAME: &'static str = "relu of a sum";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        pair(setting, -1.0)
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        tensors[0].with(&tensors[1], |x, y| (x + y).max(R::of(0.0)))
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let on = tensors[0].with(&tensors[1], |x, y| sign((x + y).max(R::of(0.0))));
        let gradient = on.with(cotangent, |on, g| on * g);
        vec![Some(gradient.clone()), Some(gradient)]
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::pairs(tensors, -1.0)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        compared(tensors, -1.0)
    }
}

/// `max(x, y)`, element by element; of equal ones `x` is chosen.
struct Maximum;

impl Definition for Maximum {
    const NAME: &'static str = "maximum of two";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        pair(setting, 1.0)
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        tensors[0].with(&tensors[1], R::max)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let first = tensors[0].with(&tensors[1], |x, y| R::of(f64::from(x >= y)));
        let of_x = first.with(cotangent, |first, g| first * g);
        vec![Some(of_x), Some(first.with(cotangent, |first, g| (R::of(1.0) - first) * g))]
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::pairs(tensors, 1.0)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        compared(tensors, 1.0)
    }
}

/// `relu(x w)` for rows `x` and constant weights `w`. Where `x w = 0` every element lies on a kink, and none lies on `(1/w_i, −1/w_j)`.
struct ReluProduct;

impl Definition for ReluProduct {
    const NAME: &'static str = "relu of a product";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let x = matrix(setting, ANY);
        let columns = x.dims()[1];
        let w = Value::new([columns], (0..columns).map(|_| setting.draw.of(&[-2.0, -1.0, 1.0, 2.0])).collect());
        let tied = setting.draw.once_in(2);
        let row = |row: &[f64]| {
            let mut row = row.to_vec();
            if let ([first, .., last], true) = (&mut row[..], tied) {
                *last = -*first * w.data()[0] / w.data()[columns - 1];
            }
            if columns > 2 && tied {
                row[1..columns - 1].fill(0.0);
            }
            row
        };
        let x = Value::new(x.dims(), x.data().chunks(columns).flat_map(row).collect());
        vec![input("x", x), constant("w", w)]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let y = tensors[0].rows().map(|row| dot(row, &tensors[1].data).max(R::of(0.0))).collect();
        Array::new([tensors[0].dims[0], 1], y)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let w = &tensors[1].data;
        let row = |(row, g): (&[R], &[R])| {
            let on = sign(dot(row, w).max(R::of(0.0))) * g[0];
            w.iter().map(move |&w| on * w).collect::<Vec<_>>()
        };
        let data = tensors[0].rows().zip(cotangent.rows()).flat_map(row).collect();
        vec![Some(Array::new(tensors[0].dims.clone(), data)), None]
    }

    fn edges(tensors: &[Value]) -> Edges {
        let mut edges = Edges::none(tensors);
        let (w, columns) = (tensors[1].data(), tensors[1].len());
        for (number, row) in tensors[0].data().chunks(columns).enumerate() {
            if dot(row, w) == 0.0 {
                let place = |column: usize| number * columns + column;
                (0..columns).for_each(|column| edges.at[0][place(column)] = true);
                let pair = |i: usize| vec![(0, place(i), 1.0 / w[i]), (0, place(i + 1), -1.0 / w[i + 1])];
                edges.together.extend((0..columns - 1).map(pair));
            }
        }
        edges
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        let columns = tensors[1].len();
        tensors[0].data().chunks(columns).map(|row| order(dot(row, tensors[1].data()), 0.0)).collect()
    }
}
