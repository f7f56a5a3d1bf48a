//! Products that are written as an equation of axes.

use burn::tensor::{Tensor, einsum};

use super::maker::{Maker, subject};
use crate::subject::{Case, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "dot", |mut m| {
        let count = m.draw.size(1..=9);
        let both = [m.draw.values([count], 1.0), m.draw.normal([count], 1.0)];
        m.binary("", both, |x: Tensor<1>, y: Tensor<1>| x.dot(y))
    }),
    subject!(smooth "einsum", two),
    subject!(smooth "einsum_diagonal", one),
    subject!(smooth "einsum_three", three),
    subject!(smooth "einsum_macro", |mut m| {
        let [i, j, k] = sizes(&mut m);
        let both = [m.draw.normal([i, j], 1.0), m.draw.normal([2, j, k], 1.0)];
        m.binary("ij,bjk->bki", both, |x: Tensor<2>, y: Tensor<3>| -> Tensor<3> { einsum!("ij,bjk->bki", x, y) })
    }),
];

fn sizes(m: &mut Maker<'_>) -> [usize; 3] {
    [0; 3].map(|_| m.draw.size(1..=4))
}

/// Two factors: matrix products with and without batches, an outer product, products of elements, and axes that are
/// broadcast.
fn two(mut m: Maker<'_>) -> Case {
    let [i, j, k] = sizes(&mut m);
    match m.draw.size(0..=6) {
        0 => pair::<2, 2, 2>(m, "ij,jk->ik", [i, j], [j, k]),
        1 => pair::<3, 3, 3>(m, "bij,bjk->bki", [2, i, j], [2, j, k]),
        2 => pair::<1, 1, 2>(m, "i,j->ij", [i], [j]),
        3 => pair::<2, 2, 1>(m, "ij,ij->", [i, j], [i, j]),
        4 => pair::<3, 1, 2>(m, "ijk,k->ji", [i, j, k], [k]),
        5 => pair::<3, 2, 3>(m, "...ij,...jk->...ik", [2, i, j], [j, k]),
        _ => pair::<2, 2, 2>(m, "ij,ij->ji", [i, 1], [i, j]),
    }
}

fn pair<const D: usize, const F: usize, const E: usize>(
    mut m: Maker<'_>,
    equation: &'static str,
    left: [usize; D],
    right: [usize; F],
) -> Case {
    let both = [m.draw.normal(left, 1.0), m.draw.normal(right, 1.0)];
    m.binary(equation, both, move |x: Tensor<D>, y: Tensor<F>| Tensor::<E>::einsum(equation, [x.into(), y.into()]))
}

/// One factor, of which axes are exchanged, summed or followed along the diagonal.
fn one(mut m: Maker<'_>) -> Case {
    let [i, j, _] = sizes(&mut m);
    match m.draw.size(0..=3) {
        0 => alone::<2, 1>(m, "ii->i", [i, i]),
        1 => alone::<2, 1>(m, "ii->", [i, i]),
        2 => alone::<3, 2>(m, "iji->ji", [i, j, i]),
        _ => alone::<3, 1>(m, "ijk->j", [i, j, 2]),
    }
}

fn alone<const D: usize, const E: usize>(mut m: Maker<'_>, equation: &'static str, dims: [usize; D]) -> Case {
    let x = m.signed(dims, 0.3..2.0);
    m.unary(equation, x, move |x: Tensor<D>| Tensor::<E>::einsum(equation, [(x.clone() * x).into()]))
}

/// Three factors, of which one comes twice.
fn three(mut m: Maker<'_>) -> Case {
    let [i, j, _] = sizes(&mut m);
    let both = [m.draw.normal([i], 1.0), m.draw.normal([i, j], 1.0)];
    m.binary("i,ij,i->j", both, |x: Tensor<1>, y: Tensor<2>| {
        Tensor::<1>::einsum("i,ij,i->j", [x.clone().into(), y.into(), x.into()])
    })
}
