use backproof_gradcheck::{Value, Variable};

use super::{Definition, Function, input, order};
use crate::edges::Edges;
use crate::points::{ANY, Domain, Setting};
use crate::real::{Array, Real};

pub(super) fn all() -> Vec<Function> {
    vec![
        Function::of::<Softmax>(),
        Function::of::<LogSoftmax>(),
        Function::of::<LogSumExp>(),
        Function::of::<Norm>(),
        Function::of::<CumulativeSum>(),
        Function::of::<LayerNorm>(),
    ]
}

pub(super) fn matrix(setting: &mut Setting, domain: Domain) -> Value {
    let dims = [setting.axis(3, 100), setting.axis(5, 100)];
    setting.value(&dims, domain)
}

fn largest<R: Real>(row: &[R]) -> R {
    row.iter().fold(row[0], |largest, &x| largest.max(x))
}

pub(super) fn log_sum_exp<R: Real>(row: &[R]) -> R {
    let most = largest(row);
    most + row.iter().map(|&x| (x - most).exp()).sum::<R>().ln()
}

pub(super) fn softmax<R: Real>(row: &[R]) -> Vec<R> {
    let most = largest(row);
    let e: Vec<R> = row.iter().map(|&x| (x - most).exp()).collect();
    let sum = e.iter().copied().sum::<R>();
    e.into_iter().map(|e| e / sum).collect()
}

/// The sum of the products.
pub(super) fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// `f` of every row, and of the row of the cotangent.
fn rows<R: Real>(x: &Array<R>, g: &Array<R>, f: impl Fn(&[R], &[R]) -> Vec<R>) -> Vec<Option<Array<R>>> {
    let data = x.rows().zip(g.rows()).flat_map(|(x, g)| f(x, g)).collect();
    vec![Some(Array::new(x.dims.clone(), data))]
}

struct Softmax;

impl Definition for Softmax {
    const NAME: &'static str = "softmax";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        Array::new(tensors[0].dims.clone(), tensors[0].rows().flat_map(softmax).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        rows(&tensors[0], cotangent, |x, g| {
            let p = softmax(x);
            // p_i Σ_k p_k (g_i − g_k): nothing cancels between g_i and a mean that is next to it.
            let slope = |i: usize| p[i] * (0..p.len()).map(|k| p[k] * (g[i] - g[k])).sum::<R>();
            (0..p.len()).map(slope).collect()
        })
    }
}

struct LogSoftmax;

impl Definition for LogSoftmax {
    const NAME: &'static str = "log-softmax";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let row = |row: &[R]| {
            let (most, row) = (largest(row), row.to_vec());
            let sum = row.iter().map(|&x| (x - most).exp()).sum::<R>().ln();
            row.into_iter().map(move |x| (x - most) - sum).collect::<Vec<_>>()
        };
        Array::new(tensors[0].dims.clone(), tensors[0].rows().flat_map(row).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        rows(&tensors[0], cotangent, |x, g| {
            let p = softmax(x);
            // g_i (1 − p_i) − p_i Σ_{k≠i} g_k, with 1 − p_i as the sum of the others.
            let others = |i: usize, of: &[R]| (0..of.len()).filter(|&k| k != i).map(|k| of[k]).sum::<R>();
            (0..p.len()).map(|i| g[i] * others(i, &p) - p[i] * others(i, g)).collect()
        })
    }
}

struct LogSumExp;

impl Definition for LogSumExp {
    const NAME: &'static str = "logsumexp";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        Array::new([tensors[0].dims[0], 1], tensors[0].rows().map(log_sum_exp).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        rows(&tensors[0], cotangent, |x, g| softmax(x).into_iter().map(|p| g[0] * p).collect())
    }
}

/// `‖x‖` of every row. At zero it has a kink that no direction avoids.
struct Norm;

fn norm<R: Real>(row: &[R]) -> R {
    let (most, scaled) = scaled_norm(row);
    most * scaled
}

/// The largest magnitude and the norm of the row over it: the norm itself has few digits where it is denormal.
fn scaled_norm<R: Real>(row: &[R]) -> (R, R) {
    let most = row.iter().fold(R::of(0.0), |most, x| most.max(x.abs()));
    let by = if most == R::of(0.0) { R::of(1.0) } else { most };
    (most, row.iter().map(|&x| (x / by) * (x / by)).sum::<R>().sqrt())
}

