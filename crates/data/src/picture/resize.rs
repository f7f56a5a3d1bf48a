//! Resizing by a triangle filter.
//!
//! There is no crate for it here: those that resize ask for features of `num-traits` that Burn is not built with, and
//! would have all of Burn built twice.

/// Rows that are summed in 16 bits. Each product is rounded down to a multiple of 1/257, so a sum of 32 is off by at
/// most 16/257 when half of what may be lost is added to it beforehand.
const BLOCK: usize = 32;
/// What the weights of these rows sum to. It leaves room below 2¹⁶ for what rounding adds to them and for that half.
const WHOLE: f32 = 65_500.0;
/// Rows that are added at a time, so that the sums are loaded and stored a quarter as often.
const ROWS: usize = 4;

/// A part of a plane: `height` rows of `width` pixels, each `stride` pixels after the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) pixels: &'a [u8],
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl<'a> View<'a> {
    /// All of `plane`, rows of `width` pixels.
    pub(super) fn whole(plane: &'a [u8], width: usize) -> Self {
        Self { pixels: plane, stride: width, width, height: plane.len() / width }
    }

    fn row(&self, at: usize) -> &'a [u8] {
        &self.pixels[at * self.stride..][..self.width]
    }
}

/// From pictures of one size to pictures of another.
///
/// A new pixel is the mean of the old ones around its place, with weights that fall linearly to zero at a distance of
/// one new pixel (one old pixel where the picture grows): along the columns, then along the rows, rounded once at the
/// end. Before that, it is off by less than 1/8: whole weights are, and products that are rounded down, by 1/16 each.
/// The columns come first because whole rows are added then: in 16 bits, of which vector instructions do twice as many
/// at a time as of 32.
pub(super) struct Resizer {
    old: [usize; 2],
    new: [usize; 2],
    /// The old rows that make each new one, one after the other.
    blocks: Vec<Block>,
    /// Of each new pixel in a row, the first of the old pixels that make it.
    firsts: Vec<usize>,
    /// Of each new pixel in a row, the weights of the old ones, with zeros up to `taps` of them.
    weights: Vec<f32>,
    taps: usize,
}

/// `plane`, rows of `width` pixels, at another size. For one plane; a [`Resizer`] serves several.
pub(super) fn resize(plane: &[u8], width: usize, new_width: usize, new_height: usize) -> Vec<u8> {
    let view = View::whole(plane, width);
    Resizer::new([view.width, view.height], [new_width, new_height]).resize(view)
}

impl Resizer {
    /// From one width and height to another.
    pub(super) fn new(old: [usize; 2], new: [usize; 2]) -> Self {
        if old == new {
            return Self { old, new, blocks: Vec::new(), firsts: Vec::new(), weights: Vec::new(), taps: 0 };
        }
        let ([old_width, old_height], [new_width, new_height]) = (old, new);
        let mut blocks = Vec::with_capacity(new_height * most_taps(old_height, new_height).div_ceil(BLOCK));
        for_each(old_height, new_height, |mut first, weights| {
            for of_block in weights.chunks(BLOCK) {
                blocks.push(Block::new(first, of_block));
                first += BLOCK;
            }
            blocks.last_mut().expect("a new row is made of some").is_last = true;
        });
        let taps = most_taps(old_width, new_width).next_multiple_of(4);
        let (mut firsts, mut all) = (Vec::with_capacity(new_width), Vec::with_capacity(new_width * taps));
        for_each(old_width, new_width, |first, weights| {
            firsts.push(first);
            all.extend_from_slice(weights);
            all.resize(firsts.len() * taps, 0.0);
        });
        Self { old, new, blocks, firsts, weights: all, taps }
    }

    /// `view`, which has the old size, at the new size.
    pub(super) fn resize(&self, view: View<'_>) -> Vec<u8> {
        let [width, height] = self.old;
        assert_eq!([view.width, view.height], self.old, "the size of a view");
        if self.old == self.new {
            return (0..height).flat_map(|at| view.row(at)).copied().collect();
        }
        let mut out = Vec::with_capacity(self.new[0] * self.new[1]);
        // Weights of 0 reach beyond the end of a row.
        let (mut sums, mut low) = (vec![0_u16; width], vec![0.0_f32; width + self.taps]);
        let mut row = vec![0.0; self.new[0]];
        for block in &self.blocks {
            block.sum(&mut sums, view);
            low.iter_mut().zip(&sums).for_each(|(low, &sum)| *low += block.factor * f32::from(sum));
            if block.is_last {
                let pixels = self.firsts.iter().zip(self.weights.chunks_exact(self.taps));
                row.iter_mut().zip(pixels).for_each(|(to, (&first, weights))| *to = dot(weights, &low[first..]));
                // Once for the whole row, which vector instructions do.
                out.extend(row.iter().map(|&mean| (mean + 0.5) as u8));
                low.fill(0.0);
            }
        }
        out
    }
}

