//! Fully connected layers of several images at a time.
//!
//! Weights are `[O, F]`, a row an output, as PyTorch has them. F counts the numbers of the input's memory, padded
//! channels included, whose weights have to be zero. So features need no reordering after a convolution, and 16
//! neighbouring features are one vector in all three passes.

use std::ops::Range;

use crate::isa::{Isa, Kernel};
use crate::vector::{LANES, Lanes};

/// `y[n, o] = b[o] + Σ_f w[o, f] · x[n, f]`, with `relu` `max(0, y)`: images one after the other in `input`, `[N, F]`,
/// and in `output`, `[N, row]`, of which the first O numbers of each row are written.
///
/// # Panics
///
/// If F is zero or no multiple of 16, or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn linear_forward(
    isa: Isa,
    [outputs, features]: [usize; 2],
    weights: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    input: &[f32],
    output: &mut [f32],
    output_row: usize,
) {
    check_weights(weights, outputs, features);
    assert!(outputs <= output_row, "{outputs} outputs in a row of {output_row}");
    check_rows(rows_of(input, features), output, output_row);
    assert!(bias.is_none_or(|bias| bias.len() >= outputs), "the bias");
    isa.run(Forward { outputs, features, weights, bias, relu, input, output, output_row });
}

struct Forward<'a> {
    outputs: usize,
    features: usize,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    input: &'a [f32],
    output: &'a mut [f32],
    output_row: usize,
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let images = self.input.len() / self.features;
        let mut image = 0;
        while image < images {
            // SAFETY: so many images are left.
            image += unsafe {
                if V::ACCUMULATORS >= 24 && image + 4 <= images {
                    self.images::<V, 6, 4, 4>(image)
                } else if image + 2 <= images {
                    self.images::<V, 3, 1, 2>(image)
                } else {
                    self.images::<V, 5, 1, 1>(image)
                }
            };
        }
    }
}

impl Forward<'_> {
    /// All outputs of `IMAGES` images, `OUTPUTS` of them at a time, then `REST`, then one: ten classes are 6 and 4.
    #[inline(always)]
    unsafe fn images<V: Lanes, const OUTPUTS: usize, const REST: usize, const IMAGES: usize>(
        &mut self,
        image: usize,
    ) -> usize {
        let mut output = 0;
        while output < self.outputs {
            // SAFETY: so many outputs are left.
            output += unsafe {
                if output + OUTPUTS <= self.outputs {
                    self.tile::<V, OUTPUTS, IMAGES>(image, output)
                } else if output + REST <= self.outputs {
                    self.tile::<V, REST, IMAGES>(image, output)
                } else {
                    self.tile::<V, 1, IMAGES>(image, output)
                }
            };
        }
        IMAGES
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes, const OUTPUTS: usize, const IMAGES: usize>(
        &mut self,
        image: usize,
        output: usize,
    ) -> usize {
        let features = self.features;
        // SAFETY: the caller has checked that there are so many images and outputs; F is a multiple of 16.
        unsafe {
            let weights = self.weights.as_ptr().add(output * features);
            let input = self.input.as_ptr().add(image * features);
            let mut sums = [[V::splat(0.0); IMAGES]; OUTPUTS];
            for at in (0..features).step_by(LANES) {
                let mut values = [V::splat(0.0); IMAGES];
                for n in 0..IMAGES {
                    values[n] = V::load(input.add(n * features + at));
                }
                for o in 0..OUTPUTS {
                    let weight = V::load(weights.add(o * features + at));
                    for n in 0..IMAGES {
                        sums[o][n] = sums[o][n].fma(weight, values[n]);
                    }
                }
            }
            for o in 0..OUTPUTS {
                let bias = self.bias.map_or(0.0, |bias| bias[output + o]);
                for n in 0..IMAGES {
                    let sum = sums[o][n].sum() + bias;
                    let sum = if self.relu && sum < 0.0 { 0.0 } else { sum };
                    self.output[(image + n) * self.output_row + output + o] = sum;
                }
            }
        }
        OUTPUTS
    }
}

/// `∂L/∂x[n, f] = Σ_o g[n, o] · w[o, f]`: gradients `[N, row]`, of which the first O numbers of each row count, to
/// `input_gradient`, `[N, F]`.
///
/// # Panics
///
/// If F is zero or no multiple of 16, or a slice has another length than it should.
pub fn linear_input_gradient(
    isa: Isa,
    [outputs, features]: [usize; 2],
    weights: &[f32],
    gradient: &[f32],
    gradient_row: usize,
    input_gradient: &mut [f32],
) {
    check_weights(weights, outputs, features);
    assert!(outputs <= gradient_row, "{outputs} outputs in a row of {gradient_row}");
    check_rows(rows_of(gradient, gradient_row), input_gradient, features);
    isa.run(InputGradient { outputs, features, weights, gradient, gradient_row, input_gradient });
}

