//! Linear algebra of `burn-linalg`. Its singular value decomposition is left out: it refuses a tensor that wants a
//! gradient.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::{DType, Tensor, s};
use burn_linalg::{cosine_similarity, det, diag, lu, matvec, outer, outer_dim, qr, trace};

use super::maker::{Maker, describe, subject, with_element};
use super::shape::curve;
use crate::subject::{Case, Layout, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "diag", |mut m| {
        let x = matrices(&mut m);
        m.unary("", x, |x: T| curve(diag::<3, 2, _>(x)))
    }),
    subject!(smooth "trace", |mut m| {
        let x = matrices(&mut m);
        m.unary("", x, |x: T| curve(trace::<3, 2>(x)))
    }),
    subject!(smooth "matvec", |mut m| {
        let [rows, columns] = m.draw.pair(1..=4);
        let [left, right] = m.draw.pick(&[[2, 2], [1, 3], [3, 1]]);
        let both = [m.draw.normal([left, rows, columns], 1.0), m.draw.normal([right, columns], 1.0)];
        m.binary("", both, |x: T, y: Tensor<2>| matvec(x, y))
    }),
    subject!(smooth "outer", |mut m| {
        let batch = m.draw.size(1..=3);
        let both = [m.draw.size(1..=4), m.draw.size(1..=4)].map(|size| m.draw.normal([batch, size], 1.0));
        m.binary("", both, outer::<2, 3, _>)
    }),
    subject!(smooth "outer_dim", |mut m| {
        let columns = m.draw.size(1..=3);
        let both = [m.draw.size(1..=4), m.draw.size(1..=4)].map(|size| m.draw.normal([size, columns], 1.0));
        m.binary("axis 0", both, |x: Tensor<2>, y: Tensor<2>| outer_dim::<2, 3, _, _>(x, y, 0))
    }),
    subject!(smooth "det", determinant),
    subject!(smooth "det_singular", singular),
    subject!(smooth "lu", |mut m| {
        let dims = m.draw.pick(&[[2, 2, 2], [1, 3, 3], [2, 4, 3], [1, 3, 4], [1, 5, 5]]);
        let x = pivoted(&mut m, dims);
        m.unary("the lower and the upper factor", x, |x: T| {
            let (_, lower, upper) = lu::<3, 2>(x);
            Tensor::cat(vec![lower.flatten::<2>(1, 2), upper.flatten::<2>(1, 2)], 1)
        })
    }),
    subject!(smooth "qr", orthogonal),
    subject!(smooth "cosine_similarity", |mut m| {
        let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=4)];
        let (both, axis) = ([m.signed(dims, 0.3..2.0), m.signed(dims, 0.3..2.0)], m.draw.size(0..=2));
        m.binary(&format!("axis {axis}"), both, move |x: T, y: T| cosine_similarity(x, y, axis, None))
    }),
];

/// Matrices that need not be square.
fn matrices(m: &mut Maker<'_>) -> Value {
    let dims = [m.draw.size(1..=3), m.draw.size(1..=4), m.draw.size(1..=4)];
    m.signed(dims, 0.3..2.0)
}

/// Matrices whose largest entries lie apart in every column, so that no step changes the order of the pivots.
fn pivoted(m: &mut Maker<'_>, [batch, rows, columns]: [usize; 3]) -> Value {
    let mut x = m.uniform([batch, rows, columns], -0.8..0.8);
    for sample in 0..batch {
        let pivots = m.different_indices(rows, rows);
        for (column, &row) in pivots.iter().take(columns).enumerate() {
            let size = m.draw.real(3.0..4.0);
            let size = if m.draw.once_in(2) { size } else { -size };
            x = with_element(&x, (sample * rows + row as usize) * columns + column, size);
        }
    }
    x
}

