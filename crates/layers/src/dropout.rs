use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::definition::{Definition, forwards_of_either_rank};
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_spec::{self as spec, TracedLayer};
use burn::optim::GradientsParams;

/// Inverted dropout: in training every element is set to 0 with probability `p`, and the others are divided by `1 − p`.
///
/// # Derivation
///
/// With independent `b_q`, 0 with probability `p` and 1 otherwise, and the mask `m_q = b_q / (1 − p)`,
///
/// ```text
/// y_q = m_q x_q            E[y_q] = x_q · (1 − p) / (1 − p) = x_q
/// ```
///
/// The expectation is that of inference, where `y = x`; hence the division. For a mask that has been drawn, the layer
/// is linear with a diagonal Jacobian: `∂L/∂x = m ⊙ g` with `g = ∂L/∂y`, and the mask must be that of the forward pass.
/// In inference `∂L/∂x = g`.
///
/// # Conventions
///
/// The mask is a function of the seed in [`Mode::Training`], of `p` and of the number of elements, and of nothing else:
/// the elements in row-major order take one 32-bit number each from the ChaCha8 stream of the seed, and those below `⌊p
/// · 2³²⌋` are dropped. Every backend, precision and thread count therefore drops the same elements. Where `p · 2³²` is
/// not whole, an element is dropped with a probability that is less than `p`, by less than 2⁻³²: at `p = 0.3` for
/// 1,288,490,188 of the 2³² numbers, while 1,288,490,189 are below `p · 2³²`. With `p = 1` everything is dropped and
/// nothing divided.
///
/// # Source
///
/// Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, *Dropout: a simple way to prevent neural networks from
/// overfitting*, JMLR 15, 2014, section 4; their `p` is the probability of *keeping*, our `1 − p`, and they scale the
/// weights at test time instead (section 10 has the inverted form).
#[derive(Module, Debug)]
pub struct Dropout {
    /// `p`, the probability that an element is dropped.
    pub probability: f64,
}

/// What [`Dropout::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct DropoutSaved<const D: usize> {
    /// `m`, in the shape of `x`; absent where nothing was dropped.
    pub mask: Option<Tensor<D>>,
}

