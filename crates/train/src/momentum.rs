//! Momentum with decoupled weight decay, as a Burn optimizer.

use backproof_kernels::{Isa, OptimizerStep};
use backproof_spec::Update;
use burn::Tensor;
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{DType, Device, TensorData};
use rayon::prelude::*;

use crate::optimizer::momentum_step;

/// Momentum with decoupled weight decay. With gradient g, momentum μ, weight decay λ and learning rate α:
///
/// ```text
/// m ← μ m + (1 − μ) g        m₀ = 0
/// w ← w − α (m + λ w)
/// ```
///
/// m is updated first, and w with the new m. With [`Update::BeforeMomentum`] the two lines change places, and w moves
/// with the m of the step before: one of the published solutions of the course does this. m is the same either way, up
/// to the gradients that the other weights give. The decay does not enter m ("decoupled", Loshchilov and Hutter 2019,
/// arXiv:1711.05101). It applies to every trainable parameter, biases included.
///
/// Burn's own `Momentum` (0.22) differs: its first step takes m = g, and its dampening is a number of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Momentum {
    momentum: f64,
    weight_decay: f64,
    update: Update,
    /// The instructions that a step uses in place of Burn's operations.
    kernels: Option<Isa>,
}

/// The field of [`MomentumState`] in a record.
pub(crate) const FIELD: &str = "momentum";

/// Numbers that a thread takes at least.
const LEAST: usize = 1 << 16;

/// What [`Momentum`] keeps of one parameter between two steps.
#[derive(Clone)]
pub struct MomentumState<const D: usize> {
    momentum: Tensor<D>,
}

/// By hand, because Burn's derive (0.22.1) names its traits by `crate::` and so works in Burn alone, and because a
/// tensor comes back in the precision in which it was saved, not in the device's default.
impl<const D: usize> RecordState for MomentumState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, FIELD, self.momentum.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let data = source.take_tensor(prefix, FIELD)?;
        let dtype = data.dtype();
        Some(Self { momentum: Tensor::from_data(data, (device, dtype)) })
    }
}

impl Momentum {
    /// μ in [0, 1) and λ ≥ 0.
    #[must_use]
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self { momentum, weight_decay, update: Update::AfterMomentum, kernels: None }
    }

    /// With the two lines in this order.
    #[must_use]
    pub fn with_update(self, update: Update) -> Self {
        Self { update, ..self }
    }

    /// On the CPU kernels: one pass over memory in place of six operations. For tensors in single precision in the
    /// CPU's memory. The step takes the numbers out of Burn's tensors and puts them back.
    #[must_use]
    pub fn on_kernels(self, isa: Isa) -> Self {
        Self { kernels: Some(isa), ..self }
    }

    fn step_on_kernels<const D: usize>(
        &self,
        isa: Isa,
        learning_rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<MomentumState<D>>,
    ) -> (Tensor<D>, MomentumState<D>) {
        const SINGLE: &str = "tensors in single precision";
        let device = weight.device();
        let mut momentum =
            state.map_or_else(|| TensorData::zeros::<f32, _>(weight.dims()), |state| state.momentum.into_data());
        let (mut weight, gradient) = (weight.into_data(), gradient.into_data());
        let step = momentum_step(learning_rate, self.momentum, self.weight_decay, self.update);
        let gradients = gradient.as_slice::<f32>().expect(SINGLE).par_chunks(LEAST);
        let momenta = momentum.as_mut_slice::<f32>().expect(SINGLE).par_chunks_mut(LEAST);
        let weights = weight.as_mut_slice::<f32>().expect(SINGLE).par_chunks_mut(LEAST);
        gradients.zip(momenta).zip(weights).for_each(|((g, m), w)| step.apply(isa, g, &mut [m], w));
        let [weight, momentum] = [weight, momentum].map(|data| Tensor::from_data(data, (&device, DType::F32)));
        (weight, MomentumState { momentum })
    }
}

