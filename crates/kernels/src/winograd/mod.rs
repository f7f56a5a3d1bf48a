//! Convolution with fewer multiplications: Winograd's minimal filtering, for kernels of 3×3 and 5×5.
//!
//! An image is cut into tiles of 6×6 inputs, which overlap, for 4×4 outputs of a 3×3 kernel or 2×2 of a 5×5. Each tile
//! is transformed, and so is each kernel; between the transforms, a convolution is 36 products of matrices, [tiles × C]
//! times [C × O], one for each element of a tile: 36 multiplications for 144 (3×3) or 100 (5×5) of the definition.
//!
//! The results are those of the definition but for rounding. Its error is a few times larger, at most 10⁻⁵ of the
//! largest value, and `compare-gradients` holds tiles to the same tolerance as everything else.
//!
//! [`Winograd::pays`] says where tiles save a quarter of the arithmetic. Elsewhere `DirectConv2d` computes the
//! definition, which is also what the tests compare tiles with.
//!
//! A shard of a batch adds up the gradients of the transformed weights over its images, and transforms the sum back
//! once.

mod pass;
mod product;
mod tiles;
mod transforms;

use crate::conv2d::Conv2dShape;
use crate::isa::Isa;
use crate::layout::Layout;
use crate::vector::LANES;
use pass::{Pass, Step};
use product::{Forward, WeightGradient};
use tiles::{OfGradient, OfInput, OfWeights, Piece, ToOutput, ToWeights};
use transforms::{ELEMENTS, SIZE};

/// The most numbers of a layer's transformed weights that stay in the cache of a core.
const MOST_WEIGHTS: usize = 1 << 18;

/// A convolution by tiles, with its layouts.
#[derive(Debug, Clone)]
pub struct Winograd {
    shape: Conv2dShape,
    output: Layout,
    gradient: Layout,
    forward: Pass,
    backward: Option<Pass>,
}

impl Winograd {
    /// Whether a convolution is faster by tiles: both kernels and channels are of the right sizes, and the arithmetic
    /// is less by a quarter at least.
    #[must_use]
    pub fn pays(shape: &Conv2dShape) -> bool {
        let plain = shape.stride == [1, 1] && shape.dilation == [1, 1] && shape.groups == 1;
        let taps = shape.kernel[0];
        let square = shape.kernel == [3, 3] || shape.kernel == [5, 5];
        if !plain || !square || shape.padding.iter().any(|&padding| padding >= taps) {
            return false;
        }
        let [height, width] = shape.output();
        let m = SIZE + 1 - taps;
        let tiles = height.div_ceil(m) * width.div_ceil(m);
        let [inputs, outputs] = [shape.channels, shape.outputs].map(|channels| channels.next_multiple_of(LANES));
        // Additions of the transforms of a tile, for each channel: about 200 and 100.
        let by_tiles = tiles * (ELEMENTS * inputs * outputs + 200 * inputs + 100 * outputs);
        let by_taps = height * width * taps * taps * shape.channels * outputs;
        shape.channels >= LANES && 4 * by_tiles <= 3 * by_taps
    }

    /// Whether a convolution [pays](Self::pays) by tiles, and its calls are to take many images at once, because its
    /// transformed weights do not stay in the cache of a core.
    #[must_use]
    pub fn together(shape: &Conv2dShape) -> bool {
        let [inputs, outputs] = [shape.channels, shape.outputs].map(|channels| channels.next_multiple_of(LANES));
        ELEMENTS * inputs * outputs > MOST_WEIGHTS && Self::pays(shape)
    }

    /// The convolution `shape` as [`DirectConv2d::new`](crate::DirectConv2d::new) makes it, on a blocked input.
    ///
    /// # Panics
    ///
    /// If it is not one that [`pays`](Self::pays), or a layout has another size than the shape or a smaller border than
    /// it needs.
    #[must_use]
    pub fn new(shape: Conv2dShape, input: Layout, output: Layout, gradient: Layout, input_gradient: bool) -> Self {
        assert!(Self::pays(&shape), "{shape:?} does not pay");
        let [rows, columns] = shape.output();
        let to = [shape.outputs, rows, columns];
        assert_eq!(input.shape(), [shape.channels, shape.input[0], shape.input[1]], "the input");
        for layout in [output, gradient] {
            assert_eq!((layout.shape(), layout.channels_per_block), (to, LANES), "the output");
        }
        let m = SIZE + 1 - shape.kernel[0];
        let turned_padding = shape.padding.map(|padding| shape.kernel[0] - 1 - padding);
        let together = Self::together(&shape);
        Self {
            shape,
            output,
            gradient,
            forward: Pass::new(input, shape.padding, to, m, together),
            backward: input_gradient.then(|| Pass::new(gradient, turned_padding, input.shape(), m, together)),
        }
    }

