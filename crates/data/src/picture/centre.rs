//! A digit of one's own where MNIST has its digits.

use backproof_spec::Shape;

use super::resize::resize;
use super::{Picture, scaled_into};
use crate::images::planes;

/// What is at least this share of the brightest pixel belongs to the thing, and what is darker to the paper, whose
/// grain and JPEG's traces would otherwise be a part of it.
const FAINTEST: f64 = 0.125;

impl Picture {
    /// The picture as a grey image of `shape`, with what is bright on black as large and where MNIST's digits are: its
    /// bounding box is scaled into the middle 20×20 of 28×28 pixels, its proportions kept, and then moved, by whole
    /// pixels and not beyond an edge, so that its centre of mass is in the middle (Y. LeCun, C. Cortes, C. J. C.
    /// Burges, *The MNIST database*): in pixel 14 of 28, from 0, as that of each of MNIST's images. `[1, H, W]` in
    /// row-major order, 0 to 255. `None` of a picture that is black.
    ///
    /// # Panics
    ///
    /// Panics if `shape` has other than 1 channel.
    #[must_use]
    pub fn centred(&self, shape: Shape) -> Option<Vec<u8>> {
        let (channels, height, width) = planes(shape);
        assert_eq!(channels, 1, "digits are grey");
        let grey = Self { width: self.width, height: self.height, planes: self.with_channels(1).into_owned() };
        let thing = grey.bounding_box()?;
        let share = |side: usize| (side * 20 / 28).max(1);
        let (inner_width, inner_height) = scaled_into(thing.size(), share(width), share(height));
        let inner = resize(&thing.planes[0], thing.width, inner_width, inner_height);

        let (x, y) = centre_of_mass(&inner, inner_width);
        let place = |side: usize, inner: usize, centre: f64| {
            let start = (side as f64 / 2.0 - centre).ceil().max(0.0) as usize;
            start.min(side - inner)
        };
        let (left, top) = (place(width, inner_width, x), place(height, inner_height, y));
        let mut pixels = vec![0; height * width];
        for (row, inner) in inner.chunks_exact(inner_width).enumerate() {
            pixels[(top + row) * width + left..][..inner_width].copy_from_slice(inner);
        }
        Some(pixels)
    }

    /// The smallest part of a grey picture with everything that is not paper; `None` if all is black.
    fn bounding_box(&self) -> Option<Self> {
        let plane = &self.planes[0];
        let brightest = plane.iter().max().copied().filter(|&pixel| pixel > 0)?;
        let is_bright = |pixel: u8| f64::from(pixel) >= FAINTEST * f64::from(brightest);
        let row = |y: usize| &plane[y * self.width..][..self.width];
        let in_row = |y: &usize| row(*y).iter().any(|&pixel| is_bright(pixel));
        let in_column = |x: &usize| (0..self.height).any(|y| is_bright(row(y)[*x]));
        let (top, bottom) = ((0..self.height).find(in_row)?, (0..self.height).rfind(in_row)?);
        let (left, right) = ((0..self.width).find(in_column)?, (0..self.width).rfind(in_column)?);
        let part = (top..=bottom).flat_map(|y| &row(y)[left..=right]).copied().collect();
        Some(Self { width: right + 1 - left, height: bottom + 1 - top, planes: vec![part] })
    }
}

/// Column and row of the centre of mass, from the left upper corner of the first pixel.
fn centre_of_mass(plane: &[u8], width: usize) -> (f64, f64) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (index, &pixel) in plane.iter().enumerate() {
        let pixel = f64::from(pixel);
        mass += pixel;
        x += pixel * ((index % width) as f64 + 0.5);
        y += pixel * ((index / width) as f64 + 0.5);
    }
    (x / mass, y / mass)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::load;

    const SHAPE: Shape = Shape::image(1, 28, 28);

    fn grey(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> Picture {
        let plane = (0..width * height).map(|index| pixel(index % width, index / width)).collect();
        Picture { width, height, planes: vec![plane] }
    }

    #[test]
    fn a_bar_in_a_corner_becomes_20_pixels_high_in_the_middle() {
        // 10×40 pixels, with grain around them.
        let picture = grey(200, 100, |x, y| if (5..15).contains(&x) && (3..43).contains(&y) { 200 } else { 10 });
        let pixels = picture.centred(SHAPE).unwrap();
        let expected = grey(28, 28, |x, y| if (12..17).contains(&x) && (4..24).contains(&y) { 200 } else { 0 });
        // The middle of five columns is column 14, that of twenty rows the upper edge of row 14.
        assert_eq!(pixels, expected.planes[0]);
    }

    #[test]
    fn the_digits_of_mnist_stay_where_they_are() {
        let digits = load("mnist-sample", None).unwrap().test;
        let mut moved = 0;
        for index in 0..200 {
            let picture = Picture { width: 28, height: 28, planes: vec![digits.pixels(index).to_vec()] };
            let (old, new) = (picture.planes[0].clone(), picture.centred(SHAPE).unwrap());
            let ((x, y), (new_x, new_y)) = (centre_of_mass(&old, 28), centre_of_mass(&new, 28));
            moved += usize::from((x - new_x).abs() > 0.1 || (y - new_y).abs() > 0.1);
        }
        assert!(moved <= 4, "{moved} of 200 digits were moved");
    }

    #[test]
    fn what_is_black_has_no_digit() {
        assert_eq!(grey(30, 30, |_, _| 0).centred(SHAPE), None);
        let point = grey(30, 30, |x, y| if (x, y) == (29, 29) { 255 } else { 0 }).centred(SHAPE).unwrap();
        assert_eq!(point.iter().filter(|&&pixel| pixel == 255).count(), 400, "a point becomes a square of 20×20");
    }
}
