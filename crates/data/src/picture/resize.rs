//! Resizing by a triangle filter.

/// `plane`, rows of `width` pixels, at another size.
///
/// A new pixel is the mean of the old ones around its place, with weights that fall linearly to zero at a distance of
/// one new pixel (one old pixel where the picture grows): along the columns, then along the rows, rounded once at the
/// end. The columns come first because whole rows are added then, which vector instructions do.
///
/// There is no crate for it here: those that resize ask for features of `num-traits` that Burn is not built with, and
/// would have all of Burn built twice.
pub(super) fn resize(plane: &[u8], width: usize, new_width: usize, new_height: usize) -> Vec<u8> {
    let height = plane.len() / width;
    if (width, height) == (new_width, new_height) {
        return plane.to_vec();
    }
    let columns = taps(width, new_width);
    let mut out = Vec::with_capacity(new_height * new_width);
    let mut low = vec![0.0_f32; width];
    for taps in &taps(height, new_height) {
        low.fill(0.0);
        let rows = &plane[taps.first * width..];
        // Two rows at a time, so that the sums are loaded and stored half as often.
        for (weights, rows) in taps.weights.chunks(2).zip(rows.chunks(2 * width)) {
            let (above, below) = rows.split_at(width);
            match *weights {
                [one, other] => low.iter_mut().zip(above).zip(below).for_each(|((sum, &above), &below)| {
                    *sum += one * f32::from(above) + other * f32::from(below);
                }),
                [one] => low.iter_mut().zip(above).for_each(|(sum, &above)| *sum += one * f32::from(above)),
                _ => unreachable!("a chunk has one weight or two"),
            }
        }
        out.extend(columns.iter().map(|taps| taps.sum(&low).round() as u8));
    }
    out
}

/// The old pixels that a new one is made of: the first, and the weight of each; the weights sum to 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn sum(&self, pixels: &[f32]) -> f32 {
        let (weights, rest) = self.weights.as_chunks::<4>();
        let (pixels, last) = pixels[self.first..][..self.weights.len()].as_chunks::<4>();
        // Four sums at a time do not wait for each other.
        let mut sums = [0.0; 4];
        for (weights, pixels) in weights.iter().zip(pixels) {
            sums.iter_mut().zip(weights.iter().zip(pixels)).for_each(|(sum, (weight, pixel))| *sum += weight * pixel);
        }
        rest.iter().zip(last).map(|(weight, pixel)| weight * pixel).sum::<f32>() + sums.iter().sum::<f32>()
    }
}

fn taps(old: usize, new: usize) -> Vec<Taps> {
    let scale = old as f64 / new as f64;
    let reach = scale.max(1.0);
    let of = |j: usize| {
        let centre = (j as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(old);
        let weight = |i: usize| (1.0 - (i as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let sum: f64 = (first..last).map(weight).sum();
        Taps { first, weights: (first..last).map(|i| (weight(i) / sum) as f32).collect() }
    };
    (0..new).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_plane_stays_constant_at_every_size() {
        for (width, height) in [(1, 1), (3, 7), (28, 28), (5, 1)] {
            for (new_width, new_height) in [(1, 1), (2, 5), (28, 28), (64, 3)] {
                let out = resize(&vec![200; width * height], width, new_width, new_height);
                assert_eq!(out, vec![200; new_width * new_height]);
            }
        }
    }

    #[test]
    fn half_the_size_has_the_weights_1_3_3_1() {
        // At the left edge the tap outside is left out, and the rest is weighed anew: (3·0 + 3·80 + 160) / 7.
        assert_eq!(resize(&[0, 80, 160, 240, 0, 0], 6, 3, 1), [57, 160, 34]);
    }

    #[test]
    fn double_the_size_interpolates_between_pixel_centres() {
        assert_eq!(resize(&[0, 100], 2, 4, 1), [0, 25, 75, 100]);
        assert_eq!(resize(&[0, 100], 1, 1, 4), [0, 25, 75, 100]);
    }
}
