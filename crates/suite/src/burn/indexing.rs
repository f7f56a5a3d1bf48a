//! Operations with indices and masks.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::{Bool, IndexingUpdateOp, Tensor, TensorData, module};

use super::maker::{Maker, describe, int, subject, with_element};
use super::shape::curve;
use crate::subject::{Case, Layout, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "mask_fill", |mut m| {
        let x = m.apart(0.3..2.0);
        let mask = mask(&mut m, x.len());
        let dims = [0, 1, 2].map(|axis| x.dims()[axis]);
        m.unary("with 3", x, move |x: T| {
            let mask = Tensor::<3, Bool>::from_data(TensorData::new(mask.clone(), dims), &x.device());
            x.mask_fill(mask, 3.0)
        })
    }),
    subject!(smooth "mask_where", |mut m| {
        let x = m.apart(0.3..2.0);
        let (y, mask) = (m.draw.normal(x.dims(), 1.0), mask(&mut m, x.len()));
        let dims = [0, 1, 2].map(|axis| x.dims()[axis]);
        m.binary("", [x, y], move |x: T, y: T| {
            let mask = Tensor::<3, Bool>::from_data(TensorData::new(mask.clone(), dims), &x.device());
            x.mask_where(mask, y)
        })
    }),
    subject!(smooth "select", select),
    subject!(smooth "gather", |mut m| {
        let x = m.apart(0.3..2.0);
        let axis = m.draw.size(0..=2);
        let mut dims = [0, 1, 2].map(|axis| x.dims()[axis]);
        let bound = dims[axis];
        dims[axis] = m.draw.size(1..=5);
        let indices = m.indices(dims.iter().product(), bound);
        let (about, check) =
            (describe(&[&x], &format!("axis {axis}, {} of each", dims[axis]), Layout::Contiguous), m.check());
        m.case(about, check.input("x", x), move |t| curve(t.get::<3>("x").gather(axis, int(t, dims, &indices))))
    }),
    subject!(smooth "select_assign_add", |m| select_assign(m, IndexingUpdateOp::Add, true)),
    subject!(smooth "select_assign_assign", |m| select_assign(m, IndexingUpdateOp::Assign, false)),
    subject!(smooth "scatter_add", |m| scatter(m, IndexingUpdateOp::Add, true)),
    subject!(smooth "scatter_assign", |m| scatter(m, IndexingUpdateOp::Assign, false)),
    subject!(smooth "scatter_mul", |m| scatter(m, IndexingUpdateOp::Mul, false)),
    subject!("scatter_min", |m| scatter(m, IndexingUpdateOp::Min, false)),
    subject!("scatter_max", |m| scatter(m, IndexingUpdateOp::Max, false)),
    subject!(smooth "gather_nd", gather_nd),
    subject!(smooth "scatter_nd_add", |m| scatter_nd(m, IndexingUpdateOp::Add)),
    subject!(smooth "scatter_nd_assign", |m| scatter_nd(m, IndexingUpdateOp::Assign)),
    subject!(smooth "embedding", embedding),
];

/// By chance, but neither all nor nothing.
fn mask(m: &mut Maker<'_>, length: usize) -> Vec<bool> {
    (0..length).map(|index| if index < 2 { index == 0 } else { m.draw.once_in(2) }).collect()
}

fn select(mut m: Maker<'_>) -> Case {
    let x = m.apart(0.3..2.0);
    let axis = m.draw.size(0..=2);
    let count = m.draw.size(1..=5);
    // Some are taken twice: their gradients are sums.
    let indices = m.indices(count, x.dims()[axis]);
    let layout = m.draw.layout();
    let (about, check) = (describe(&[&x], &format!("axis {axis}, {indices:?}"), layout), m.check());
    m.case(about, check.input("x", x), move |t| {
        curve(layout.arrange(t.get::<3>("x")).select(axis, int(t, [count], &indices)))
    })
}

/// `repeated` if an index may come twice.
fn select_assign(mut m: Maker<'_>, update: IndexingUpdateOp, repeated: bool) -> Case {
    let x = m.apart(0.3..2.0);
    let axis = m.draw.size(1..=2);
    let bound = x.dims()[axis];
    let count = m.draw.size(1..=if repeated { 4 } else { bound - 1 });
    let indices = if repeated { m.indices(count, bound) } else { m.different_indices(count, bound) };
    let mut dims = [0, 1, 2].map(|axis| x.dims()[axis]);
    dims[axis] = count;
    let y = m.draw.normal(dims, 1.0);
    let (about, check) = (describe(&[&x, &y], &format!("axis {axis}, {indices:?}"), Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<3>("x").select_assign(axis, int(t, [count], &indices), t.get("y"), update))
    })
}

