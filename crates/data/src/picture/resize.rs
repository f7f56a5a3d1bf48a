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
        for (&weight, row) in taps.weights.iter().zip(plane[taps.first * width..].chunks_exact(width)) {
            low.iter_mut().zip(row).for_each(|(sum, &pixel)| *sum += weight * f32::from(pixel));
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
        self.weights.iter().zip(&pixels[self.first..]).map(|(weight, pixel)| weight * pixel).sum()
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