/// Σ weight · pixel over weights whose number is a multiple of 4.
fn dot(weights: &[f32], pixels: &[f32]) -> f32 {
    // Four sums at a time do not wait for each other.
    let mut sums = [0.0; 4];
    for (weights, pixels) in weights.as_chunks::<4>().0.iter().zip(pixels.as_chunks::<4>().0) {
        sums.iter_mut().zip(weights.iter().zip(pixels)).for_each(|(sum, (weight, pixel))| *sum += weight * pixel);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Old rows that are summed in 16 bits.
struct Block {
    first: usize,
    count: usize,
    /// Their weights, as whole numbers that sum to [`WHOLE`] but for rounding; zeros after them.
    weights: [u16; BLOCK],
    /// What makes the sums those with the true weights.
    factor: f32,
    /// Whether a new row is done with it.
    is_last: bool,
}

impl Block {
    fn new(first: usize, true_weights: &[f32]) -> Self {
        let sum: f32 = true_weights.iter().sum();
        // Rows without weight may be at the far end of a triangle.
        let scale = if sum > 0.0 { WHOLE / sum } else { 0.0 };
        let mut weights = [0_u16; BLOCK];
        weights.iter_mut().zip(true_weights).for_each(|(whole, weight)| *whole = (weight * scale + 0.5) as u16);
        let whole: u32 = weights.iter().map(|&weight| u32::from(weight)).sum();
        let factor = if whole > 0 { 65_536.0 / 257.0 * sum / whole as f32 } else { 0.0 };
        Self { first, count: true_weights.len(), weights, factor, is_last: false }
    }

    /// The sums of the rows with the whole weights, each divided by 2¹⁶ / 257.
    fn sum(&self, sums: &mut [u16], view: View<'_>) {
        sums.fill(self.count as u16 / 2);
        let groups = self.weights.as_chunks::<ROWS>().0.iter().take(self.count.div_ceil(ROWS));
        for (group, weights) in groups.enumerate() {
            // After the last row it comes again, with a weight of 0.
            let row = |at: usize| view.row(self.first + (group * ROWS + at).min(self.count - 1));
            add_rows(sums, std::array::from_fn(row), *weights);
        }
    }
}

/// Adds [`part`] of each pixel of four rows. A function of its own, so that the compiler prepares the weights before
/// the loop.
#[inline(never)]
fn add_rows(sums: &mut [u16], [one, two, three, four]: [&[u8]; ROWS], [a, b, c, d]: [u16; ROWS]) {
    let rows = one.iter().zip(two).zip(three).zip(four);
    for (sum, (((&one, &two), &three), &four)) in sums.iter_mut().zip(rows) {
        *sum += (part(one, a) + part(two, b)) + (part(three, c) + part(four, d));
    }
}

/// pixel · weight · 257 / 2¹⁶, rounded down: the upper half of a product of 16 bits by 16, for which there is a vector
/// instruction. A pixel times 257 is its byte twice. Times 256, the compiler would shift the product instead, in 32
/// bits.
#[inline(always)]
fn part(pixel: u8, weight: u16) -> u16 {
    let pixel = u16::from(pixel) << 8 | u16::from(pixel);
    ((u32::from(pixel) * u32::from(weight)) >> 16) as u16
}

/// The most old pixels that make a new one.
fn most_taps(old: usize, new: usize) -> usize {
    (2 * old.div_ceil(new) + 2).min(old)
}

/// Calls `each` for every new pixel along a side, with the first of the old ones that make it and the weight of each;
/// the weights sum to 1.
fn for_each(old: usize, new: usize, mut each: impl FnMut(usize, &[f32])) {
    let scale = old as f64 / new as f64;
    let reach = scale.max(1.0);
    let (slope, mut weights) = (1.0 / reach, Vec::with_capacity(most_taps(old, new)));
    for j in 0..new {
        let centre = (j as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(old);
        let weight = |i: usize| (1.0 - (i as f64 + 0.5 - centre).abs() * slope).max(0.0);
        let share = 1.0 / (first..last).map(weight).sum::<f64>();
        weights.clear();
        weights.extend((first..last).map(|i| (weight(i) * share) as f32));
        each(first, &weights);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resize_view(view: View<'_>, new_width: usize, new_height: usize) -> Vec<u8> {
        Resizer::new([view.width, view.height], [new_width, new_height]).resize(view)
    }

    /// The definition, in double precision and not rounded.
    fn exact(plane: &[u8], width: usize, new_width: usize, new_height: usize) -> Vec<f64> {
        let weights = |old: usize, new: usize, j: usize| -> Vec<f64> {
            let scale = old as f64 / new as f64;
            let centre = (j as f64 + 0.5) * scale;
            let weight = |i: usize| (1.0 - (i as f64 + 0.5 - centre).abs() / scale.max(1.0)).max(0.0);
            let sum: f64 = (0..old).map(weight).sum();
            (0..old).map(|i| weight(i) / sum).collect()
        };
        let mut out = Vec::new();
        for y in 0..new_height {
            let rows = weights(plane.len() / width, new_height, y);
            for x in 0..new_width {
                let columns = weights(width, new_width, x);
                let of_row = |row: &[u8]| row.iter().zip(&columns).map(|(&p, w)| f64::from(p) * w).sum::<f64>();
                out.push(plane.chunks_exact(width).zip(&rows).map(|(row, weight)| weight * of_row(row)).sum());
            }
        }
        out
    }

    /// How far each pixel is from the definition before it is rounded.
    fn off_by(plane: &[u8], width: usize, new_width: usize, new_height: usize) -> f64 {
        let found = resize(plane, width, new_width, new_height);
        let exact = exact(plane, width, new_width, new_height);
        assert_eq!(found.len(), exact.len());
        let off = found.iter().zip(exact).map(|(&found, exact)| (f64::from(found) - exact).abs() - 0.5);
        off.fold(0.0, f64::max)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn a_picture_of_any_size_is_off_by_less_than_an_eighth_before_rounding(
            width in 1..90_usize,
            height in 1..400_usize,
            new_width in 1..20_usize,
            new_height in 1..20_usize,
            bits in prop::sample::select(vec![0x01_u8, 0x80, 0xff]),
            seed in any::<u64>(),
        ) {
            // Of all values, and of two that are far apart.
            let noise = (0..width * height).scan(seed, |state, _| {
                *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Some((*state >> 56) as u8 & bits)
            });
            let plane: Vec<u8> = noise.collect();
            prop_assert!(off_by(&plane, width, new_width, new_height) < 1.0 / 8.0);
        }
    }

    #[test]
    fn a_constant_plane_stays_constant_at_every_size() {
        for (width, height) in [(1, 1), (3, 7), (28, 28), (5, 1), (2, 3_000), (40, 517)] {
            for (new_width, new_height) in [(1, 1), (2, 5), (28, 28), (64, 3)] {
                for value in [0, 1, 2, 127, 128, 200, 254, 255] {
                    let out = resize(&vec![value; width * height], width, new_width, new_height);
                    assert_eq!(out, vec![value; new_width * new_height], "{width}×{height}");
                }
            }
        }
    }

    #[test]
    fn a_part_is_resized_as_the_same_part_alone() {
        let plane: Vec<u8> = (0..70 * 50).map(|at| (at * at % 251) as u8).collect();
        let part = View { pixels: &plane[3 * 70 + 5..], stride: 70, width: 60, height: 40 };
        let alone: Vec<u8> = (0..40).flat_map(|row| part.row(row)).copied().collect();
        for (width, height) in [(7, 9), (60, 40), (80, 90)] {
            assert_eq!(resize_view(part, width, height), resize(&alone, 60, width, height));
        }
    }

    #[test]
    fn half_the_size_has_the_weights_1_3_3_1() {
        // At the left edge the tap outside is left out, and the rest is weighed anew: (3·0 + 3·80 + 160) / 7.
        let plane = [0, 80, 160, 240, 0, 0];
        assert_eq!(resize(&plane, 6, 3, 1), [57, 160, 34]);
        assert_eq!(resize(&plane, 1, 1, 3), [57, 160, 34]);
    }

    #[test]
    fn double_the_size_interpolates_between_pixel_centres() {
        assert_eq!(resize(&[0, 100], 2, 4, 1), [0, 25, 75, 100]);
        assert_eq!(resize(&[0, 100], 1, 1, 4), [0, 25, 75, 100]);
    }
}