fn determinant(mut m: Maker<'_>) -> Case {
    let (batch, size) = (m.draw.size(1..=2), m.draw.size(1..=5));
    let x = pivoted(&mut m, [batch, size, size]);
    let case = m.unary("", x, det::<3, 2, 1>);
    let check = m.context.mutant(case.check, "the cofactors are not transposed", move |t| {
        let x = t.get::<3>("x").autodiff().require_grad();
        let found = (det::<3, 2, 1>(x.clone()) * t.cotangent::<1>().autodiff()).sum().backward();
        Gradients::new().with("x", x.grad(&found).expect("the determinant depends on x").transpose())
    });
    Case { check, ..case }
}

/// Of matrices whose last pivot is zero: so is the determinant, and its derivative is not. No step of the elimination
/// is rounded.
fn singular(mut m: Maker<'_>) -> Case {
    let size = m.draw.size(2..=5);
    let rows = m.different_indices(size, size);
    let mut x = vec![0.0; size * size];
    for (column, &pivot) in rows.iter().enumerate() {
        // Above the diagonal but for the order of the rows, eighths; on it, powers of two and one zero.
        for &row in &rows[..column] {
            x[row as usize * size + column] = (8.0 * m.draw.real(-2.0..2.0)).round() / 8.0;
        }
        let size_of_pivot = if column + 1 == size { 0.0 } else { m.draw.pick(&[1.0, -2.0, 0.5]) };
        x[pivot as usize * size + column] = size_of_pivot;
    }
    let case = m.unary("", Value::new([1, size, size], x), det::<3, 2, 1>);
    let check = m.context.mutant(case.check, DERIVATIVE_OF_A_ZERO_IS_LOST, |t| {
        Gradients::new().with("x", Value::full(t.value("x").dims(), 0.0))
    });
    Case { check, ..case }
}

pub(super) const DERIVATIVE_OF_A_ZERO_IS_LOST: &str = "a determinant below the round-off is filled with zero, which has no derivative \
                                                       (burn-linalg, functions/det.rs, det)";

/// Burn makes a tensor in the default precision on the way, and cannot work in another; the reference is Gram and
/// Schmidt's construction, with the signs that Burn's reflections give.
fn orthogonal(mut m: Maker<'_>) -> Case {
    let dims = m.draw.pick(&[[2, 2, 2], [1, 3, 3], [2, 4, 3], [1, 4, 2], [1, 1, 1]]);
    let x = pivoted(&mut m, dims);
    let (about, check) = (describe(&[&x], "reduced", Layout::Contiguous), m.check());
    m.case(about, check.input("x", x), |t| {
        let x = t.get::<3>("x");
        let (q, r) = if x.device().is_autodiff() { qr(x, true) } else { gram_schmidt(x) };
        Tensor::cat(vec![q.flatten::<2>(1, 2), r.triu(0).flatten::<2>(1, 2)], 1)
    })
}

fn gram_schmidt(x: T) -> (T, T) {
    let [batch, rows, columns] = x.dims();
    let by_burn = qr(x.clone().cast(DType::F32), true).1.cast(x.dtype());
    let (mut q, mut r) = (Vec::<T>::new(), Tensor::zeros([batch, columns, columns], (&x.device(), x.dtype())));
    for column in 0..columns {
        let mut rest = x.clone().narrow(2, column, 1);
        for (earlier, unit) in q.iter().enumerate() {
            let along = (unit.clone() * rest.clone()).sum_dim(1);
            rest = rest - unit.clone() * along.clone();
            r = r.slice_assign(s![.., earlier..earlier + 1, column..column + 1], along);
        }
        let sign = by_burn.clone().slice(s![.., column..column + 1, column..column + 1]).sign();
        let length = rest.clone().square().sum_dim(1).sqrt() * sign;
        r = r.slice_assign(s![.., column..column + 1, column..column + 1], length.clone());
        q.push(rest / length);
    }
    debug_assert_eq!(q[0].dims(), [batch, rows, 1]);
    (Tensor::cat(q, 2), r)
}
