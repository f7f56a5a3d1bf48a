//! Operations that only move numbers about; none may lose the gradient on the way, or bring it back to another place.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::ops::{PadMode, UnfoldOptions};
use burn::tensor::{Tensor, module, s};

use super::maker::{Maker, subject};
use super::window::Windows;
use crate::subject::{Case, Subject, extent};

type T = Tensor<3>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "reshape", |mut m| {
        let x = m.apart(0.3..2.0);
        let [a, b, c] = [0, 1, 2].map(|axis| x.dims()[axis]);
        moved(&mut m, "to two axes", x, move |x| x.reshape([b, a * c]))
    }),
    subject!(smooth "flatten", |m| moved_real(m, "the last two axes", |x| x.flatten::<2>(1, 2))),
    subject!(smooth "unsqueeze_dim", |m| moved_real(m, "axis 2", |x| x.unsqueeze_dim::<4>(2))),
    subject!(smooth "squeeze_dim", |mut m| {
        let dims = [m.draw.size(2..=4), 1, m.draw.size(2..=4)];
        let x = m.signed(dims, 0.3..2.0);
        moved(&mut m, "axis 1", x, |x| x.squeeze_dim::<2>(1))
    }),
    subject!(smooth "swap_dims", |m| {
        let [a, b] = m.draw.pick(&[[0, 1], [0, 2], [1, 2]]);
        moved_real(m, &format!("axes {a} and {b}"), move |x| x.swap_dims(a, b))
    }),
    subject!(smooth "permute", |m| {
        let axes = m.draw.pick(&[[1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1]]);
        moved_real(m, &format!("to {axes:?}"), move |x| x.permute(axes))
    }),
    subject!(smooth "flip", |m| {
        let axes = m.draw.pick(&[[0, 1], [0, 2], [1, 2]]);
        moved_real(m, &format!("axes {axes:?}"), move |x| x.flip(axes))
    }),
    subject!(smooth "roll_dim", |m| {
        let (axis, shift) = (m.draw.size(0..=2), m.draw.size(1..=3));
        moved_real(m, &format!("axis {axis} by {shift}"), move |x| x.roll_dim(shift, axis))
    }),
    subject!(smooth "expand", |mut m| {
        let [a, c, times] = [m.draw.size(2..=3), m.draw.size(2..=4), m.draw.size(2..=4)];
        let x = m.signed([a, 1, c], 0.3..2.0);
        moved(&mut m, &format!("axis 1 to {times}"), x, move |x| x.expand([a, times, c]))
    }),
    subject!(smooth "repeat_dim", |m| {
        let (axis, times) = (m.draw.size(0..=2), m.draw.size(2..=3));
        moved_real(m, &format!("axis {axis}, {times} times"), move |x| x.repeat_dim(axis, times))
    }),
    subject!(smooth "repeat", |m| {
        let times = m.draw.pair(1..=3);
        moved_real(m, &format!("{} times", extent(times)), move |x| x.repeat(&[times[0], 1, times[1]]))
    }),
    subject!(smooth "triu", |m| {
        let diagonal = m.draw.size(0..=2) as i64 - 1;
        moved_real(m, &format!("diagonal {diagonal}"), move |x| x.triu(diagonal))
    }),
    subject!(smooth "tril", |m| {
        let diagonal = m.draw.size(0..=2) as i64 - 1;
        moved_real(m, &format!("diagonal {diagonal}"), move |x| x.tril(diagonal))
    }),
    subject!(smooth "slice", slice),
    subject!(smooth "narrow", |mut m| {
        let x = m.apart(0.3..2.0);
        let axis = m.draw.size(0..=2);
        let size = x.dims()[axis];
        let length = m.draw.size(1..=size);
        let start = m.draw.size(0..=size - length);
        moved(&mut m, &format!("axis {axis}, {length} from {start}"), x, move |x| x.narrow(axis, start, length))
    }),
    subject!(smooth "chunk", |mut m| {
        let x = m.apart(0.3..2.0);
        moved(&mut m, "axis 2 in two", x, |x| {
            let chunks = x.chunk(2, 2);
            Tensor::cat(chunks.into_iter().rev().collect(), 2)
        })
    }),
    subject!(smooth "slice_assign", slice_assign),
    subject!(smooth "slice_fill", |m| moved_real(m, "the second column", |x| x.slice_fill(s![.., .., 1..2], 3.0))),
    subject!(smooth "cat", |mut m| {
        let axis = m.draw.size(0..=2);
        let both = of_one_shape(&mut m, axis);
        m.binary(&format!("axis {axis}"), both, move |x: T, y: T| curve(Tensor::cat(vec![x.clone(), y, x], axis)))
    }),
    subject!(smooth "stack", |mut m| {
        let (x, axis) = (m.apart(0.3..2.0), m.draw.size(0..=3));
        let y = m.draw.normal(x.dims(), 1.0);
        m.binary(&format!("axis {axis}"), [x, y], move |x: T, y: T| curve(Tensor::stack::<4>(vec![x, y], axis)))
    }),
    subject!(smooth "pad", |m| {
        let (rows, columns) = (m.draw.pair(0..=2), m.draw.pair(0..=2));
        // The other modes take their numbers from the tensor, of which there are three columns at least.
        let (mode, name) = match m.draw.size(0..=2) {
            0 => (PadMode::Constant(0.5), "constant"),
            1 => (PadMode::Edge, "edge"),
            _ => (PadMode::Reflect, "reflect"),
        };
        let rows = if name == "reflect" { rows.map(|size| size.min(1)) } else { rows };
        let pairs = [(rows[0], rows[1]), (columns[0], columns[1])];
        moved_real(m, &format!("{name}, {pairs:?}"), move |x| x.pad(pairs, mode))
    }),
    subject!(smooth "unfold", unfold),
    subject!(smooth "unfold4d", |mut m| {
        let (x, windows) = windows(&mut m);
        m.unary(&windows.words(), x, move |x: Tensor<4>| {
            curve(module::unfold4d(x, windows.kernel, unfold_options(&windows)))
        })
    }),
    subject!(smooth "fold4d", |mut m| {
        let (image, windows) = windows(&mut m);
        let [height, width] = windows.image;
        let rows = image.dims()[1] * windows.kernel.iter().product::<usize>();
        let x = m.draw.normal([image.dims()[0], rows, windows.count(0) * windows.count(1)], 1.0);
        m.unary(&format!("to {height}×{width}, {}", windows.words()), x, move |x: T| {
            curve(module::fold4d(x, windows.image, windows.kernel, unfold_options(&windows)))
        })
    }),
];