impl Definition for Norm {
    const NAME: &'static str = "norm";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        Array::new([tensors[0].dims[0], 1], tensors[0].rows().map(norm).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        rows(&tensors[0], cotangent, |x, g| {
            let (most, scaled) = scaled_norm(x);
            let slope = |&x: &R| if most == R::of(0.0) { most } else { g[0] * (x / most / scaled) };
            x.iter().map(slope).collect()
        })
    }

    fn edges(tensors: &[Value]) -> Edges {
        let mut edges = Edges::none(tensors);
        let columns = tensors[0].dims()[1];
        for (at, row) in edges.at[0].chunks_mut(columns).zip(tensors[0].data().chunks(columns)) {
            at.fill(row.iter().all(|&x| x == 0.0));
        }
        edges
    }

    /// The sign of an element beside zeros, where the norm is its absolute value.
    fn decisions(tensors: &[Value]) -> Vec<i64> {
        let sign = |row: &[f64], i: usize| {
            let alone = (0..row.len()).all(|other| other == i || row[other] == 0.0);
            if alone { order(row[i], 0.0) } else { 3 }
        };
        let rows = tensors[0].data().chunks(tensors[0].dims()[1]);
        rows.flat_map(|row| (0..row.len()).map(move |i| sign(row, i))).collect()
    }
}

struct CumulativeSum;

impl Definition for CumulativeSum {
    const NAME: &'static str = "cumulative sum";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        vec![input("x", matrix(setting, ANY))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let row = |row: &[R]| {
            let mut sum = R::of(0.0);
            let mut sums = Vec::with_capacity(row.len());
            for &x in row {
                sum = sum + x;
                sums.push(sum);
            }
            sums
        };
        Array::new(tensors[0].dims.clone(), tensors[0].rows().flat_map(row).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        rows(&tensors[0], cotangent, |_, g| {
            let mut sums = g.to_vec();
            for column in (0..g.len().saturating_sub(1)).rev() {
                sums[column] = sums[column] + sums[column + 1];
            }
            sums
        })
    }
}

/// `γ (x − μ) / √(σ² + 10⁻⁵) + β` of every row.
struct LayerNorm;

/// The normalised row and `1 / √(σ² + 10⁻⁵)`.
fn normalised<R: Real>(row: &[R]) -> (Vec<R>, R) {
    let count = R::of(row.len() as f64);
    let mean = row.iter().copied().sum::<R>() / count;
    let centred: Vec<R> = row.iter().map(|&x| x - mean).collect();
    let inverse = R::of(1.0) / (dot(&centred, &centred) / count + R::of(1e-5)).sqrt();
    (centred.into_iter().map(|x| x * inverse).collect(), inverse)
}

impl Definition for LayerNorm {
    const NAME: &'static str = "layer norm";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let x = matrix(setting, ANY.upto(1e5, 1e9));
        let columns = [x.dims()[1]];
        let [gamma, beta] = [(); 2].map(|()| setting.value(&columns, ANY.upto(1e5, 1e9)));
        vec![input("x", x), input("gamma", gamma), input("beta", beta)]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let [x, gamma, beta] = tensors else { panic!("three tensors") };
        let row = |row: &[R]| {
            let (x, _) = normalised(row);
            (0..x.len()).map(|i| x[i] * gamma.data[i] + beta.data[i]).collect::<Vec<_>>()
        };
        Array::new(x.dims.clone(), x.rows().flat_map(row).collect())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let [x, gamma, beta] = tensors else { panic!("three tensors") };
        let mut of_x = Vec::with_capacity(x.data.len());
        let (mut of_gamma, mut of_beta) = (Array::zeros(&gamma.dims), Array::zeros(&beta.dims));
        for (x, g) in x.rows().zip(cotangent.rows()) {
            let (x, inverse) = normalised(x);
            let count = R::of(x.len() as f64);
            let scaled: Vec<R> = g.iter().zip(&gamma.data).map(|(&g, &gamma)| g * gamma).collect();
            let (mean, slope) = (scaled.iter().copied().sum::<R>() / count, dot(&scaled, &x) / count);
            for i in 0..x.len() {
                // With one element the deviation is always zero.
                let free = if x.len() == 1 { R::of(0.0) } else { (scaled[i] - mean) - x[i] * slope };
                of_x.push(inverse * free);
                of_gamma.data[i] = of_gamma.data[i] + g[i] * x[i];
                of_beta.data[i] = of_beta.data[i] + g[i];
            }
        }
        vec![Some(Array::new(x.dims.clone(), of_x)), Some(of_gamma), Some(of_beta)]
    }
}