struct InputGradient<'a> {
    outputs: usize,
    features: usize,
    weights: &'a [f32],
    gradient: &'a [f32],
    gradient_row: usize,
    input_gradient: &'a mut [f32],
}

impl Kernel for InputGradient<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let images = self.gradient.len() / self.gradient_row;
        let mut image = 0;
        while image < images {
            // SAFETY: so many images are left.
            image += unsafe {
                if V::ACCUMULATORS >= 24 && image + 4 <= images {
                    self.images::<V, 6, 4>(image)
                } else if image + 2 <= images {
                    self.images::<V, 2, 2>(image)
                } else {
                    self.images::<V, 5, 1>(image)
                }
            };
        }
    }
}

impl InputGradient<'_> {
    /// All features of `IMAGES` images, `BLOCKS` times 16 of them at a time.
    #[inline(always)]
    unsafe fn images<V: Lanes, const BLOCKS: usize, const IMAGES: usize>(&mut self, image: usize) -> usize {
        let mut at = 0;
        while at < self.features {
            // SAFETY: so many features are left.
            at += unsafe {
                if at + BLOCKS * LANES <= self.features {
                    self.tile::<V, BLOCKS, IMAGES>(image, at)
                } else {
                    self.tile::<V, 1, IMAGES>(image, at)
                }
            };
        }
        IMAGES
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes, const BLOCKS: usize, const IMAGES: usize>(&mut self, image: usize, at: usize) -> usize {
        // SAFETY: the caller has checked that there are so many images and features.
        unsafe {
            let weights = self.weights.as_ptr().add(at);
            let gradient = self.gradient.as_ptr().add(image * self.gradient_row);
            let mut sums = [[V::splat(0.0); IMAGES]; BLOCKS];
            for output in 0..self.outputs {
                let mut gradients = [V::splat(0.0); IMAGES];
                for n in 0..IMAGES {
                    gradients[n] = V::splat(*gradient.add(n * self.gradient_row + output));
                }
                for block in 0..BLOCKS {
                    let weight = V::load(weights.add(output * self.features + block * LANES));
                    for n in 0..IMAGES {
                        sums[block][n] = sums[block][n].fma(weight, gradients[n]);
                    }
                }
            }
            for block in 0..BLOCKS {
                for n in 0..IMAGES {
                    let to = (image + n) * self.features + at + block * LANES;
                    sums[block][n].store(self.input_gradient.as_mut_ptr().add(to));
                }
            }
        }
        BLOCKS * LANES
    }
}

/// `∂L/∂w[o, f] = Σ_n g[n, o] · x[n, f]` for the outputs `rows`, to `weight_gradient`, `[rows, F]`, which is
/// overwritten. The batch comes in parts, inputs `[N, F]` and gradients `[N, row]` each.
///
/// # Panics
///
/// If F is zero or no multiple of 16, or a slice has another length than it should.
pub fn linear_weight_gradient(
    isa: Isa,
    rows: Range<usize>,
    features: usize,
    parts: &[(&[f32], &[f32])],
    gradient_row: usize,
    weight_gradient: &mut [f32],
) {
    assert!(rows.end <= gradient_row, "outputs {rows:?} in a row of {gradient_row}");
    check_weights(weight_gradient, rows.len(), features);
    for (input, gradient) in parts {
        check_rows(rows_of(input, features), gradient, gradient_row);
    }
    isa.run(WeightGradient { rows, features, parts, gradient_row, weight_gradient });
}

struct WeightGradient<'a> {
    rows: Range<usize>,
    features: usize,
    /// Inputs, F numbers an image, and their gradients, a row an image.
    parts: &'a [(&'a [f32], &'a [f32])],
    gradient_row: usize,
    weight_gradient: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let mut row = 0;
        while row < self.rows.len() {
            // SAFETY: so many rows are left.
            row += unsafe {
                if V::ACCUMULATORS >= 24 && row + 6 <= self.rows.len() {
                    self.outputs::<V, 6, 4>(row)
                } else if V::ACCUMULATORS >= 24 && row + 4 <= self.rows.len() {
                    self.outputs::<V, 4, 4>(row)
                } else if row + 2 <= self.rows.len() {
                    self.outputs::<V, 2, 2>(row)
                } else {
                    self.outputs::<V, 1, 4>(row)
                }
            };
        }
    }
}