/// A bend after the move: the gradient of an element is then its own number and no other's.
pub(super) fn curve<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * x * 0.5
}

fn moved<const E: usize>(m: &mut Maker<'_>, options: &str, x: Value, to: impl Fn(T) -> Tensor<E> + 'static) -> Case {
    m.unary(options, x, move |x| curve(to(x)))
}

fn moved_real<const E: usize>(mut m: Maker<'_>, options: &str, to: impl Fn(T) -> Tensor<E> + 'static) -> Case {
    let x = m.apart(0.3..2.0);
    moved(&mut m, options, x, to)
}

/// Two tensors that differ in the size of one axis only.
fn of_one_shape(m: &mut Maker<'_>, axis: usize) -> [Value; 2] {
    let mut dims = m.dims();
    let x = m.signed(dims, 0.3..2.0);
    dims[axis] = m.draw.size(1..=3);
    [x, m.signed(dims, 0.3..2.0)]
}

fn slice(mut m: Maker<'_>) -> Case {
    let x = m.apart(0.3..2.0);
    let [rows, columns] = [x.dims()[1], x.dims()[2]];
    match m.draw.size(0..=2) {
        0 => moved(&mut m, "rows from 1, columns to the last but one", x, move |x| {
            x.slice(s![.., 1..rows, 0..columns - 1])
        }),
        1 => moved(&mut m, "every second column", x, |x| x.slice(s![.., .., 0..;2])),
        _ => moved(&mut m, "columns backwards", x, |x| x.slice(s![.., .., ..;-1])),
    }
}

fn slice_assign(mut m: Maker<'_>) -> Case {
    let x = m.apart(0.3..2.0);
    let [batch, rows, columns] = [0, 1, 2].map(|axis| x.dims()[axis]);
    let every_second = m.draw.once_in(3);
    if every_second {
        let y = m.draw.normal([batch, rows, columns.div_ceil(2)], 1.0);
        return m.binary("every second column", [x, y], |x: T, y: T| curve(x.slice_assign(s![.., .., 0..;2], y)));
    }
    let y = m.draw.normal([batch, rows - 1, columns - 1], 1.0);
    m.binary("all but the first row and the last column", [x, y], move |x: T, y: T| {
        curve(x.slice_assign(s![.., 1..rows, 0..columns - 1], y))
    })
}

fn unfold(mut m: Maker<'_>) -> Case {
    let dims = [m.draw.size(1..=3), m.draw.size(3..=6), m.draw.size(1..=3)];
    let (x, size, step) = (m.signed(dims, 0.3..2.0), m.draw.size(1..=3), m.draw.size(1..=3));
    let case = moved(&mut m, &format!("axis 1, {size} by {step}"), x, move |x| x.unfold::<4, _>(1, size, step));
    let check = m.context.mutant(case.check, "the windows are detached (burn#4069)", |t| {
        Gradients::new().with("x", Value::full(t.value("x").dims(), 0.0))
    });
    Case { check, ..case }
}

/// An image and the windows to take of it, unequal along its axes.
fn windows(m: &mut Maker<'_>) -> (Value, Windows<2>) {
    let windows = Windows::<2>::draw(m, 2);
    let [height, width] = windows.image;
    let dims = [m.draw.size(1..=2), m.draw.size(1..=2), height, width];
    (m.signed(dims, 0.3..2.0), windows)
}

fn unfold_options(windows: &Windows<2>) -> UnfoldOptions {
    UnfoldOptions::new(windows.stride, windows.padding, windows.dilation)
}