fn scatter(mut m: Maker<'_>, update: IndexingUpdateOp, repeated: bool) -> Case {
    let [rows, columns, count] = [m.draw.size(2..=4), m.draw.size(3..=5), m.draw.size(1..=2)];
    let x = m.distinct([rows, columns]);
    // One number that wins as a minimum and one that wins as a maximum, wherever it goes.
    let y = with_element(&m.uniform([rows, count], -1.5..1.5), 0, -9.0);
    let y = with_element(&y, rows * count - 1, 9.0);
    let row =
        |m: &mut Maker<'_>| if repeated { m.indices(count, columns) } else { m.different_indices(count, columns) };
    let indices: Vec<i64> = (0..rows).flat_map(|_| row(&mut m)).collect();
    let (about, check) = (describe(&[&x, &y], "axis 1", Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<2>("x").scatter(1, int(t, [rows, count], &indices), t.get("y"), update))
    })
}

fn gather_nd(mut m: Maker<'_>) -> Case {
    let [a, b, c] = [m.draw.size(2..=3), m.draw.size(2..=3), m.draw.size(1..=3)];
    let (x, count) = (m.signed([a, b, c], 0.3..2.0), m.draw.size(2..=4));
    // The first and the last place are the same: the gradient is a sum.
    let mut places: Vec<i64> = m.indices(count, a * b);
    places[count - 1] = places[0];
    let indices: Vec<i64> = places.iter().flat_map(|place| [place / b as i64, place % b as i64]).collect();
    let (about, check) = (describe(&[&x], &backproof_spec::counted(count, "place"), Layout::Contiguous), m.check());
    let case = m.case(about, check.input("x", x), move |t| {
        curve(t.get::<3>("x").gather_nd::<2, 2>(int(t, [count, 2], &indices)))
    });
    let name = "a place that is taken twice gets the gradient of one: it is added without an atomic operation \
                (burn-cubecl, kernel/index/scatter_nd.rs)";
    let check = m.context.mutant(case.check, name, move |t| {
        let gradient = last_of_each(t.value("x"), t.cotangent_value(), &places, c);
        Gradients::new().with("x", gradient)
    });
    Case { check, ..case }
}

/// The gradient of `x²/2` at rows of `width` that were taken, if the last one to come to a row wins.
fn last_of_each(x: &Value, cotangent: &Value, rows: &[i64], width: usize) -> Value {
    let mut gradient = vec![0.0; x.len()];
    for (place, &row) in rows.iter().enumerate() {
        for column in 0..width {
            let index = row as usize * width + column;
            gradient[index] = x.data()[index] * cotangent.data()[place * width + column];
        }
    }
    Value::new(x.dims(), gradient)
}

fn scatter_nd(mut m: Maker<'_>, update: IndexingUpdateOp) -> Case {
    let [a, b, c] = [m.draw.size(2..=3), m.draw.size(2..=3), m.draw.size(1..=3)];
    let count = m.draw.size(1..=3);
    let places = m.different_indices(count, a * b);
    let indices: Vec<i64> = places.iter().flat_map(|place| [place / b as i64, place % b as i64]).collect();
    let (x, y) = (m.draw.normal([a, b, c], 1.0), m.signed([count, c], 0.3..1.5));
    let (about, check) = (describe(&[&x, &y], &backproof_spec::counted(count, "place"), Layout::Contiguous), m.check());
    m.case(about, check.input("x", x).input("y", y), move |t| {
        curve(t.get::<3>("x").scatter_nd::<2, 2>(int(t, [count, 2], &indices), t.get("y"), update))
    })
}

fn embedding(mut m: Maker<'_>) -> Case {
    let [words, width, rows, columns] =
        [m.draw.size(2..=5), m.draw.size(1..=4), m.draw.size(1..=3), m.draw.size(2..=4)];
    let weight = m.draw.normal([words, width], 1.0);
    let indices = m.indices(rows * columns, words);
    let about = describe(&[&weight], &format!("{rows}×{columns} words"), Layout::Contiguous);
    let check = m.check().parameter("weight", weight);
    let again = indices.clone();
    let case =
        m.case(about, check, move |t| curve(module::embedding(t.get("weight"), int(t, [rows, columns], &indices))));
    let check = m.context.mutant(case.check, "a word that comes twice gets the gradient of one place", move |t| {
        Gradients::new().with("weight", last_of_each(t.value("weight"), t.cotangent_value(), &again, width))
    });
    Case { check, ..case }
}
