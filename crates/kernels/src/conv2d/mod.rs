//! Convolution: output, input gradient and weight gradient of one image at a time.
//!
//! # How
//!
//! Sixteen output channels are one vector. A tile of neighbouring output pixels is as many accumulators, which stay in
//! registers: for every (input channel, tap) one vector of weights is loaded, and each accumulator takes it times one
//! input, broadcast to all lanes. Where that input lies relative to the pixel is in a table made once, which is how one
//! loop serves padding (a border of zeros), dilation, groups and both layouts.
//!
//! The input gradient is the same loop over the output gradient with the roles of the channels swapped (derivation in
//! `backproof_layers::Conv2d`). The weight gradient keeps a tile of *taps* in registers, and goes over the pixels.

mod correlation;
mod shape;
mod weight_gradient;

use crate::isa::Isa;
use crate::layout::{Border, Layout};
use crate::vector::LANES;
use correlation::{Correlation, Part};
use shape::Towards;
use weight_gradient::WeightGradient;

pub use shape::Conv2dShape;

/// A convolution by the definition, with its layouts, tables made; [`Winograd`](crate::Winograd) has fewer products.
#[derive(Debug, Clone)]
pub struct DirectConv2d {
    shape: Conv2dShape,
    output: Layout,
    gradient: Layout,
    /// The output gradient with zeros between its pixels, where the stride is above 1.
    spread: Option<Layout>,
    forward: Correlation,
    backward: Option<Correlation>,
    taps: WeightGradient,
}

impl DirectConv2d {
    /// The convolution `shape` from `input` to `output`, with the gradient of the output in `gradient`. That needs its
    /// border only where the input gradient is wanted.
    ///
    /// # Panics
    ///
    /// If a size is zero, the channels cannot be divided into the groups, a layout has other sizes than the shape or a
    /// smaller border than it needs, or output or gradient are planar.
    #[must_use]
    pub fn new(shape: Conv2dShape, input: Layout, output: Layout, gradient: Layout, input_gradient: bool) -> Self {
        shape.check();
        let [rows, columns] = shape.output();
        assert!(
            shape.channels.is_multiple_of(shape.groups) && shape.outputs.is_multiple_of(shape.groups),
            "{} and {} channels in {} groups",
            shape.channels,
            shape.outputs,
            shape.groups
        );
        assert_eq!(input.shape(), [shape.channels, shape.input[0], shape.input[1]], "the input");
        assert!([1, LANES].contains(&input.channels_per_block), "an input is planar or blocked");
        for layout in [output, gradient] {
            assert_eq!(layout.shape(), [shape.outputs, rows, columns], "the output");
            assert_eq!(layout.channels_per_block, LANES, "outputs are blocked");
        }
        let spread = shape.is_strided().then(|| {
            let [height, width] = shape.spread_output();
            Layout::blocked([shape.outputs, height, width], shape.gradient_border())
        });
        let from = spread.unwrap_or(gradient);
        let forward = Correlation::new(
            parts(&shape, [shape.outputs, shape.channels], |channel| shape.taps(input, channel, Towards::Output)),
            input,
            shape.stride,
            output,
        );
        let backward = input_gradient.then(|| {
            Correlation::new(
                parts(&shape, [shape.channels, shape.outputs], |channel| shape.taps(from, channel, Towards::Input)),
                from,
                [1, 1],
                Layout::blocked([shape.channels, shape.input[0], shape.input[1]], Border::default()),
            )
        });
        let taps = WeightGradient::new(&shape, forward.parts(), input, gradient);
        Self { shape, output, gradient, spread, forward, backward, taps }
    }

    /// What it is.
    #[must_use]
    pub const fn shape(&self) -> &Conv2dShape {
        &self.shape
    }

    /// Numbers of the packed weights, padded channels included.
    #[must_use]
    pub fn packed_weights(&self) -> usize {
        self.forward.weights()
    }

    /// Numbers of the weights packed for the input gradient; 0 if it was made without one.
    #[must_use]
    pub fn flipped_weights(&self) -> usize {
        self.backward.as_ref().map_or(0, Correlation::weights)
    }

    /// Numbers of the packed bias.
    #[must_use]
    pub fn packed_bias(&self) -> usize {
        self.output.padded_channels()
    }

    /// Numbers of scratch memory that [`input_gradient`](Self::input_gradient) needs; they have to be zero before the
    /// first call, and may be used again as they are. None where windows are a pixel apart: then no scratch is looked
    /// at.
    #[must_use]
    pub fn scratch(&self) -> usize {
        self.spread.map_or(0, |spread| spread.size())
    }

