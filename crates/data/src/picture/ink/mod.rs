//! Strokes of ink on a photo of paper, as bright strokes on black.
//!
//! 1. The picture becomes grey, and at most [`SIDE`] pixels wide and high.
//! 2. Which is darker, ink or paper, is decided by a coarse picture ([`paper`]): ink is what is narrow in it.
//! 3. The brightness of the paper under each pixel follows from its surroundings, so that light may fall unevenly.
//! 4. Otsu's threshold tells ink from paper, and from fainter things, such as ruled lines ([`strokes`]).
//! 5. What touches the edge (the table, a finger) and specks are left out, unless nothing else is there.
//! 6. Levels are stretched: paper is 0, ink is 255. The strokes are then scaled and moved as MNIST's are
//!    ([`Picture::centred`]).

mod paper;
mod strokes;

use backproof_spec::Shape;

use super::resize::resize;
use super::{Picture, rounded};
use crate::images::planes;

/// The longer side of what is worked on: a stroke of a digit that fills a tenth of the sheet is then 5 pixels wide.
const SIDE: usize = 512;

/// What is written on a picture, as a network takes it that was trained on bright strokes on black.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    /// Bright strokes on black, `[1, H, W]` in row-major order, 0 to 255.
    pub pixels: Vec<u8>,
    /// Whether the ink is darker than the paper.
    pub is_dark: bool,
    /// The brightness of the paper where it is brightest, from 0 to 1.
    pub paper: f64,
    /// What the ink takes away of the paper's brightness, or adds to it, as a share of what it could.
    pub contrast: f64,
}

impl Picture {
    /// The ink on the picture as a grey image of `shape`: bright on black, as large and where MNIST's digits are.
    /// `None` where ink and paper cannot be told apart: a picture of one colour, of noise, or one that is full of
    /// things.
    ///
    /// # Panics
    ///
    /// Panics if `shape` has other than 1 channel.
    #[must_use]
    pub fn ink(&self, shape: Shape) -> Option<Ink> {
        assert_eq!(planes(shape).0, 1, "ink becomes a grey image");
        let mut sheet = self.sheet();
        let is_dark = paper::is_brighter(&sheet);
        if !is_dark {
            sheet.planes[0].iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
        let paper = paper::brightness(&sheet);
        let brightest = paper.iter().copied().max().filter(|&brightest| brightest > 0)?;
        // Dark ink takes away a share of the light that the paper has there; bright ink adds to what there is.
        let light = |paper: u8| if is_dark { f32::from(paper.max(1)) } else { f32::from(brightest) };
        let differences = sheet.planes[0].iter().zip(&paper);
        let ink: Vec<f32> =
            differences.map(|(&pixel, &paper)| (f32::from(paper) - f32::from(pixel)) / light(paper)).collect();
        let (strokes, contrast) = strokes::strokes(ink, sheet.width)?;
        let strokes = Self { width: sheet.width, height: sheet.height, planes: vec![strokes] };
        let pixels = stretched(strokes.centred(shape)?);
        let paper = f64::from(if is_dark { brightest } else { 255 - brightest }) / 255.0;
        Some(Ink { pixels, is_dark, paper, contrast: f64::from(contrast) })
    }

    /// The picture in grey, at most [`SIDE`] pixels wide and high.
    fn sheet(&self) -> Self {
        let longer = self.width.max(self.height);
        let grey = self.with_channels(1);
        if longer <= SIDE {
            return Self { width: self.width, height: self.height, planes: grey.into_owned() };
        }
        let [width, height] = [self.width, self.height].map(|side| rounded(side * SIDE, longer));
        Self { width, height, planes: vec![resize(&grey[0], self.width, width, height)] }
    }
}

/// Scaled so that a tenth of what is not black is white, as in MNIST: thin strokes that were shrunk are grey.
fn stretched(mut pixels: Vec<u8>) -> Vec<u8> {
    let mut lit: Vec<u8> = pixels.iter().copied().filter(|&pixel| pixel > 0).collect();
    lit.sort_unstable();
    if let Some(&bright) = lit.get(lit.len() * 9 / 10) {
        let scaled = |pixel: u8| ((u32::from(pixel) * 255 + u32::from(bright) / 2) / u32::from(bright)).min(255);
        pixels.iter_mut().for_each(|pixel| *pixel = scaled(*pixel) as u8);
    }
    pixels
}

#[cfg(test)]
mod tests;
