//! Images in other sizes. The modes `NearestExact` and `Lanczos3` are left out: their backward is on no CPU backend of
//! Burn 0.22.1.

use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, module};

use super::maker::{Maker, describe, subject};
use crate::subject::{Case, Layout, Subject, extent};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "interpolate_nearest", |m| interpolate(m, InterpolateMode::Nearest)),
    subject!(smooth "interpolate_bilinear", |m| interpolate(m, InterpolateMode::Bilinear)),
    subject!(smooth "interpolate_bicubic", |m| interpolate(m, InterpolateMode::Bicubic)),
    subject!(smooth "grid_sample_2d", |m| {
        let ([height, width], [rows, columns]) = (m.draw.pair(2..=4), m.draw.pair(1..=3));
        let x = m.draw.normal([1, 2, height, width], 1.0);
        // A fifth of a pixel from the next one at least: there the slope of the interpolation changes.
        let mut grid = Vec::new();
        for _ in 0..rows * columns {
            for size in [width, height] {
                let pixel = m.draw.size(0..=size - 2) as f64 + m.draw.real(0.2..0.8);
                grid.push(2.0 * pixel / (size - 1) as f64 - 1.0);
            }
        }
        let grid = backproof_gradcheck::Value::new([1, rows, columns, 2], grid);
        let about = describe(&[&x, &grid], "bilinear, aligned corners", Layout::Contiguous);
        let check = m.check().input("x", x).input("grid", grid);
        m.case(about, check, |t| {
            let options = GridSampleOptions::new(InterpolateMode::Bilinear).with_align_corners(true);
            t.get::<4>("x").grid_sample_2d(t.get("grid"), options)
        })
    }),
    subject!(smooth "grid_sample_2d_options", grid_sample),
    subject!(smooth "interpolate_by_factor", |mut m| {
        let dims = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(2..=4), m.draw.size(2..=4)];
        let [nearest, linear, cubic] = [InterpolateMode::Nearest, InterpolateMode::Bilinear, InterpolateMode::Bicubic];
        let mode = match m.draw.size(0..=2) {
            0 => nearest,
            1 => linear,
            _ => cubic,
        };
        let (x, factor, aligned) = (m.draw.normal(dims, 1.0), m.draw.pick(&[0.5, 1.5, 2.0]), m.draw.once_in(2));
        let options = InterpolateOptions::new(mode.clone()).with_align_corners(aligned).with_scale_factor([factor, 2.0]);
        m.unary(&format!("{mode:?} by {factor}×2, aligned {aligned}"), x, move |x: Tensor<4>| {
            module::interpolate(x, options.clone())
        })
    }),
];

/// With corners aligned or not, and with points outside of the image, of which each mode of padding makes something
/// else.
fn grid_sample(m: Maker<'_>) -> Case {
    let (sizes, [rows, columns]) = (m.draw.pair(2..=4), m.draw.pair(1..=3));
    let dims = [m.draw.size(1..=2), m.draw.size(1..=2), sizes[0], sizes[1]];
    let (x, aligned) = (m.draw.normal(dims, 1.0), m.draw.once_in(2));
    let padding =
        m.draw.pick(&[GridSamplePaddingMode::Zeros, GridSamplePaddingMode::Border, GridSamplePaddingMode::Reflection]);
    let mut grid = Vec::new();
    for at in 0..dims[0] * rows * columns {
        for size in [sizes[1] as f64, sizes[0] as f64] {
            // A fifth of a pixel from the next one at least, and as far from the border between two halves of pixels,
            // where it is reflected. The first is inside, so that something moves.
            let whole = m.draw.size(0..=sizes[0] + 1) as f64 - 1.0;
            let whole = if at == 0 { whole.clamp(0.0, size - 2.0) } else { whole };
            let pixel = whole + m.draw.pick(&[0.25, 0.3, 0.7, 0.75]);
            grid.push(if aligned { 2.0 * pixel / (size - 1.0) - 1.0 } else { (2.0 * pixel + 1.0) / size - 1.0 });
        }
    }
    let grid = backproof_gradcheck::Value::new([dims[0], rows, columns, 2], grid);
    let about = describe(&[&x, &grid], &format!("{padding:?}, aligned corners {aligned}"), Layout::Contiguous);
    let check = m.check().input("x", x).input("grid", grid);
    m.case(about, check, move |t| {
        let options = GridSampleOptions::new(InterpolateMode::Bilinear).with_align_corners(aligned);
        t.get::<4>("x").grid_sample_2d(t.get("grid"), options.with_padding_mode(padding))
    })
}

fn interpolate(mut m: Maker<'_>, mode: InterpolateMode) -> Case {
    let dims = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=5), m.draw.size(1..=5)];
    let (x, size, aligned) = (m.draw.normal(dims, 1.0), m.draw.pair(1..=6), m.draw.once_in(2));
    let options = InterpolateOptions::new(mode).with_align_corners(aligned).with_output_size(size);
    let corners = if aligned { ", aligned corners" } else { "" };
    m.unary(&format!("to {}{corners}", extent(size)), x, move |x: Tensor<4>| module::interpolate(x, options.clone()))
}
