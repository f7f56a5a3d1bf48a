//! Functions that choose among their elements. Equal elements share the gradient of what one of them is chosen for.

use backproof_gradcheck::{Value, Variable};

use super::rows::matrix;
use super::{Definition, Function, input, order, orders};
use crate::edges::Edges;
use crate::points::{ANY, Setting};
use crate::real::{Array, Real};

pub(super) fn all() -> Vec<Function> {
    vec![
        Function::of::<Max<false>>(),
        Function::of::<Max<true>>(),
        Function::of::<MaxPool>(),
        Function::of::<Sort>(),
        Function::of::<TopK>(),
        Function::of::<LargestMagnitude>(),
    ]
}

/// The indices of a row from its largest element to its smallest; of equal ones the first comes first.
fn descending<R: Real>(row: &[R]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].partial_cmp(&row[a]).expect("no NaN"));
    order
}

/// The outputs are the elements of a row at these places.
fn gathered<R: Real>(x: &Array<R>, places: impl Fn(&[R]) -> Vec<usize>) -> Array<R> {
    let data: Vec<R> = x.rows().flat_map(|row| places(row).into_iter().map(|place| row[place])).collect();
    Array::new([x.dims[0], data.len() / x.dims[0]], data)
}

fn scattered<R: Real>(x: &Array<R>, g: &Array<R>, places: impl Fn(&[R]) -> Vec<usize>) -> Vec<Option<Array<R>>> {
    let mut gradient = Array::zeros(&x.dims);
    for (number, (row, g)) in x.rows().zip(g.rows()).enumerate() {
        for (place, &g) in places(row).into_iter().zip(g) {
            let index = number * x.columns() + place;
            gradient.data[index] = gradient.data[index] + g;
        }
    }
    vec![Some(gradient)]
}

/// The largest of every row. The first of equal ones has its gradient, or all of them have even shares.
struct Max<const EVEN: bool>;

impl<const EVEN: bool> Definition for Max<EVEN> {
    const NAME: &'static str = if EVEN { "max, even shares" } else { "max" };

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        gathered(&tensors[0], |row| vec![descending(row)[0]])
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        if !EVEN {
            return scattered(&tensors[0], cotangent, |row| vec![descending(row)[0]]);
        }
        let row = |(row, g): (&[R], &[R])| {
            let most = row[descending(row)[0]];
            let share = g[0] / R::of(row.iter().filter(|&&x| x == most).count() as f64);
            row.iter().map(move |&x| if x == most { share } else { R::of(0.0) }).collect::<Vec<_>>()
        };
        let data = tensors[0].rows().zip(cotangent.rows()).flat_map(row).collect();
        vec![Some(Array::new(tensors[0].dims.clone(), data))]
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::ties(tensors)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        orders(&tensors[0], |x| x)
    }
}

/// Windows of two elements, one apart, or the whole row if it has one.
struct MaxPool;

fn pooled<R: Real>(row: &[R]) -> Vec<usize> {
    let windows = row.len().saturating_sub(1).max(1);
    (0..windows).map(|i| if i + 1 < row.len() && row[i + 1] > row[i] { i + 1 } else { i }).collect()
}

impl Definition for MaxPool {
    const NAME: &'static str = "max pooling";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        gathered(&tensors[0], pooled)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        scattered(&tensors[0], cotangent, pooled)
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::ties(tensors)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        orders(&tensors[0], |x| x)
    }
}

struct Sort;

impl Definition for Sort {
    const NAME: &'static str = "sort";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        gathered(&tensors[0], descending)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        scattered(&tensors[0], cotangent, descending)
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::ties(tensors)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        orders(&tensors[0], |x| x)
    }
}

/// The two largest of every row.
struct TopK;

fn two<R: Real>(row: &[R]) -> Vec<usize> {
    descending(row).into_iter().take(2).collect()
}

impl Definition for TopK {
    const NAME: &'static str = "top-k";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        gathered(&tensors[0], two)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        scattered(&tensors[0], cotangent, two)
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::ties(tensors)
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        orders(&tensors[0], |x| x)
    }
}

/// The largest `|x|` of every row: 1 and −1 are tied, and move together in opposite directions. Of equal ones the first is chosen.
struct LargestMagnitude;

impl Definition for LargestMagnitude {
    const NAME: &'static str = "largest magnitude";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        gathered(&tensors[0].map(R::abs), |row| vec![descending(row)[0]])
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let gradient = scattered(&tensors[0].map(R::abs), cotangent, |row| vec![descending(row)[0]]);
        let zero = R::of(0.0);
        let signed = |x: R, g: R| {
            if x > zero {
                g
            } else if x < zero {
                -g
            } else {
                zero
            }
        };
        gradient.into_iter().map(|gradient| Some(tensors[0].with(&gradient?, signed))).collect()
    }

    fn edges(tensors: &[Value]) -> Edges {
        let mut edges = Edges::ties_of(tensors, f64::abs);
        let data = tensors[0].data();
        let zero = |&(_, index, _): &(usize, usize, f64)| data[index] == 0.0;
        edges.together.retain(|together| !together.iter().any(zero));
        edges.at[0].iter_mut().zip(data).for_each(|(at, &x)| *at |= x == 0.0);
        edges
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        let signs = tensors[0].data().iter().map(|&x| order(x, 0.0));
        orders(&tensors[0], f64::abs).into_iter().chain(signs).collect()
    }
}