impl Optimizer for Momentum {
    type State<const D: usize> = MomentumState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if let Some(isa) = self.kernels {
            let (weight, state) = self.step_on_kernels(isa, learning_rate, weight, gradient, state);
            return (weight, Some(state));
        }
        let fresh = gradient.mul_scalar(1.0 - self.momentum);
        let old = state.map(|state| state.momentum);
        let momentum = match &old {
            Some(old) => old.clone().mul_scalar(self.momentum) + fresh,
            None => fresh,
        };
        let kept = weight.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let by = match self.update {
            Update::AfterMomentum => Some(momentum.clone()),
            Update::BeforeMomentum => old,
        };
        let weight = match by {
            Some(by) => kept - by.mul_scalar(learning_rate),
            None => kept, // m₀ = 0
        };
        (weight, Some(MomentumState { momentum }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        MomentumState { momentum: state.momentum.to_device(device) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, TensorData};

    /// Three steps of μ = 0.9, λ = 0.01, α = 0.1 from w = 1 on the gradients 1, −2, 0.5, worked out by hand:
    ///
    /// ```text
    /// m₁ = 0.1 · 1                =  0.1       w₁ = 1        − 0.1 (0.1    + 0.01 · 1)        = 0.989
    /// m₂ = 0.9 · 0.1  + 0.1 · −2  = −0.11      w₂ = 0.989    − 0.1 (−0.11  + 0.01 · 0.989)    = 0.999011
    /// m₃ = 0.9 · −0.11 + 0.1 · 0.5 = −0.049    w₃ = 0.999011 − 0.1 (−0.049 + 0.01 · 0.999011) = 1.002911989
    /// ```
    ///
    /// With the momentum of the step before, m₀ = 0 first:
    ///
    /// ```text
    /// w₁ = 1        − 0.1 (0     + 0.01 · 1)        = 0.999
    /// w₂ = 0.999    − 0.1 (0.1   + 0.01 · 0.999)    = 0.988001
    /// w₃ = 0.988001 − 0.1 (−0.11 + 0.01 · 0.988001) = 0.998012999
    /// ```
    const GRADIENTS: [f64; 3] = [1.0, -2.0, 0.5];
    const WEIGHTS: [f64; 3] = [0.989, 0.999_011, 1.002_911_989];
    const WEIGHTS_OF_THE_STEP_BEFORE: [f64; 3] = [0.999, 0.988_001, 0.998_012_999];

    fn scalar(value: f64) -> Tensor<1> {
        Tensor::from_data(TensorData::from([value]), (&Device::flex(), DType::F64))
    }

    fn value(tensor: &Tensor<1>) -> f64 {
        tensor.to_data().try_to_vec::<f64>().unwrap()[0]
    }

    #[test]
    fn three_steps_give_the_values_worked_out_by_hand() {
        for (update, expected) in
            [(Update::AfterMomentum, WEIGHTS), (Update::BeforeMomentum, WEIGHTS_OF_THE_STEP_BEFORE)]
        {
            let optimizer = Momentum::new(0.9, 0.01).with_update(update);
            let (mut weight, mut state) = (scalar(1.0), None);
            for (gradient, expected) in GRADIENTS.into_iter().zip(expected) {
                (weight, state) = optimizer.step(0.1, weight, scalar(gradient), state);
                let weight = value(&weight);
                assert!((weight - expected).abs() < 1e-15, "{}: {weight} is not {expected}", update.name());
            }
            assert!((value(&state.unwrap().momentum) + 0.049).abs() < 1e-15);
        }
    }

    /// Of more numbers than a thread takes.
    #[test]
    fn the_kernels_make_the_same_steps() {
        let numbers = |seed: usize| {
            let values: Vec<f32> =
                (0..LEAST + 37).map(|at| ((at * 31 + seed * 17) % 101) as f32 / 50.0 - 1.0).collect();
            Tensor::<1>::from_data(TensorData::from(&values[..]), (&Device::flex(), DType::F32))
        };
        let orders = Update::ALL.map(|update| Momentum::new(0.9, 0.01).with_update(update));
        for (plain, isa) in orders.iter().flat_map(|plain| Isa::available().into_iter().map(move |isa| (plain, isa))) {
            let ours = plain.clone().on_kernels(isa);
            let (mut expected, mut found) = ((numbers(1), None), (numbers(1), None));
            for seed in 2..5 {
                expected = plain.step(0.1, expected.0, numbers(seed), expected.1);
                found = ours.step(0.1, found.0, numbers(seed), found.1);
                let momenta = [&expected.1, &found.1].map(|state| state.as_ref().unwrap().momentum.clone());
                for [expected, found] in [[expected.0.clone(), found.0.clone()], momenta] {
                    let apart = (expected - found).abs().max().into_scalar::<f32>();
                    assert!(apart < 1e-6, "{isa}: {apart}");
                }
            }
        }
    }

    #[test]
    fn weight_decay_does_not_enter_the_momentum() {
        let (_, state) = Momentum::new(0.9, 0.5).step(0.1, scalar(4.0), scalar(0.0), None);
        assert_eq!(value(&state.unwrap().momentum), 0.0);
    }
}
