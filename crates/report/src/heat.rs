//! Maps of numbers over images, as pictures.

use backproof_spec::Shape;
use backproof_train::Map;

use crate::image::Image;
use crate::theme::DARK;

/// How bright the image under a map is, and how far a colour covers it.
const UNDER: f64 = 0.7;
const COVER: f64 = 0.85;

/// `map` in grey: black is 0, white is the largest value.
pub(crate) fn grey(map: &Map) -> Image {
    let most = map.most();
    let share = |value: f64| if most > 0.0 { value.abs() / most } else { 0.0 };
    Image::new([1, map.height, map.width], |_, row, column| {
        (255.0 * share(map.values[row * map.width + column])).round() as u8
    })
}

/// The image `pixels` of `shape`, `[C, H, W]`, in dimmed grey with each pixel `times` as wide and as high, under `map` of
/// any size: orange where a value is positive and blue where it is negative, the more the larger. `most` has the full
/// colour.
pub(crate) fn over(pixels: &[u8], shape: Shape, map: &Map, most: f64, times: usize) -> Image {
    let [channels, height, width] = sides(shape);
    let (area, [orange, blue]) = (height * width, [DARK.wrong, DARK.right].map(rgb));
    let brightness = |place: usize| match channels {
        3 => {
            let [red, green, blue] = [0, 1, 2].map(|channel| f64::from(pixels[channel * area + place]));
            0.299 * red + 0.587 * green + 0.114 * blue
        }
        _ => f64::from(pixels[place]),
    };
    let (tall, wide) = (height * times, width * times);
    Image::new([3, tall, wide], |channel, row, column| {
        let under = UNDER * brightness(row / times * width + column / times);
        let place = |at: usize, all: usize| (at as f64 + 0.5) / all as f64;
        let value = between(map, place(row, tall), place(column, wide));
        let share = if most > 0.0 { COVER * (value / most).clamp(-1.0, 1.0) } else { 0.0 };
        let colour = f64::from(if share >= 0.0 { orange } else { blue }[channel]);
        ((1.0 - share.abs()) * under + share.abs() * colour).round() as u8
    })
}

/// The image as it is: of 3 channels in colour, else its first channel in grey.
pub(crate) fn plain(pixels: &[u8], shape: Shape) -> Image {
    let [channels, height, width] = sides(shape);
    Image::new([channels, height, width], |channel, row, column| pixels[(channel * height + row) * width + column])
}

/// `[C, H, W]`.
pub(crate) fn sides(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image { channels, height, width } => [channels, height, width],
        Shape::Vector { features } => [1, 1, features],
    }
}

/// `map` at a place, of which the sides go from 0 to 1: bilinear between the middles of its cells, as `align_corners =
/// False` of PyTorch's `interpolate`.
fn between(map: &Map, row: f64, column: f64) -> f64 {
    let ends = |at: f64, cells: usize| {
        let at = (at * cells as f64 - 0.5).clamp(0.0, (cells - 1) as f64);
        let low = at as usize;
        (low, (low + 1).min(cells - 1), at - at.floor())
    };
    let (top, bottom, down) = ends(row, map.height);
    let (left, right, across) = ends(column, map.width);
    let at = |row: usize| {
        let of = |column: usize| map.values[row * map.width + column];
        (1.0 - across) * of(left) + across * of(right)
    };
    (1.0 - down) * at(top) + down * at(bottom)
}

/// `#rrggbb` as numbers.
fn rgb(colour: &str) -> [u8; 3] {
    [1, 3, 5].map(|at| u8::from_str_radix(&colour[at..at + 2], 16).expect("the theme has hexadecimal colours"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: [f64; 4]) -> Map {
        Map { height: 2, width: 2, values: values.to_vec() }
    }

    /// The middles of 4 cells lie at −0.25, 0.25, 0.75 and 1.25 of 2 cells.
    #[test]
    fn between_the_middles_of_cells_it_is_bilinear() {
        let map = map([0.0, 4.0, 8.0, 12.0]);
        let at = |row: usize, column: usize| between(&map, (row as f64 + 0.5) / 4.0, (column as f64 + 0.5) / 4.0);
        assert_eq!([0, 1, 2, 3].map(|column| at(0, column)), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!([0, 1, 2, 3].map(|row| at(row, 0)), [0.0, 2.0, 6.0, 8.0]);
    }

    #[test]
    fn what_is_positive_is_orange_and_what_is_negative_blue() {
        let (shape, black) = (Shape::image(1, 2, 2), [0; 4]);
        let image = over(&black, shape, &map([1.0, -1.0, 0.0, 0.5]), 1.0, 1);
        let full = |colour: &str| rgb(colour).map(|part| (COVER * f64::from(part)).round() as u8);
        let half = rgb(DARK.wrong).map(|part| (0.5 * COVER * f64::from(part)).round() as u8);
        let expected = [full(DARK.wrong), full(DARK.right), [0; 3], half];
        let drawn = Image::new([3, 2, 2], |channel, row, column| expected[row * 2 + column][channel]);
        assert_eq!(image.data_uri(), drawn.data_uri());
        // Nothing to see is the image.
        assert_eq!(over(&[100; 4], shape, &map([0.0; 4]), 0.0, 1).data_uri(), {
            Image::new([3, 2, 2], |_, _, _| 70).data_uri()
        });
    }
}
