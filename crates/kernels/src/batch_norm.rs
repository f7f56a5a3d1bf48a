//! Batch normalisation, in the pieces that are between two sums over the batch.
//!
//! The sums are made an image at a time, and put together by the caller in an order of its choice, so that they do not
//! depend on how many threads there are. Derivation and notation: `backproof_layers::BatchNorm`.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::sums::sum_rows;
use crate::vector::{LANES, Lanes};

/// Mean and summed squared deviations of the channels of many images, in double precision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Values of a channel so far.
    pub count: f64,
    /// Mean, a number a channel.
    pub mean: Vec<f64>,
    /// Σ (x − mean)², a number a channel.
    pub squares: Vec<f64>,
}

impl Moments {
    /// Of no values, for `channels` channels.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// As [`new`](Self::new), in the memory that it has.
    pub fn clear(&mut self) {
        self.count = 0.0;
        self.mean.fill(0.0);
        self.squares.fill(0.0);
    }

    /// Adds those of other values: Chan, Golub and LeVeque, *Updating formulae and a pairwise algorithm for computing
    /// sample variances* (1979), equation 2.1.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        for channel in 0..self.mean.len() {
            let difference = other.mean[channel] - self.mean[channel];
            self.mean[channel] += difference * other.count / count;
            self.squares[channel] +=
                other.squares[channel] + difference * difference * self.count * other.count / count;
        }
        self.count = count;
    }
}

/// Adds the values of one image to `moments`, which have as many channels as the layout, padded ones included.
///
/// # Panics
///
/// If the layout is planar or a slice has another length than it should.
pub fn batch_norm_moments(isa: Isa, layout: &Layout, image: &[f32], moments: &mut Moments) {
    layout.check_blocked(image);
    let padded = layout.padded_channels();
    assert_eq!([moments.mean.len(), moments.squares.len()], [padded; 2], "a mean and a sum a channel");
    isa.run(ImageMoments { layout, image, moments });
}

struct ImageMoments<'a> {
    layout: &'a Layout,
    image: &'a [f32],
    moments: &'a mut Moments,
}

impl Kernel for ImageMoments<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { layout, image, moments } = self;
        let here = (layout.height * layout.width) as f64;
        let count = moments.count + here;
        for block in 0..layout.blocks() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let sum = sum_rows(layout, image, block, |sum: V, pixel| sum.add(pixel));
                let mean = sum.mul(V::splat((1.0 / here) as f32));
                let squares = sum_rows(layout, image, block, |sum: V, pixel: V| {
                    let deviation = pixel.sub(mean);
                    sum.fma(deviation, deviation)
                });
                let (mean, squares) = (mean.to_array(), squares.to_array());
                // `Moments::merge` of one image, without an allocation.
                for lane in 0..LANES {
                    let channel = block * LANES + lane;
                    let difference = f64::from(mean[lane]) - moments.mean[channel];
                    moments.mean[channel] += difference * here / count;
                    moments.squares[channel] +=
                        f64::from(squares[lane]) + difference * difference * moments.count * here / count;
                }
            }
        }
        moments.count = count;
    }
}

/// `y = (x − mean) · scale + offset` of one image; each of the three has a number a channel.
///
/// # Panics
///
/// If a layout is planar or a slice has another length than it should.
pub fn batch_norm_forward(
    isa: Isa,
    from: &Layout,
    input: &[f32],
    [mean, scale, offset]: [&[f32]; 3],
    to: &Layout,
    output: &mut [f32],
) {
    from.check_blocked(input);
    to.check_blocked(output);
    assert_eq!(from.shape(), to.shape(), "one shape");
    assert!([mean, scale, offset].iter().all(|numbers| numbers.len() == from.padded_channels()), "a number a channel");
    isa.run(Forward { from, input, mean, scale, offset, to, output });
}

struct Forward<'a> {
    from: &'a Layout,
    input: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    offset: &'a [f32],
    to: &'a Layout,
    output: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { from, input, mean, scale, offset, to, output } = self;
        for block in 0..from.blocks() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let [mean, scale, offset] = [mean, scale, offset].map(|numbers| V::of(&numbers.as_chunks().0[block]));
                for row in 0..from.height {
                    let pixels = from.row(input, block, row).iter().zip(to.row_mut(output, block, row));
                    for (x, y) in pixels {
                        offset.fma(V::of(x).sub(mean), scale).put(y);
                    }
                }
            }
        }
    }
}