impl WeightGradient<'_> {
    /// The weights of `OUTPUTS` outputs, `BLOCKS` times 16 features at a time, then 16.
    #[inline(always)]
    unsafe fn outputs<V: Lanes, const OUTPUTS: usize, const BLOCKS: usize>(&mut self, row: usize) -> usize {
        let mut at = 0;
        while at < self.features {
            // SAFETY: so many features are left.
            at += unsafe {
                if at + BLOCKS * LANES <= self.features {
                    self.tile::<V, OUTPUTS, BLOCKS>(row, at)
                } else {
                    self.tile::<V, OUTPUTS, 1>(row, at)
                }
            };
        }
        OUTPUTS
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes, const OUTPUTS: usize, const BLOCKS: usize>(&mut self, row: usize, at: usize) -> usize {
        // SAFETY: the instructions are the caller's concern.
        let mut sums = [[unsafe { V::splat(0.0) }; BLOCKS]; OUTPUTS];
        for (input, gradient) in self.parts {
            for (input, gradient) in input.chunks_exact(self.features).zip(gradient.chunks_exact(self.gradient_row)) {
                // SAFETY: the caller has checked that there are so many rows and features, and every image has all of
                // them.
                unsafe {
                    let mut values = [V::splat(0.0); BLOCKS];
                    for block in 0..BLOCKS {
                        values[block] = V::load(input.as_ptr().add(at + block * LANES));
                    }
                    for output in 0..OUTPUTS {
                        let gradient = V::splat(*gradient.as_ptr().add(self.rows.start + row + output));
                        for block in 0..BLOCKS {
                            sums[output][block] = sums[output][block].fma(gradient, values[block]);
                        }
                    }
                }
            }
        }
        // SAFETY: the caller has checked that there are so many rows and features of the weights' gradient.
        unsafe {
            for output in 0..OUTPUTS {
                for block in 0..BLOCKS {
                    let to = (row + output) * self.features + at + block * LANES;
                    sums[output][block].store(self.weight_gradient.as_mut_ptr().add(to));
                }
            }
        }
        BLOCKS * LANES
    }
}

/// How many rows of `length` numbers a slice has; panics unless they are whole.
#[track_caller]
fn rows_of(slice: &[f32], length: usize) -> usize {
    assert!(length > 0 && slice.len().is_multiple_of(length), "{} numbers are not rows of {length}", slice.len());
    slice.len() / length
}

/// Panics unless `slice` has so many rows. A product that overflows is no length: it could be that of a short slice.
#[track_caller]
fn check_rows(rows: usize, slice: &[f32], length: usize) {
    assert_eq!(rows.checked_mul(length), Some(slice.len()), "{rows} rows of {length}");
}

/// Panics unless `weights` is `[outputs, features]`, in whole vectors.
#[track_caller]
fn check_weights(weights: &[f32], outputs: usize, features: usize) {
    assert!(features > 0 && features.is_multiple_of(LANES), "{features} features are no multiple of {LANES}");
    check_rows(outputs, weights, features);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{close, numbers};

    proptest! {
        #[test]
        fn any_size_agrees_with_the_definition(images in 1usize..12, outputs in 1usize..20, blocks in 1usize..12) {
            let (features, row) = (blocks * LANES, outputs + 3);
            let (x, w) = (numbers(images * features, 1), numbers(outputs * features, 2));
            let (b, g) = (numbers(outputs, 3), numbers(images * row, 4));
            let mut y = vec![0f64; images * row];
            let (mut dx, mut dw) = (vec![0f64; x.len()], vec![0f64; w.len()]);
            for (n, o) in (0..images).flat_map(|n| (0..outputs).map(move |o| (n, o))) {
                y[n * row + o] = b[o].into();
                for f in 0..features {
                    let [x, w, g] = [x[n * features + f], w[o * features + f], g[n * row + o]].map(f64::from);
                    y[n * row + o] += x * w;
                    dx[n * features + f] += w * g;
                    dw[o * features + f] += x * g;
                }
            }
            for isa in Isa::available() {
                let mut found = vec![0.0; y.len()];
                linear_forward(isa, [outputs, features], &w, Some(&b), false, &x, &mut found, row);
                close("output", features, &found, &y);
                let mut found = vec![f32::NAN; x.len()];
                linear_input_gradient(isa, [outputs, features], &w, &g, row, &mut found);
                close("input gradient", outputs, &found, &dx);
                let mut found = vec![f32::NAN; w.len()];
                let (first, rest) = found.split_at_mut(outputs / 2 * features);
                let part = |images: Range<usize>| {
                    (&x[images.start * features..images.end * features], &g[images.start * row..images.end * row])
                };
                let parts = [part(0..images / 3), part(images / 3..images)];
                linear_weight_gradient(isa, 0..outputs / 2, features, &parts, row, first);
                linear_weight_gradient(isa, outputs / 2..outputs, features, &parts, row, rest);
                close("weight gradient", images, &found, &dw);
            }
        }
    }
}