    /// Numbers of the transformed weights, and of the sum of their gradients.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.forward.weights()
    }

    /// Numbers of the transformed weights for the input gradient; 0 if it was made without one.
    #[must_use]
    pub fn flipped_weights(&self) -> usize {
        self.backward.as_ref().map_or(0, Pass::weights)
    }

    /// Numbers that a call needs as scratch memory, whatever is in it.
    #[must_use]
    pub fn workspace(&self) -> usize {
        let backward = self.backward.as_ref().map_or(0, Pass::workspace);
        self.forward.workspace().max(backward)
    }

    /// The weights as [`DirectConv2d::pack`](crate::DirectConv2d::pack) packs them, transformed. What is in
    /// `transformed` of channels past the last stays as it is, and has to be zero.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn transform(&self, isa: Isa, packed: &[f32], transformed: &mut [f32]) {
        self.transform_for(&self.forward, self.shape.channels, isa, packed, false, transformed);
    }

    /// The weights as [`DirectConv2d::flip`](crate::DirectConv2d::flip) flips them, transformed for the input gradient.
    ///
    /// # Panics
    ///
    /// As [`transform`](Self::transform), and if it was made without an input gradient.
    pub fn transform_flipped(&self, isa: Isa, flipped: &[f32], transformed: &mut [f32]) {
        let backward = self.backward.as_ref().expect("made with an input gradient");
        self.transform_for(backward, self.shape.outputs, isa, flipped, true, transformed);
    }

    fn transform_for(
        &self,
        pass: &Pass,
        channels: usize,
        isa: Isa,
        weights: &[f32],
        reversed: bool,
        transformed: &mut [f32],
    ) {
        let [from, blocks] = pass.blocks;
        assert_eq!(weights.len(), blocks * channels * self.taps() * LANES, "the weights");
        assert_eq!(transformed.len(), pass.weights(), "the transformed weights");
        let (blocked, padded) = ([blocks, channels], from * LANES);
        match self.shape.kernel[0] {
            3 => isa.run(OfWeights::<3> { weights, reversed, blocked, padded, transformed }),
            _ => isa.run(OfWeights::<5> { weights, reversed, blocked, padded, transformed }),
        }
    }

    fn taps(&self) -> usize {
        self.shape.kernel[0] * self.shape.kernel[1]
    }

    /// [`DirectConv2d::forward`](crate::DirectConv2d::forward) with `transformed` weights, of as many images as there are
    /// one after the other in `input` and in `output`.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    #[allow(clippy::too_many_arguments)] // operands and results of one loop
    pub fn forward(
        &self,
        isa: Isa,
        input: &[f32],
        transformed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        workspace: &mut [f32],
        output: &mut [f32],
    ) {
        self.correlate(&self.forward, isa, input, transformed, bias, relu, workspace, output, &self.output);
    }

    /// [`DirectConv2d::input_gradient`](crate::DirectConv2d::input_gradient) with weights of
    /// [`transform_flipped`](Self::transform_flipped), of as many images as there are one after the other in `gradient`
    /// and in `input_gradient`.
    ///
    /// # Panics
    ///
    /// If it was made without an input gradient, or a slice has another length than it should.
    pub fn input_gradient(
        &self,
        isa: Isa,
        gradient: &[f32],
        transformed: &[f32],
        workspace: &mut [f32],
        input_gradient: &mut [f32],
        to: &Layout,
    ) {
        let backward = self.backward.as_ref().expect("made with an input gradient");
        let input = self.forward.from;
        assert_eq!((to.shape(), to.channels_per_block), (input.shape(), LANES), "the input gradient");
        self.correlate(backward, isa, gradient, transformed, None, false, workspace, input_gradient, to);
    }

    #[allow(clippy::too_many_arguments)] // operands and results of one loop
    fn correlate(
        &self,
        pass: &Pass,
        isa: Isa,
        input: &[f32],
        transformed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        workspace: &mut [f32],
        output: &mut [f32],
        to: &Layout,
    ) {
        let images = images(&pass.from, input);
        assert_eq!((images, output.len()), (output.len() / to.size(), images * to.size()), "the output");
        assert_eq!((to.blocks(), to.channels_per_block), (pass.blocks[1], LANES), "the output's layout");
        assert_eq!(workspace.len(), self.workspace(), "the scratch memory");
        if let Some(bias) = bias {
            assert_eq!(bias.len(), to.padded_channels(), "the bias");
        }
        for step in pass.steps(images) {
            let sizes = pass.sizes(step.len());
            let (inputs, rest) = workspace.split_at_mut(sizes.inputs());
            let outputs = &mut rest[..sizes.outputs()];
            self.transform_input(pass, isa, &step, input, inputs);
            isa.run(Forward { sizes, inputs, weights: transformed, outputs });
            let products = &*outputs;
            for (image, tiles, place) in step.pieces() {
                let piece = Piece { tiles, place, of: step.len() };
                let output = &mut output[image * to.size()..][..to.size()];
                match self.shape.kernel[0] {
                    3 => isa.run(ToOutput::<4> { pass, piece, products, bias, relu, output, to }),
                    _ => isa.run(ToOutput::<2> { pass, piece, products, bias, relu, output, to }),
                }
            }
        }
    }

    fn transform_input(&self, pass: &Pass, isa: Isa, step: &Step, input: &[f32], to: &mut [f32]) {
        assert_eq!(to.len(), pass.sizes(step.len()).inputs());
        for (image, tiles, place) in step.pieces() {
            let piece = Piece { tiles, place, of: step.len() };
            let input = &input[image * pass.from.size()..][..pass.from.size()];
            isa.run(OfInput { pass, piece, step: SIZE + 1 - self.shape.kernel[0], input, to });
        }
    }

    /// Adds `∂L/∂w` of as many images as there are one after the other in `input` and in `gradient`, transformed, to
    /// `sum`, from which [`add_weight_gradient`](Self::add_weight_gradient) takes it back.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn weight_gradient(&self, isa: Isa, input: &[f32], gradient: &[f32], workspace: &mut [f32], sum: &mut [f32]) {
        let (pass, from) = (&self.forward, &self.gradient);
        let count = images(&pass.from, input);
        assert_eq!(count, images(from, gradient), "images of input and gradient");
        assert_eq!(workspace.len(), self.workspace(), "the scratch memory");
        for step in pass.steps(count) {
            let sizes = pass.sizes(step.len());
            let (inputs, rest) = workspace.split_at_mut(sizes.inputs());
            let to = &mut rest[..sizes.outputs()];
            self.transform_input(pass, isa, &step, input, inputs);
            for (image, tiles, place) in step.pieces() {
                let piece = Piece { tiles, place, of: step.len() };
                let (gradient, to) = (&gradient[image * from.size()..][..from.size()], &mut *to);
                match self.shape.kernel[0] {
                    3 => isa.run(OfGradient::<4> { pass, piece, from, gradient, to }),
                    _ => isa.run(OfGradient::<2> { pass, piece, from, gradient, to }),
                }
            }
            isa.run(WeightGradient { sizes, inputs, gradients: to, sum });
        }
    }

    /// Adds to `packed`, packed as the weights are, the gradient whose transformed sum is `sum`.
    ///
    /// # Panics
    ///
    /// If a slice has another length than it should.
    pub fn add_weight_gradient(&self, isa: Isa, sum: &[f32], packed: &mut [f32]) {
        let pass = &self.forward;
        let ([from, blocks], channels) = (pass.blocks, self.shape.channels);
        assert_eq!(packed.len(), blocks * channels * self.taps() * LANES, "the weights");
        assert_eq!(sum.len(), self.weights(), "the transformed sum");
        let (blocked, padded) = ([blocks, channels], from * LANES);
        match self.shape.kernel[0] {
            3 => isa.run(ToWeights::<3> { sum, blocked, padded, packed }),
            _ => isa.run(ToWeights::<5> { sum, blocked, padded, packed }),
        }
    }
}

/// How many images of this layout there are in `numbers`.
fn images(layout: &Layout, numbers: &[f32]) -> usize {
    let images = numbers.len() / layout.size();
    assert!(images > 0 && numbers.len() == images * layout.size(), "{} numbers of {layout:?}", numbers.len());
    images
}

#[cfg(test)]
mod tests;