/// Adds `Σ g` and `Σ g · (x − mean)` of one image to `sums`, a number a channel each: `∂L/∂β`, and `∂L/∂γ` but for the
/// factor `1/√(v + ε)`.
///
/// # Panics
///
/// If a layout is planar or a slice has another length than it should.
pub fn batch_norm_sums(
    isa: Isa,
    from: &Layout,
    input: &[f32],
    mean: &[f32],
    to: &Layout,
    gradient: &[f32],
    sums: [&mut [f64]; 2],
) {
    from.check_blocked(input);
    to.check_blocked(gradient);
    assert_eq!(from.shape(), to.shape(), "one shape");
    assert_eq!(mean.len(), from.padded_channels(), "a number a channel");
    assert!(sums.iter().all(|sums| sums.len() == mean.len()), "a number a channel");
    isa.run(Sums { from, input, mean, to, gradient, sums });
}

struct Sums<'a> {
    from: &'a Layout,
    input: &'a [f32],
    mean: &'a [f32],
    to: &'a Layout,
    gradient: &'a [f32],
    sums: [&'a mut [f64]; 2],
}

impl Kernel for Sums<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { from, input, mean, to, gradient, sums: [plain, weighted] } = self;
        for block in 0..from.blocks() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let mean = V::of(&mean.as_chunks().0[block]);
                let mut sums = [V::splat(0.0); 2];
                let mut products = [V::splat(0.0); 2];
                for row in 0..from.height {
                    let pixels = from.row(input, block, row).iter().zip(to.row(gradient, block, row));
                    for (column, (x, g)) in pixels.enumerate() {
                        let g = V::of(g);
                        sums[column % 2] = sums[column % 2].add(g);
                        products[column % 2] = products[column % 2].fma(g, V::of(x).sub(mean));
                    }
                }
                let (sums, products) = (sums[0].add(sums[1]).to_array(), products[0].add(products[1]).to_array());
                for lane in 0..LANES {
                    plain[block * LANES + lane] += f64::from(sums[lane]);
                    weighted[block * LANES + lane] += f64::from(products[lane]);
                }
            }
        }
    }
}

/// `∂L/∂x = scale · (g − a − (x − mean) · b)` of one image; each of the four has a number a channel. With `positive`
/// only where x is above zero: the gradient through a ReLU before the normalisation.
///
/// # Panics
///
/// If a layout is planar or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn batch_norm_backward(
    isa: Isa,
    from: &Layout,
    input: &[f32],
    [mean, scale, a, b]: [&[f32]; 4],
    positive: bool,
    to: &Layout,
    gradient: &[f32],
    input_gradient: (&Layout, &mut [f32]),
) {
    from.check_blocked(input);
    to.check_blocked(gradient);
    input_gradient.0.check_blocked(input_gradient.1);
    for layout in [to, input_gradient.0] {
        assert_eq!(from.shape(), layout.shape(), "one shape");
    }
    assert!([mean, scale, a, b].iter().all(|numbers| numbers.len() == from.padded_channels()), "a number a channel");
    isa.run(Backward { from, input, numbers: [mean, scale, a, b], positive, to, gradient, input_gradient });
}

