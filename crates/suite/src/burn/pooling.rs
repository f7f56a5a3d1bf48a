//! Maxima and means of windows.

use backproof_gradcheck::{Gradients, Value};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Tensor, module};

use super::maker::{Maker, subject};
use super::window::{RowMajor, Windows};
use crate::subject::{Case, Layout, Subject, extent};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("max_pool1d", |mut m| {
        let windows = pools::<1>(&mut m);
        let ceil_mode = m.draw.once_in(2);
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), windows.image[0]];
        let x = m.distinct(dims);
        m.unary(&about(&windows, ceil_mode, ""), x, move |x: Tensor<3>| {
            module::max_pool1d(x, max_options(&windows, ceil_mode))
        })
    }),
    subject!("max_pool2d", max_pool2d),
    subject!("max_pool2d_with_indices", |mut m| {
        let windows = pools::<2>(&mut m);
        let ceil_mode = m.draw.once_in(2);
        let x = image(&mut m, &windows);
        m.unary(&about(&windows, ceil_mode, ""), x, move |x: Tensor<4>| {
            module::max_pool2d_with_indices(x, max_options(&windows, ceil_mode)).0
        })
    }),
    subject!("max_pool1d_with_indices", |mut m| {
        let windows = pools::<1>(&mut m);
        let ceil_mode = m.draw.once_in(2);
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), windows.image[0]];
        let x = m.distinct(dims);
        m.unary(&about(&windows, ceil_mode, ""), x, move |x: Tensor<3>| {
            module::max_pool1d_with_indices(x, max_options(&windows, ceil_mode)).0
        })
    }),
    subject!(smooth "avg_pool1d", |mut m| {
        let windows = means::<1>(&mut m);
        let (ceil_mode, include) = (m.draw.once_in(2), m.draw.once_in(2));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), windows.image[0]];
        let x = m.draw.normal(dims, 1.0);
        m.unary(&about(&windows, ceil_mode, divisor(include)), x, move |x: Tensor<3>| {
            module::avg_pool1d(x, mean_options(&windows, ceil_mode, include))
        })
    }),
    subject!(smooth "avg_pool2d", avg_pool2d),
    subject!(smooth "avg_pool2d_unequal_padding", |mut m| {
        let windows = means::<2>(&mut m);
        let (ceil_mode, include) = (m.draw.once_in(2), m.draw.once_in(2));
        let more = m.draw.pair(0..=1);
        let pairs = [0, 1].map(|axis| (windows.padding[axis], windows.padding[axis].max(more[axis])));
        let dims = [1, m.draw.size(1..=2), windows.image[0], windows.image[1]];
        let x = m.draw.normal(dims, 1.0);
        m.unary(
            &format!("{}, padding {pairs:?}", about(&windows, ceil_mode, divisor(include))),
            x,
            move |x: Tensor<4>| {
                module::avg_pool2d(x, mean_options(&windows, ceil_mode, include).with_padding_pairs(pairs))
            },
        )
    }),
    subject!(smooth "adaptive_avg_pool1d", |mut m| {
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), m.draw.size(1..=8)];
        let (x, size) = (m.draw.normal(dims, 1.0), m.draw.size(1..=5));
        m.unary(&format!("to {size}"), x, move |x: Tensor<3>| module::adaptive_avg_pool1d(x, size))
    }),
    subject!(smooth "adaptive_avg_pool2d", |mut m| {
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), m.draw.size(1..=6), m.draw.size(1..=6)];
        let (x, size) = (m.draw.normal(dims, 1.0), m.draw.pair(1..=4));
        m.unary(&format!("to {}", extent(size)), x, move |x: Tensor<4>| module::adaptive_avg_pool2d(x, size))
    }),
    subject!(smooth "adaptive_avg_pool3d", |mut m| {
        let dims = [1, m.draw.size(1..=2), m.draw.size(1..=4), m.draw.size(1..=4), m.draw.size(1..=4)];
        let (x, size) = (m.draw.normal(dims, 1.0), [m.draw.size(1..=3), m.draw.size(1..=3), m.draw.size(1..=3)]);
        m.unary(&format!("to {size:?}"), x, move |x: Tensor<5>| module::adaptive_avg_pool3d(x, size))
    }),
];

