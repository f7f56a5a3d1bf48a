//! Grids of coordinates, and images sampled at them. Burn differentiates sampling between pixels alone: under autodiff,
//! the nearest pixel and cubic interpolation are not implemented.

use backproof_gradcheck::{Check, Gradients, Value};
use burn::tensor::grid::{GridIndexing, GridOptions, GridSparsity, IndexPos, affine_grid_2d, meshgrid, meshgrid_stack};
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};
use burn::tensor::{Tensor, TensorData};

use super::maker::{Maker, describe, subject};
use super::shape::curve;
use crate::subject::{Case, Layout, Subject, extent};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "meshgrid", |mut m| {
        let both = [m.draw.size(1..=4), m.draw.size(1..=4)].map(|size| m.signed([size], 0.3..2.0));
        let indexing = m.draw.pick(&[GridIndexing::Matrix, GridIndexing::Cartesian]);
        let sparsity = m.draw.pick(&[GridSparsity::Dense, GridSparsity::Sparse]);
        m.binary(&format!("{indexing:?}, {sparsity:?}"), both, move |x: Tensor<1>, y: Tensor<1>| {
            let [x, y] = meshgrid(&[x, y], GridOptions { indexing, sparsity });
            curve(x) * y
        })
    }),
    subject!(smooth "meshgrid_stack", |mut m| {
        let both = [m.draw.size(1..=4), m.draw.size(1..=4)].map(|size| m.signed([size], 0.3..2.0));
        let (position, words) = m.draw.pick(&[(IndexPos::First, "first"), (IndexPos::Last, "last")]);
        m.binary(&format!("the index {words}"), both, move |x: Tensor<1>, y: Tensor<1>| {
            curve(meshgrid_stack::<2, 3, _>(&[x, y], position))
        })
    }),
    subject!(smooth "affine_grid_2d", affine_grid),
    subject!("grid_sample_2d_padding", grid_sample),
];

/// Burn makes tensors in the default precision on the way, and cannot work in another; the reference is our own.
fn affine_grid(mut m: Maker<'_>) -> Case {
    let (batch, [height, width]) = (m.draw.size(1..=2), m.draw.pair(2..=4));
    let x = m.signed([batch, 2, 3], 0.3..1.5);
    let (about, check) = (describe(&[&x], &format!("to {}", extent([height, width])), Layout::Contiguous), m.check());
    let dims = [batch, 1, height, width];
    m.case(about, check.input("x", x), move |t| {
        let x = t.get::<3>("x");
        curve(if x.device().is_autodiff() { affine_grid_2d(x, dims) } else { affine_grid_in_its_precision(x, dims) })
    })
}

/// `[x, y, 1]` of every pixel, through the transform.
fn affine_grid_in_its_precision(transform: Tensor<3>, [batch, _, height, width]: [usize; 4]) -> Tensor<4> {
    let place = |index: usize, size: usize| 2.0 * index as f64 / (size - 1) as f64 - 1.0;
    let pixels = (0..height * width).flat_map(|at| [place(at % width, width), place(at / width, height), 1.0]);
    let pixels = TensorData::new(pixels.collect::<Vec<f64>>(), [1, height * width, 3]);
    let pixels = Tensor::<3>::from_data(pixels, (&transform.device(), transform.dtype()));
    pixels.matmul(transform.transpose()).reshape([batch, height, width, 2])
}

/// From here on, single precision has no fractions.
const FAR_OUT: f64 = 8_388_608.0;

/// Between the pixels of an image and beyond its edge, in every way to go on there.
fn grid_sample(m: Maker<'_>) -> Case {
    let ([height, width], [rows, columns]) = (m.draw.pair(2..=4), m.draw.pair(1..=3));
    let (batch, aligned) = (m.draw.size(1..=2), m.draw.once_in(2));
    let padding =
        m.draw.pick(&[GridSamplePaddingMode::Zeros, GridSamplePaddingMode::Border, GridSamplePaddingMode::Reflection]);
    let x = m.draw.normal([batch, 2, height, width], 1.0);
    let mut grid = Vec::new();
    for at in 0..batch * rows * columns {
        for size in [width, height] {
            // A tenth of a pixel from the middle between two and from the next one at least, where slopes change; the
            // first is inside.
            let beyond = if at == 0 { 0 } else { 2 };
            let whole = m.draw.size(0..=size - 2 + 2 * beyond) as f64 - beyond as f64;
            let pixel = whole + if m.draw.once_in(2) { m.draw.real(0.1..0.4) } else { m.draw.real(0.6..0.9) };
            grid.push(if aligned {
                2.0 * pixel / (size - 1) as f64 - 1.0
            } else {
                (2.0 * pixel + 1.0) / size as f64 - 1.0
            });
        }
    }
    let grid = Value::new([batch, rows, columns, 2], grid);
    let corners = if aligned { "aligned corners" } else { "corners not aligned" };
    let about = describe(&[&x, &grid], &format!("{padding:?}, {corners}"), Layout::Contiguous);
    let check = m.check().input("x", x).input("grid", grid);
    let options =
        GridSampleOptions::new(InterpolateMode::Bilinear).with_padding_mode(padding).with_align_corners(aligned);
    let other = options.clone();
    let reflects = padding == GridSamplePaddingMode::Reflection;
    let case = m.case(about, check, move |t| {
        let grid = t.get::<4>("grid");
        let output = t.get::<4>("x").grid_sample_2d(grid.clone(), options.clone());
        // Far out the numbers are further apart than the reflections, and the function is any: it has no value there.
        if reflects && !t.device().is_autodiff() && grid.abs().max().into_scalar::<f64>() > FAR_OUT {
            return output * f64::NAN;
        }
        output
    });
    let check = misaligned(&m, case.check, other);
    Case { check, ..case }
}

/// The gradients of the same with the other alignment of corners.
fn misaligned(m: &Maker<'_>, check: Check<'static>, options: GridSampleOptions) -> Check<'static> {
    let aligned = options.align_corners;
    let options = options.with_align_corners(!aligned);
    m.context.mutant(check, "the corners are aligned as they are not", move |t| {
        let [x, grid] = ["x", "grid"].map(|name| t.get::<4>(name).autodiff().require_grad());
        let output = x.clone().grid_sample_2d(grid.clone(), options.clone());
        let found = (output * t.cotangent::<4>().autodiff()).sum().backward();
        let of = |tensor: Tensor<4>| tensor.grad(&found).expect("the sample depends on it");
        Gradients::new().with("x", of(x)).with("grid", of(grid))
    })
}