struct Backward<'a> {
    from: &'a Layout,
    input: &'a [f32],
    numbers: [&'a [f32]; 4],
    positive: bool,
    to: &'a Layout,
    gradient: &'a [f32],
    input_gradient: (&'a Layout, &'a mut [f32]),
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { from, input, numbers, positive, to, gradient, input_gradient: (onto, result) } = self;
        for block in 0..from.blocks() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let [mean, scale, a, b] = numbers.map(|numbers| V::of(&numbers.as_chunks().0[block]));
                let zero = V::splat(0.0);
                for row in 0..from.height {
                    let pixels = from.row(input, block, row).iter().zip(to.row(gradient, block, row));
                    for ((x, g), result) in pixels.zip(onto.row_mut(result, block, row)) {
                        let x = V::of(x);
                        let found = V::of(g).sub(a).sub(x.sub(mean).mul(b)).mul(scale);
                        let found = if positive { x.select_greater(zero, found, zero) } else { found };
                        found.put(result);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Border;
    use crate::testing::{close, numbers};

    /// Three images of 20 channels, far from zero, so that E[x²] − E[x]² would lose every digit.
    #[test]
    fn the_passes_agree_with_the_definition() {
        let shape = [20, 5, 7];
        let border = Border { top: 1, left: 2, bottom: 0, right: 1 };
        let (from, to, onto) =
            (Layout::blocked(shape, border), Layout::blocked(shape, Border::default()), Layout::blocked(shape, border));
        let per_channel = 35;
        let padded = from.padded_channels();
        let images: Vec<Vec<f32>> = (0..3).map(|n| numbers(700, n).iter().map(|x| x + 1000.0).collect()).collect();
        let gradients: Vec<Vec<f32>> = (0..3).map(|n| numbers(700, 10 + n)).collect();
        let laid = |layout: &Layout, values: &[f32]| {
            let mut memory = vec![0.0; layout.size()];
            layout.write(values, &mut memory);
            memory
        };
        let of = |channel: usize| {
            images.iter().zip(&gradients).flat_map(move |(x, g)| {
                let range = channel * per_channel..(channel + 1) * per_channel;
                x[range.clone()].iter().zip(&g[range]).map(|(&x, &g)| (f64::from(x), f64::from(g)))
            })
        };
        for isa in Isa::available() {
            let mut moments = Moments::new(padded);
            let mut late = Moments::new(padded);
            batch_norm_moments(isa, &from, &laid(&from, &images[0]), &mut moments);
            batch_norm_moments(isa, &from, &laid(&from, &images[1]), &mut late);
            batch_norm_moments(isa, &from, &laid(&from, &images[2]), &mut late);
            moments.merge(&late);
            assert_eq!(moments.count, 105.0);
            for channel in 0..20 {
                let mean = of(channel).map(|(x, _)| x).sum::<f64>() / 105.0;
                let squares = of(channel).map(|(x, _)| (x - mean) * (x - mean)).sum::<f64>();
                assert!((moments.mean[channel] - mean).abs() < 1e-4, "{} {mean}", moments.mean[channel]);
                assert!((moments.squares[channel] - squares).abs() < 1e-4 * squares, "{}", moments.squares[channel]);
            }
            let mean: Vec<f32> = moments.mean.iter().map(|&mean| mean as f32).collect();
            let scale = numbers(padded, 5);
            let offset = numbers(padded, 6);
            let image = laid(&from, &images[0]);
            let mut output = vec![0.0; to.size()];
            batch_norm_forward(isa, &from, &image, [&mean, &scale, &offset], &to, &mut output);
            let mut sums = [vec![0.0; padded], vec![0.0; padded]];
            let [plain, weighted] = &mut sums;
            let gradient = laid(&to, &gradients[0]);
            batch_norm_sums(isa, &from, &image, &mean, &to, &gradient, [plain, weighted]);
            let mut result = vec![0.0; onto.size()];
            let values = [&mean[..], &scale, &offset, &scale];
            batch_norm_backward(isa, &from, &image, values, false, &to, &gradient, (&onto, &mut result));
            let mut read = [vec![0.0; 700], vec![0.0; 700]];
            to.read(&output, &mut read[0]);
            onto.read(&result, &mut read[1]);
            let (mut y, mut dx) = (vec![], vec![]);
            for channel in 0..20 {
                let [m, s, o] = [mean[channel], scale[channel], offset[channel]].map(f64::from);
                let (mut g_sum, mut g_dot) = (0.0, 0.0);
                for (x, g) in of(channel).take(per_channel) {
                    y.push((x - m) * s + o);
                    dx.push(s * (g - o - (x - m) * s));
                    g_sum += g;
                    g_dot += g * (x - m);
                }
                assert!((sums[0][channel] - g_sum).abs() < 1e-5 && (sums[1][channel] - g_dot).abs() < 1e-5);
            }
            close("output", 4, &read[0], &y);
            close("input gradient", 4, &read[1], &dx);
        }
    }
}
