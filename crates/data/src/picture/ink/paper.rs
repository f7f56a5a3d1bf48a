//! The paper: whether it is the brighter one, and how bright it is under the ink.
//!
//! Both follow from closing and opening a coarse picture in grey morphology (J. Serra, *Image analysis and mathematical
//! morphology*, 1982). A closing, the least of the largest pixels around, fills dark strokes that are narrower than its
//! window. It keeps what is wide, such as a shadow. An opening does the same with bright strokes.

use super::super::resize::resize;
use super::super::{Picture, rounded};

/// The longer side of the coarse picture.
const COARSE: usize = 64;
/// The windows that tell ink from paper, in pixels of the coarse picture: one for small writing, one for large.
const STROKES: [usize; 2] = [5, 9];
/// The window under which no stroke may hide the paper. MNIST's widest strokes are a seventh of the digit's box.
const WIDEST: usize = 13;

/// The window that takes away the grain of paper and ruled lines, and leaves things.
const GRAIN: usize = 3;
/// A thing differs from the paper by this share of the ink's strength, or by more.
const THING: f32 = 0.1;
/// Bytes for the ink's strength.
const STEPS: f32 = 100.0;

/// A plane with its width.
struct Coarse {
    plane: Vec<u8>,
    width: usize,
    /// The longer side of the sheet or of [`COARSE`]: windows are in its pixels.
    side: usize,
}

impl Coarse {
    fn of(sheet: &Picture) -> Self {
        let longer = sheet.width.max(sheet.height);
        let side = longer.min(COARSE);
        let [width, height] = [sheet.width, sheet.height].map(|of| rounded(of * side, longer));
        Self { plane: resize(&sheet.planes[0], sheet.width, width, height), width, side }
    }

    /// An odd number of pixels that is `window` of [`COARSE`], at least 3.
    fn window(&self, window: usize) -> usize {
        rounded(window * self.side, COARSE).max(3) | 1
    }
}

/// Whether the paper of a grey sheet is brighter than the ink: dark things are narrower than bright ones.
pub(super) fn is_brighter(sheet: &Picture) -> bool {
    let coarse = Coarse::of(sheet);
    let (mut dark, mut bright) = (0, 0);
    for window in STROKES.map(|window| coarse.window(window)) {
        let sum = |plane: &[u8]| plane.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
        let (closed, opened) =
            (closed(&coarse.plane, coarse.width, window), opened(&coarse.plane, coarse.width, window));
        dark += sum(&closed) - sum(&coarse.plane);
        bright += sum(&coarse.plane) - sum(&opened);
    }
    dark > bright
}

/// The brightness of bright paper at each pixel of a grey sheet, also under the ink.
pub(super) fn brightness(sheet: &Picture) -> Vec<u8> {
    let coarse = Coarse::of(sheet);
    let closed = closed(&coarse.plane, coarse.width, coarse.window(WIDEST));
    let smooth = along_both(&closed, coarse.width, 3, |window| {
        let sum: usize = window.iter().map(|&pixel| usize::from(pixel)).sum();
        rounded_mean(sum, window.len())
    });
    resize(&smooth, coarse.width, sheet.width, sheet.height)
}

/// The share of the coarse picture that differs from the paper and is not `near` the ink: `relative` is by how much a
/// pixel is darker or brighter than paper, in shares of the ink's strength, in rows of `width`.
pub(super) fn clutter(relative: &[f32], near: &[bool], width: usize) -> f32 {
    let middle = 128_u8;
    let byte = |relative: f32| (f32::from(middle) + (STEPS * relative).clamp(-127.0, 127.0)).round() as u8;
    let coarse = |plane| Coarse::of(&Picture { width, height: near.len() / width, planes: vec![plane] });
    let differences = coarse(relative.iter().map(|&relative| byte(relative)).collect());
    let near = coarse(near.iter().map(|&near| if near { 255 } else { 0 }).collect());
    let (closed, opened) =
        (closed(&differences.plane, differences.width, GRAIN), opened(&differences.plane, differences.width, GRAIN));
    let least = (THING * STEPS) as u8;
    let is_thing =
        |(closed, opened): (&u8, &u8)| opened.saturating_sub(middle) > least || middle.saturating_sub(*closed) > least;
    let far = closed.iter().zip(&opened).zip(&near.plane).filter(|(_, near)| **near < 3).map(|(of, _)| of);
    let (things, all) = far.fold((0, 0), |(things, all), of| (things + usize::from(is_thing(of)), all + 1));
    if all == 0 { 0.0 } else { things as f32 / all as f32 }
}

fn rounded_mean(sum: usize, count: usize) -> u8 {
    ((sum + count / 2) / count) as u8
}

fn closed(plane: &[u8], width: usize, window: usize) -> Vec<u8> {
    least(&largest(plane, width, window), width, window)
}

fn opened(plane: &[u8], width: usize, window: usize) -> Vec<u8> {
    largest(&least(plane, width, window), width, window)
}

fn largest(plane: &[u8], width: usize, window: usize) -> Vec<u8> {
    along_both(plane, width, window, |window| window.iter().copied().max().expect("a window has its own pixel"))
}

fn least(plane: &[u8], width: usize, window: usize) -> Vec<u8> {
    along_both(plane, width, window, |window| window.iter().copied().min().expect("a window has its own pixel"))
}

/// `of` the windows of odd length around each pixel along the rows, and then along the columns; at the edges, of what
/// is there of a window.
fn along_both(plane: &[u8], width: usize, window: usize, of: impl Fn(&[u8]) -> u8) -> Vec<u8> {
    let along = |line: &[u8]| -> Vec<u8> {
        let around = |at: usize| &line[at.saturating_sub(window / 2)..(at + window / 2 + 1).min(line.len())];
        (0..line.len()).map(|at| of(around(at))).collect()
    };
    let rows: Vec<u8> = plane.chunks_exact(width).flat_map(along).collect();
    let mut out = vec![0; plane.len()];
    for column in 0..width {
        let line: Vec<u8> = rows.iter().skip(column).step_by(width).copied().collect();
        out.iter_mut().skip(column).step_by(width).zip(along(&line)).for_each(|(out, pixel)| *out = pixel);
    }
    out
}
