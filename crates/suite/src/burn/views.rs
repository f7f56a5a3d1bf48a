//! Other ways to look at the same numbers: axes moved, added and taken away, parts taken out, and the handle of a
//! tensor passed on.

use backproof_gradcheck::Value;
use burn::tensor::{Slice, Tensor};

use super::maker::{Maker, subject};
use super::shape::curve;
use crate::subject::{Case, Subject};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "transpose", |m| moved(m, "", T::transpose)),
    subject!(smooth "t", |m| moved(m, "", T::t)),
    subject!(smooth "movedim", |m| {
        let (from, to) = m.draw.pick(&[(0, 2), (2, 0), (1, 0), (-1, 1)]);
        moved(m, &format!("{from} to {to}"), move |x| x.movedim(from, to))
    }),
    subject!(smooth "movedim_several", |m| {
        let (from, to) = m.draw.pick(&[([0, 1], [1, 2]), ([0, 1], [2, 0]), ([2, 0], [0, 1])]);
        moved(m, &format!("{from:?} to {to:?}"), move |x| x.movedim(from.to_vec(), to.to_vec()))
    }),
    subject!(smooth "squeeze", |m| {
        let dims = [m.draw.size(2..=4), 1, m.draw.size(2..=4)];
        of_dims(m, dims, "", T::squeeze::<2>)
    }),
    subject!(smooth "squeeze_dims", |m| {
        let dims = [1, m.draw.size(3..=6), 1];
        of_dims(m, dims, "axes [0, -1]", |x| x.squeeze_dims::<1>(&[0, -1]))
    }),
    subject!(smooth "unsqueeze", |m| moved(m, "", T::unsqueeze::<4>)),
    subject!(smooth "unsqueeze_dims", |m| moved(m, "axes [0, -1]", |x| x.unsqueeze_dims::<5>(&[0, -1]))),
    subject!(smooth "expand_rank", |m| {
        let [a, c, times] = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=3)];
        of_dims(m, [a, 1, c], &format!("to 2×{a}×{times}×{c}"), move |x| x.expand([2, -1, times as i64, c as i64]))
    }),
    subject!(smooth "roll", |m| {
        let (shifts, axes) = ([m.draw.size(0..=4) as i64 - 2, m.draw.size(1..=3) as i64], m.draw.pick(&[[0, 1], [2, 1], [2, 2]]));
        moved(m, &format!("axes {axes:?} by {shifts:?}"), move |x| x.roll(&shifts, &axes))
    }),
    subject!(smooth "slice_dim", |mut m| {
        let (x, axis) = (m.apart(0.3..2.0), m.draw.size(0..=2));
        let slice = part(&mut m, x.dims()[axis]);
        m.unary(&format!("axis {axis}, {}", words(&[slice])), x, move |x: T| curve(x.slice_dim(axis, slice)))
    }),
    subject!(smooth "slice_steps", |mut m| {
        let x = larger(&mut m);
        let slices = parts(&mut m, &x);
        m.unary(&words(&slices), x, move |x: T| curve(x.slice(slices)))
    }),
    subject!(smooth "slice_assign_steps", |mut m| {
        let x = larger(&mut m);
        let slices = parts(&mut m, &x);
        let y = m.signed(slices.map(count), 0.3..2.0);
        m.binary(&words(&slices), [x, y], move |x: T, y: T| curve(x.slice_assign(slices, y)))
    }),
    subject!(smooth "slice_fill_steps", |mut m| {
        let x = larger(&mut m);
        let mut slices = parts(&mut m, &x);
        // Something is left.
        slices[1] = Slice::new(1, Some(x.dims()[1] as isize), 2);
        m.unary(&format!("{} with 3", words(&slices)), x, move |x: T| curve(x.slice_fill(slices, 3.0)))
    }),
    subject!(smooth "select_dim", |mut m| {
        let (x, axis) = (m.apart(0.3..2.0), m.draw.size(0..=2));
        let index = m.draw.size(0..=2 * x.dims()[axis] - 1) as isize - x.dims()[axis] as isize;
        m.unary(&format!("axis {axis}, number {index}"), x, move |x: T| curve(x.select_dim::<2>(axis, index)))
    }),
    subject!(smooth "iter_dim", |m| {
        let axis = m.draw.size(0..=2);
        moved(m, &format!("axis {axis}, backwards"), move |x| Tensor::cat(x.iter_dim(axis).rev().collect(), axis))
    }),
    subject!(smooth "split", |m| {
        let (axis, size) = (m.draw.size(0..=2), m.draw.size(1..=3));
        moved(m, &format!("axis {axis}, {size} each, in the other order"), move |x| {
            Tensor::cat(x.split(size, axis).into_iter().rev().collect(), axis)
        })
    }),
    subject!(smooth "split_with_sizes", |m| {
        let dims = [m.draw.size(1..=3), m.draw.size(3..=6), m.draw.size(1..=3)];
        let sizes = vec![1, dims[1] - 2, 1];
        of_dims(m, dims, &format!("axis 1, {sizes:?}, in the other order"), move |x| {
            Tensor::cat(x.split_with_sizes(sizes.clone(), 1).into_iter().rev().collect(), 1)
        })
    }),
    subject!(smooth "extract", |m| moved(m, "", |mut x| x.extract())),
    subject!(smooth "inplace", |m| moved(m, "", |mut x| {
        x.inplace(|x| x.sin());
        x
    })),
    subject!(smooth "to_device", |m| moved(m, "the device that it is on", |x| {
        let device = x.device();
        x.to_device(&device)
    })),
];

fn moved<const E: usize>(mut m: Maker<'_>, options: &str, to: impl Fn(T) -> Tensor<E> + 'static) -> Case {
    let dims = m.dims();
    of_dims(m, dims, options, to)
}

fn of_dims<const E: usize>(
    mut m: Maker<'_>,
    dims: [usize; 3],
    options: &str,
    to: impl Fn(T) -> Tensor<E> + 'static,
) -> Case {
    let x = m.signed(dims, 0.3..2.0);
    m.unary(options, x, move |x| curve(to(x)))
}

/// Axes that are long enough for steps.
fn larger(m: &mut Maker<'_>) -> Value {
    let dims = [m.draw.size(2..=3), m.draw.size(3..=5), m.draw.size(3..=5)];
    m.signed(dims, 0.3..2.0)
}

/// A part of an axis, with a step in either direction; at least one element.
fn part(m: &mut Maker<'_>, size: usize) -> Slice {
    let start = m.draw.size(0..=size - 1);
    let end = m.draw.size(start + 1..=size);
    let step = m.draw.pick(&[1, 1, 2, 3, -1, -2]);
    Slice::new(start as isize, Some(end as isize), step)
}

/// As many elements as a part takes, in either direction.
fn count(part: Slice) -> usize {
    let end = part.end.expect("a part has an end");
    (end - part.start).unsigned_abs().div_ceil(part.step.unsigned_abs())
}

fn parts(m: &mut Maker<'_>, x: &Value) -> [Slice; 3] {
    [0, 1, 2].map(|axis| part(m, x.dims()[axis]))
}

/// `0..3, 1..4 by 2`.
fn words(slices: &[Slice]) -> String {
    let one = |slice: &Slice| {
        let by = if slice.step == 1 { String::new() } else { format!(" by {}", slice.step) };
        format!("{}..{}{by}", slice.start, slice.end.expect("a part has an end"))
    };
    slices.iter().map(one).collect::<Vec<_>>().join(", ")
}