    /// `[O, C/groups, K, K′]` in row-major order to the packed weights: for every block of 16 outputs and every
    /// (channel, tap) that one of them sees, 16 numbers.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        assert_eq!((weight.len(), packed.len()), (self.shape.weights(), self.packed_weights()));
        packed.fill(0.0);
        self.each_weight(|plain, at| packed[at] = weight[plain]);
    }

    /// The packed weights, or their gradient, back to `[O, C/groups, K, K′]`.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn unpack(&self, packed: &[f32], weight: &mut [f32]) {
        assert_eq!((weight.len(), packed.len()), (self.shape.weights(), self.packed_weights()));
        self.each_weight(|plain, at| weight[plain] = packed[at]);
    }

    /// The packed weights once more, packed for the input gradient.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn flip(&self, packed: &[f32], flipped: &mut [f32]) {
        assert_eq!((packed.len(), flipped.len()), (self.packed_weights(), self.flipped_weights()));
        let taps = self.shape.kernel[0] * self.shape.kernel[1];
        let Some(backward) = &self.backward else { return };
        for part in self.forward.parts() {
            for (block, weights) in part.blocks.clone().zip(packed[part.weights_at..].chunks(part.block_weights())) {
                for lane in 0..LANES.min(self.shape.outputs - block * LANES) {
                    let output = block * LANES + lane;
                    for (index, &channel) in part.channels.iter().enumerate() {
                        let to = backward.weight_at(channel, output);
                        // Without an index, the two are in different groups, and the weight is zero.
                        let Some(to) = to else { continue };
                        for tap in 0..taps {
                            flipped[to + tap * LANES] = weights[(index * taps + tap) * LANES + lane];
                        }
                    }
                }
            }
        }
    }

    /// `y = b + w ∗ x` of one image; with `relu`, `max(0, y)`. The border of `output` stays as it is. `bias` has
    /// [`packed_bias`](Self::packed_bias) numbers, zeros past the last channel.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn forward(
        &self,
        isa: Isa,
        input: &[f32],
        packed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        output: &mut [f32],
    ) {
        self.forward.run(isa, input, packed, bias, relu, output, &self.output);
    }

    /// `∂L/∂x` of one image, into a blocked layout of the input's size with any border, from the gradient of the
    /// output. `scratch` has [`scratch`](Self::scratch) numbers.
    ///
    /// # Panics
    ///
    /// If it was made without an input gradient, or a slice has another length than it should.
    pub fn input_gradient(
        &self,
        isa: Isa,
        gradient: &[f32],
        flipped: &[f32],
        scratch: &mut [f32],
        input_gradient: &mut [f32],
        to: &Layout,
    ) {
        let backward = self.backward.as_ref().expect("made with an input gradient");
        let Some(spread) = self.spread else {
            return backward.run(isa, gradient, flipped, None, false, input_gradient, to);
        };
        assert_eq!((gradient.len(), scratch.len()), (self.gradient.size(), spread.size()));
        for block in 0..spread.blocks() {
            for row in 0..self.gradient.height {
                let from = self.gradient.block_start(block) + row * self.gradient.row_stride();
                let to = spread.block_start(block) + row * self.shape.stride[0] * spread.row_stride();
                let from = gradient[from..].chunks_exact(LANES).take(self.gradient.width);
                let to = scratch[to..].chunks_exact_mut(LANES).step_by(self.shape.stride[1]);
                to.zip(from).for_each(|(to, from)| to.copy_from_slice(from));
            }
        }
        backward.run(isa, scratch, flipped, None, false, input_gradient, to);
    }

    /// Adds `∂L/∂w` of one image, packed as the weights are, to `sum`.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn weight_gradient(&self, isa: Isa, input: &[f32], gradient: &[f32], sum: &mut [f32]) {
        self.taps.run(isa, input, gradient, sum);
    }

    /// Sets to zero what no weight belongs to, in a gradient that is complete: pairs of channels of different groups in
    /// a block that two groups share. `gradient` is packed as the weights are.
    ///
    /// # Panics
    ///
    /// If there are such pairs and the slice has another length than it should.
    pub fn clear_unused(&self, gradient: &mut [f32]) {
        if self.forward.parts().iter().all(|part| !part.mixed) {
            return;
        }
        let mut plain = vec![0.0; self.shape.weights()];
        self.unpack(gradient, &mut plain);
        self.pack(&plain, gradient);
    }

    /// Adds `∂L/∂b` of one image to `sum`, an entry a channel, [`packed_bias`](Self::packed_bias) in all.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn bias_gradient(&self, isa: Isa, gradient: &[f32], sum: &mut [f32]) {
        crate::sums::add_channel_sums(isa, &self.gradient, gradient, sum);
    }

    /// For every weight its index in row-major order and its index when packed.
    fn each_weight(&self, mut f: impl FnMut(usize, usize)) {
        let taps = self.shape.kernel[0] * self.shape.kernel[1];
        let partners = self.shape.channels / self.shape.groups;
        for output in 0..self.shape.outputs {
            let group = self.shape.partners(output, [self.shape.outputs, self.shape.channels]);
            for (index, channel) in group.enumerate() {
                let at = self.forward.weight_at(output, channel).expect("the two are in one group");
                for tap in 0..taps {
                    f((output * partners + index) * taps + tap, at + tap * LANES);
                }
            }
        }
    }
}

/// The parts of a correlation from `of` to `channels` channels: blocks of 16 that see the same channels are one part.
fn parts(shape: &Conv2dShape, [channels, of]: [usize; 2], taps: impl Fn(usize) -> Vec<usize>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut weights_at = 0;
    for block in 0..channels.div_ceil(LANES) {
        let last = (block * LANES + LANES).min(channels) - 1;
        let first_group = shape.partners(block * LANES, [channels, of]);
        let last_group = shape.partners(last, [channels, of]);
        let mixed = first_group != last_group;
        let seen: Vec<usize> = (first_group.start..last_group.end).collect();
        match parts.last_mut() {
            Some(part) if part.channels == seen && !mixed && !part.mixed => part.blocks.end += 1,
            _ => parts.push(Part {
                blocks: block..block + 1,
                offsets: seen.iter().flat_map(|&channel| taps(channel)).collect(),
                channels: seen,
                weights_at,
                mixed,
            }),
        }
        weights_at += parts.last().map_or(0, Part::block_weights);
    }
    parts
}

#[cfg(test)]
mod tests;