/// Windows for pooling: the padding is half of a window at most, or one could hold nothing but padding.
fn pools<const N: usize>(m: &mut Maker<'_>) -> Windows<N> {
    let mut windows = Windows::<N>::draw(m, 5);
    for axis in 0..N {
        windows.padding[axis] = windows.padding[axis].min(windows.kernel[axis] / 2);
        windows.image[axis] = windows.image[axis].max(windows.reach(axis));
    }
    windows
}

/// Pooling by means knows no dilation.
fn means<const N: usize>(m: &mut Maker<'_>) -> Windows<N> {
    Windows { dilation: [1; N], ..pools(m) }
}

fn image(m: &mut Maker<'_>, windows: &Windows<2>) -> Value {
    let dims = [m.draw.size(1..=2), m.draw.size(1..=2), windows.image[0], windows.image[1]];
    m.distinct(dims)
}

fn max_options<const N: usize>(windows: &Windows<N>, ceil_mode: bool) -> MaxPoolOptions<N> {
    MaxPoolOptions::new(windows.kernel)
        .with_stride(windows.stride)
        .with_padding(windows.padding)
        .with_dilation(windows.dilation)
        .with_ceil_mode(ceil_mode)
}

fn mean_options<const N: usize>(windows: &Windows<N>, ceil_mode: bool, include: bool) -> AvgPoolOptions<N> {
    AvgPoolOptions::new(windows.kernel)
        .with_stride(windows.stride)
        .with_padding(windows.padding)
        .with_ceil_mode(ceil_mode)
        .with_count_include_pad(include)
}

fn about<const N: usize>(windows: &Windows<N>, ceil_mode: bool, divisor: &str) -> String {
    format!("{}{}{divisor}", windows.words(), if ceil_mode { ", ceil mode" } else { "" })
}

fn divisor(include: bool) -> &'static str {
    if include { ", padding counts" } else { ", padding does not count" }
}

fn max_pool2d(mut m: Maker<'_>) -> Case {
    let windows = pools::<2>(&mut m);
    let ceil_mode = m.draw.once_in(2);
    let x = image(&mut m, &windows);
    let case = m.unary(&about(&windows, ceil_mode, ""), x, move |x: Tensor<4>| {
        module::max_pool2d(x, max_options(&windows, ceil_mode))
    });
    let [down, _] = windows.dilation;
    let wrong = Windows { dilation: [down, down], ..windows };
    let check =
        m.context.mutant(case.check, "the dilation of the rows is used for the columns too (burn#4466)", move |t| {
            Gradients::new().with("x", to_the_maxima(t.value("x"), t.cotangent_value(), &wrong))
        });
    let wrong = Windows { stride: [windows.stride[1], windows.stride[0]], ..windows };
    let check = m.context.mutant(check, "the strides of rows and columns are exchanged", move |t| {
        Gradients::new().with("x", to_the_maxima(t.value("x"), t.cotangent_value(), &wrong))
    });
    Case { check, ..case }
}

