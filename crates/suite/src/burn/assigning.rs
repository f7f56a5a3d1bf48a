//! What takes single elements out of a tensor, and what writes some into it by a product, a minimum or a maximum.

use backproof_gradcheck::Gradients;
use burn::tensor::{Bool, IndexingUpdateOp, Tensor, TensorData};

use super::maker::{Maker, describe, int, subject, with_element};
use super::shape::curve;
use crate::subject::{Case, Layout, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "take", |mut m| {
        let (x, axis) = (m.apart(0.3..2.0), m.draw.pick(&[0_i64, 1, 2, -1]));
        let [rows, columns] = [m.draw.size(1..=2), m.draw.size(2..=3)];
        // Some are taken twice: their gradients are sums.
        let indices = m.indices(rows * columns, x.dims()[axis.rem_euclid(3) as usize]);
        let (about, check) = (describe(&[&x], &format!("axis {axis}, {indices:?}"), Layout::Contiguous), m.check());
        m.case(about, check.input("x", x), move |t| {
            curve(t.get::<3>("x").take::<2, 4>(axis, int(t, [rows, columns], &indices)))
        })
    }),
    subject!(smooth "mask_select", mask_select),
    subject!(smooth "select_assign_mul", |m| select_assign(m, IndexingUpdateOp::Mul)),
    subject!("select_assign_min", |m| select_assign(m, IndexingUpdateOp::Min)),
    subject!("select_assign_max", |m| select_assign(m, IndexingUpdateOp::Max)),
    subject!("scatter_axes", scatter),
    subject!(smooth "scatter_nd_mul", |m| scatter_nd(m, IndexingUpdateOp::Mul)),
    subject!("scatter_nd_min", |m| scatter_nd(m, IndexingUpdateOp::Min)),
    subject!("scatter_nd_max", |m| scatter_nd(m, IndexingUpdateOp::Max)),
];

fn mask_select(mut m: Maker<'_>) -> Case {
    let (x, layout) = (m.apart(0.3..2.0), m.draw.layout());
    let mask: Vec<bool> = (0..x.len()).map(|index| index == 0 || (index > 1 && m.draw.once_in(2))).collect();
    let dims = [0, 1, 2].map(|axis| x.dims()[axis]);
    let again = mask.clone();
    let count = mask.iter().filter(|&&taken| taken).count();
    let (about, check) = (describe(&[&x], &format!("{count} of {}", x.len()), layout), m.check());
    let case = m.case(about, check.input("x", x), move |t| {
        let mask = Tensor::<3, Bool>::from_data(TensorData::new(mask.clone(), dims), t.device());
        curve(layout.arrange(t.get::<3>("x")).mask_select(mask))
    });
    let check = m.context.mutant(case.check, "the gradient fills the tensor from its beginning", move |t| {
        let (x, cotangent) = (t.value("x"), t.cotangent_value());
        let taken = again.iter().zip(x.data()).filter(|(taken, _)| **taken).map(|(_, x)| x);
        let mut gradient: Vec<f64> = taken.zip(cotangent.data()).map(|(x, g)| x * g).collect();
        gradient.resize(x.len(), 0.0);
        Gradients::new().with("x", backproof_gradcheck::Value::new(x.dims(), gradient))
    });
    Case { check, ..case }
}

/// The indices are different, since Burn says nothing of the gradient where two updates meet; each side wins somewhere.
fn select_assign(mut m: Maker<'_>, update: IndexingUpdateOp) -> Case {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=4)];
    let (x, axis) = (m.distinct(dims), m.draw.size(0..=2));
    let count = m.draw.size(1..=dims[axis] - 1);
    let indices = m.different_indices(count, dims[axis]);
    let mut y_dims = dims;
    y_dims[axis] = count;
    let y = m.uniform(y_dims, -1.5..1.5);
    let last = y.len() - 1;
    let y = with_element(&with_element(&y, 0, -9.0), last, 9.0);
    let (about, check) = (describe(&[&x, &y], &format!("axis {axis}, {indices:?}"), Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<3>("x").select_assign(axis, int(t, [count], &indices), t.get::<3>("y"), update))
    })
}

/// Along any axis of three, in every way to update; the places are different.
fn scatter(mut m: Maker<'_>) -> Case {
    let dims = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=4)];
    let (x, axis) = (m.distinct(dims), m.draw.size(0..=2));
    let mut y_dims = dims;
    y_dims[axis] = m.draw.size(1..=dims[axis] - 1);
    let y = m.uniform(y_dims, -1.5..1.5);
    let last = y.len() - 1;
    let y = with_element(&with_element(&y, 0, -9.0), last, 9.0);
    // Every line along the axis has places of its own.
    let [before, inside, after] = [y_dims[..axis].iter().product(), y_dims[axis], y_dims[axis + 1..].iter().product()];
    let mut indices = vec![0; y.len()];
    for line in 0..before * after {
        let places = m.different_indices(inside, dims[axis]);
        for (number, place) in places.into_iter().enumerate() {
            indices[(line / after * inside + number) * after + line % after] = place;
        }
    }
    use IndexingUpdateOp::{Add, Assign, Max, Min, Mul};
    let update = m.draw.pick(&[Assign, Add, Mul, Min, Max]);
    let (about, check) = (describe(&[&x, &y], &format!("axis {axis}, {update:?}"), Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<3>("x").scatter(axis, int(t, y_dims, &indices), t.get("y"), update))
    })
}

fn scatter_nd(mut m: Maker<'_>, update: IndexingUpdateOp) -> Case {
    let [a, b, c] = [m.draw.size(2..=3), m.draw.size(2..=3), m.draw.size(2..=3)];
    let count = m.draw.size(1..=3);
    let places = m.different_indices(count, a * b);
    let indices: Vec<i64> = places.iter().flat_map(|place| [place / b as i64, place % b as i64]).collect();
    let (x, y) = (m.distinct([a, b, c]), m.uniform([count, c], -1.5..1.5));
    let last = y.len() - 1;
    let y = with_element(&with_element(&y, 0, -9.0), last, 9.0);
    let (about, check) = (describe(&[&x, &y], &backproof_spec::counted(count, "place"), Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<3>("x").scatter_nd::<2, 2>(int(t, [count, 2], &indices), t.get("y"), update))
    })
}