impl Dropout {
    /// The layer with this probability of dropping an element.
    ///
    /// # Panics
    ///
    /// Panics if `probability` is not within `[0, 1]`.
    pub fn new(probability: f64) -> Self {
        assert!((0.0..=1.0).contains(&probability), "the probability must be within [0, 1], not {probability}");
        Self { probability }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> Tensor<D> {
        self.forward_saving(input, mode).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> (Tensor<D>, DropoutSaved<D>) {
        match mode {
            Mode::Training { dropout_seed } if self.probability > 0.0 => {
                let mask = self.mask(dropout_seed, input.dims(), &input.device(), input.dtype());
                (input * mask.clone(), DropoutSaved { mask: Some(mask) })
            }
            _ => (input, DropoutSaved { mask: None }),
        }
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: DropoutSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        match saved.mask {
            Some(mask) => output_gradient * mask,
            None => output_gradient,
        }
    }

    /// Writes the mask `m` of the elements from `first` on, in row-major order over the whole batch.
    pub fn write_mask(&self, seed: [u8; 32], first: usize, mask: &mut [f32]) {
        self.write_kept(seed, first, mask);
        let scale = self.scale() as f32;
        mask.iter_mut().for_each(|kept| *kept *= scale);
    }

    fn mask<const D: usize>(&self, seed: [u8; 32], shape: [usize; D], device: &Device, dtype: DType) -> Tensor<D> {
        let mut kept = vec![0.0; shape.iter().product()];
        self.write_kept(seed, 0, &mut kept);
        Tensor::from_data(TensorData::new(kept, shape), (device, dtype)) * self.scale()
    }

    /// `1 / (1 − p)`.
    fn scale(&self) -> f64 {
        if self.probability < 1.0 { 1.0 / (1.0 - self.probability) } else { 0.0 }
    }

    /// 1 for elements that are kept and 0 for the others, from element `first` on.
    fn write_kept(&self, seed: [u8; 32], first: usize, kept: &mut [f32]) {
        let mut random = ChaCha8Rng::from_seed(seed);
        random.set_word_pos(first as u128);
        let threshold = (self.probability * 2f64.powi(32)) as u64;
        // With p = 1 every word is below 2³². That case stays out of the loop, which then compares 32 bits.
        let Ok(threshold) = u32::try_from(threshold) else { return kept.fill(0.0) };
        let mut bytes = [0; 1024];
        for kept in kept.chunks_mut(bytes.len() / 4) {
            let bytes = &mut bytes[..4 * kept.len()];
            random.fill_bytes(bytes);
            for (kept, word) in kept.iter_mut().zip(bytes.as_chunks().0) {
                *kept = if u32::from_le_bytes(*word) < threshold { 0.0 } else { 1.0 };
            }
        }
    }
}

impl Definition for Dropout {
    type Spec = spec::DropoutSpec;
    type Saved = Ranked<DropoutSaved<4>, DropoutSaved<2>>;

    fn build(spec: &Self::Spec, _traced: &TracedLayer, _initial: Initial<'_>) -> Self {
        Self::new(spec.probability)
    }

    forwards_of_either_rank! { mode }

    fn backward(&self, saved: Self::Saved, gradient: Features, _gradients: &mut GradientsParams) -> Features {
        match saved {
            Ranked::Images(saved) => Ranked::Images(self.backward(saved, gradient.images())),
            Ranked::Vectors(saved) => Ranked::Vectors(self.backward(saved, gradient.vectors())),
        }
    }

    fn operation(_spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        Some(Operation::Dropout)
    }

    #[cfg(feature = "flex")]
    fn join_segment(&self, mode: Mode, parameters: &mut backproof_compiled::SegmentParameters) -> bool {
        let Mode::Training { dropout_seed } = mode else { return false };
        parameters.mask = Some(self.in_segment(dropout_seed));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    /// PyTorch draws another mask; given its mask, both passes are those of the derivation.
    #[test]
    fn agrees_with_pytorch_given_its_mask() {
        for case in Fixture::load("dropout").cases() {
            match case.rank("input") {
                2 => check::<2>(&case),
                4 => check::<4>(&case),
                rank => panic!("{}: rank {rank}", case.name),
            }
        }

        fn check<const D: usize>(case: &Case<'_>) {
            let layer = Dropout::new(case.number("probability"));
            let mask = case.tensor::<D>("mask") / (1.0 - layer.probability);
            case.assert("output", case.tensor::<D>("input") * mask.clone());
            case.assert("input_gradient", layer.backward(DropoutSaved { mask: Some(mask) }, case.tensor("cotangent")));
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, dropout_seed: [u8; 32], shape in [1..4usize, 1..4usize, 1..6usize], probability in 0.0..=1.0f64) {
            let layer = Dropout::new(probability);
            let mode = Mode::Training { dropout_seed };
            let input = random::<3>(seed, shape);
            let cotangent = random::<3>(seed ^ 1, shape);
            let (output, saved) = layer.forward_saving(input.clone(), mode);
            let gradient = layer.backward(saved, cotangent.clone());
            let (expected_output, expected, _) = differentiate(input, cotangent, |input| layer.forward(input, mode));
            assert_close("output", output, expected_output, AUTODIFF);
            assert_close("input", gradient, expected, AUTODIFF);
        }
    }

    fn ones(elements: usize) -> Tensor<1> {
        from_values(vec![1.0; elements], [elements])
    }

    #[test]
    fn the_mask_is_a_function_of_the_seed() {
        let layer = Dropout::new(0.5);
        let drop = |seed: u8| values(layer.forward(ones(64), Mode::Training { dropout_seed: [seed; 32] }));
        assert_eq!(drop(1), drop(1));
        assert_ne!(drop(1), drop(2));
    }

    /// These are the first numbers of the stream for an all-zero seed (draft-strombergson-chacha-test-vectors, TC1, 8
    /// rounds: 3e00ef2f, 895f40d6, …) as little-endian words, so that no change of a library can change a mask unseen.
    #[test]
    fn the_mask_is_the_documented_one() {
        let words = [0x2fef003eu32, 0xd6405f89, 0xe8b85b7f, 0xa1a5091f];
        let mode = Mode::Training { dropout_seed: [0; 32] };
        let dropped = values(Dropout::new(0.8).forward(ones(4), mode));
        let expected = words.map(|word| if f64::from(word) < 0.8 * 2f64.powi(32) { 0.0 } else { 1.0 / (1.0 - 0.8) });
        assert_eq!(dropped, expected);
    }

    /// With p = 0x2fef003e / 2³², the first element has the number p · 2³² itself, and the others have more.
    #[test]
    fn an_element_is_dropped_below_p_and_not_at_p() {
        let layer = Dropout::new(f64::from(0x2fef_003eu32) / 2f64.powi(32));
        let mut kept = [0.5; 4];
        layer.write_kept([0; 32], 0, &mut kept);
        assert_eq!(kept, [1.0; 4]);
        let mut kept = [0.5; 4];
        Dropout::new(layer.probability + 2f64.powi(-32)).write_kept([0; 32], 0, &mut kept);
        assert_eq!(kept, [0.0, 1.0, 1.0, 1.0]);
    }

    /// The CPU kernels ask for it image by image.
    #[test]
    fn a_part_of_the_mask_is_that_part_of_the_whole() {
        let layer = Dropout::new(0.3);
        let seed = [5; 32];
        let whole = values(layer.forward(ones(100), Mode::Training { dropout_seed: seed }));
        for part in [0..100, 7..40, 64..65, 99..100] {
            let mut mask = vec![0.5; part.len()];
            layer.write_mask(seed, part.start, &mut mask);
            let expected: Vec<f32> = whole[part.clone()].iter().map(|&scale| scale as f32).collect();
            assert_eq!(mask, expected, "{part:?}");
        }
    }

    #[test]
    fn the_mask_is_the_same_in_f32() {
        let layer = Dropout::new(0.3);
        let double = layer.forward(ones(100), TRAINING);
        let single = layer.forward(ones(100).cast(DType::F32), TRAINING);
        assert_eq!(single.dtype(), DType::F32);
        let zeros = |values: Vec<f64>| values.iter().map(|&value| value == 0.0).collect::<Vec<_>>();
        assert_eq!(zeros(values(single.cast(DType::F64))), zeros(values(double)));
    }

    #[test]
    fn the_expectation_is_kept() {
        let elements = 100_000;
        for probability in [0.1, 0.5, 0.9] {
            let output = values(Dropout::new(probability).forward(ones(elements), TRAINING));
            let mean = output.iter().sum::<f64>() / elements as f64;
            // An element has the variance p / (1 − p); five standard deviations of the mean.
            let tolerance = 5.0 * (probability / (1.0 - probability) / elements as f64).sqrt();
            assert!((mean - 1.0).abs() < tolerance, "{probability}: {mean}");
        }
    }

    #[test]
    fn the_ends_of_the_range_keep_and_drop_everything() {
        assert_eq!(values(Dropout::new(0.0).forward(ones(9), TRAINING)), [1.0; 9]);
        assert_eq!(values(Dropout::new(1.0).forward(ones(9), TRAINING)), [0.0; 9]);
    }

    #[test]
    fn inference_is_the_identity() {
        let layer = Dropout::new(0.5);
        let (output, saved) = layer.forward_saving(ones(9), Mode::Inference);
        assert_eq!(values(output), [1.0; 9]);
        assert_eq!(values(layer.backward(saved, ones(9))), [1.0; 9]);
    }

    #[test]
    fn the_mask_of_another_step_is_noticed() {
        let layer = Dropout::new(0.5);
        let gradient = |seed: u8| {
            let (_, saved) = layer.forward_saving(ones(32), Mode::Training { dropout_seed: [seed; 32] });
            layer.backward(saved, random(1, [32]))
        };
        assert!(difference(gradient(2), gradient(1), AUTODIFF).is_some());
    }
}