/// The backward of max pooling by plain loops: each gradient goes to the largest number of its window.
fn to_the_maxima(x: &Value, cotangent: &Value, windows: &Windows<2>) -> Value {
    let (from, to) = (RowMajor::of(cotangent), RowMajor::of(x));
    let [batch, channels, rows, columns] = [0, 1, 2, 3].map(|axis| cotangent.dims()[axis]);
    let mut gradient = vec![0.0; x.len()];
    for n in 0..batch {
        for c in 0..channels {
            let mut argmax = vec![None::<usize>; rows * columns];
            windows.each([rows, columns], |[i, j], _, [h, w]| {
                let (best, index) = (&mut argmax[i * columns + j], to.at(n, c, h, w));
                if best.is_none_or(|best| x.data()[index] > x.data()[best]) {
                    *best = Some(index);
                }
            });
            for (output, best) in argmax.into_iter().enumerate() {
                if let Some(best) = best {
                    gradient[best] += cotangent.data()[from.at(n, c, output / columns, output % columns)];
                }
            }
        }
    }
    Value::new(x.dims(), gradient)
}

fn avg_pool2d(mut m: Maker<'_>) -> Case {
    let windows = means::<2>(&mut m);
    let (ceil_mode, include) = (m.draw.once_in(2), m.draw.once_in(2));
    // Even numbers of channels, side by side in memory, take vectors of two and four.
    let channels = m.draw.pick(&[1, 2, 3, 4]);
    let channels_last = m.draw.once_in(3);
    let dims = [m.draw.size(1..=2), channels, windows.image[0], windows.image[1]];
    let x = m.draw.normal(dims, 1.0);
    let mut options = about(&windows, ceil_mode, divisor(include));
    if channels_last {
        options += ", channels last in memory";
    }
    let layout = if channels_last { Layout::Contiguous } else { m.draw.layout() };
    let text = super::maker::describe(&[&x], &options, layout);
    let check = m.check().input("x", x);
    let case = m.case(text, check, move |t| {
        let x = layout.arrange(t.get::<4>("x"));
        let x = if channels_last { super::convolution::channels_last(x) } else { x };
        module::avg_pool2d(x, mean_options(&windows, ceil_mode, include))
    });
    let check =
        m.context.mutant(case.check, "the divisor counts what a last window has over the end (burn#5604)", move |t| {
            let whole = windows.kernel.iter().product::<usize>() as f64;
            Gradients::new().with("x", spread(t.value("x"), t.cotangent_value(), &windows, |_| whole))
        });
    let name = if include { "the divisor does not count padding" } else { "the divisor counts padding" };
    let check = m.context.mutant(check, name, move |t| {
        let divisor = |window: [usize; 2]| {
            (windows.covered(0, window[0], !include) * windows.covered(1, window[1], !include)) as f64
        };
        Gradients::new().with("x", spread(t.value("x"), t.cotangent_value(), &windows, divisor))
    });
    let check = match channels % 2 {
        1 => check,
        _ => m.context.mutant(check, "the second of two channels is not written (burn#5308)", move |t| {
            let divisor = |window: [usize; 2]| {
                (windows.covered(0, window[0], include) * windows.covered(1, window[1], include)) as f64
            };
            let right = spread(t.value("x"), t.cotangent_value(), &windows, divisor);
            let size = windows.image.iter().product::<usize>();
            let half = right.data().iter().enumerate().map(|(i, &g)| if i / size % 2 == 1 { 0.0 } else { g });
            Gradients::new().with("x", Value::new(right.dims(), half.collect::<Vec<_>>()))
        }),
    };
    Case { check, ..case }
}

/// The backward of average pooling by plain loops, with this divisor of a window.
fn spread(x: &Value, cotangent: &Value, windows: &Windows<2>, divisor: impl Fn([usize; 2]) -> f64) -> Value {
    let (from, to) = (RowMajor::of(cotangent), RowMajor::of(x));
    let [batch, channels, rows, columns] = [0, 1, 2, 3].map(|axis| cotangent.dims()[axis]);
    let mut gradient = vec![0.0; x.len()];
    for n in 0..batch {
        for c in 0..channels {
            windows.each([rows, columns], |[i, j], _, [h, w]| {
                gradient[to.at(n, c, h, w)] += cotangent.data()[from.at(n, c, i, j)] / divisor([i, j]);
            });
        }
    }
    Value::new(x.dims(), gradient)
}
