//! Initial values, drawn on the host so that every backend starts from the same numbers.

use backproof_spec::{Initialization, InitializationKind, stream_seed};
use burn::Tensor;
use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What the initial parameters of a layer are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Initial<'d> {
    /// The experiment's seed.
    pub seed: u64,
    /// The index of the layer, which names its random stream.
    pub layer: usize,
    /// Where the parameters lie.
    pub device: &'d Device,
}

/// What the variance of the weights is a function of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fans {
    /// Inputs of an output.
    pub(crate) inputs: usize,
    /// Outputs of an input. At the border of an image, and with a stride, some inputs have fewer.
    pub(crate) outputs: usize,
}

impl Initial<'_> {
    /// The first weights. Without a word of the layer, they are He's, which keep the variance of activations through
    /// ReLU layers (He et al. 2015, arXiv:1502.01852, equation 10).
    pub(crate) fn weights<const D: usize>(
        self,
        shape: [usize; D],
        fans: Fans,
        initialization: Option<Initialization>,
    ) -> Tensor<D> {
        let values = self.draw(shape.iter().product(), fans, initialization.unwrap_or_default());
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// The first kernels of a convolution, `[C_out, C_in / groups, height, width]`; as [`weights`](Self::weights), but
    /// for those of `dirac`, which are set.
    pub(crate) fn kernels(
        self,
        shape: [usize; 4],
        groups: usize,
        fans: Fans,
        initialization: Option<Initialization>,
    ) -> Tensor<4> {
        let initialization = initialization.unwrap_or_default();
        let mut values = self.draw(shape.iter().product(), fans, initialization);
        if initialization.kind == InitializationKind::Dirac {
            set_identity(&mut values, shape, groups);
        }
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// Zeros, for an offset.
    pub(crate) fn zeros(self, features: usize) -> Tensor<1> {
        Tensor::zeros([features], self.device)
    }

    /// The first biases: zeros, or uniform within ±1/√`fan_in` as PyTorch has them.
    pub(crate) fn biases(self, features: usize, fans: Fans, initialization: Option<Initialization>) -> Tensor<1> {
        let Initialization { kind, fan_in, .. } = initialization.unwrap_or_default();
        if !kind.draws_biases() {
            return self.zeros(features);
        }
        let bound = 1.0 / (fan_in.unwrap_or(fans.inputs) as f64).sqrt();
        let mut rng = self.stream("bias initialization");
        let values: Vec<f32> = (0..features).map(|_| (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32).collect();
        Tensor::from_data(TensorData::new(values, [features]), self.device)
    }

    fn stream(self, name: &str) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(stream_seed(self.seed, name, self.layer as u64, 0))
    }

    fn draw(self, count: usize, fans: Fans, initialization: Initialization) -> Vec<f32> {
        let Initialization { kind, gain, fan_in, unit_deviation, .. } = initialization;
        let inputs = fan_in.unwrap_or(fans.inputs) as f64;
        let variance = match kind {
            InitializationKind::HeNormal | InitializationKind::HeUniform => 2.0 / inputs,
            InitializationKind::GlorotNormal | InitializationKind::GlorotUniform => {
                2.0 / (inputs + fans.outputs as f64)
            }
            // PyTorch writes it as He's uniform distribution for a leaky ReLU of slope √5: the bound is 1/√inputs.
            InitializationKind::PytorchDefault | InitializationKind::Dirac | InitializationKind::Whitening => {
                1.0 / (3.0 * inputs)
            }
        };
        let mut rng = self.stream("initialization");
        let mut draw: Box<dyn FnMut() -> f64> = match kind {
            InitializationKind::HeNormal | InitializationKind::GlorotNormal => {
                let deviation = variance.sqrt() * gain;
                Box::new(move || {
                    let normal: f64 = StandardNormal.sample(&mut rng);
                    deviation * normal
                })
            }
            _ => {
                let bound = (3.0 * variance).sqrt() * gain;
                Box::new(move || bound * (2.0 * rng.random::<f64>() - 1.0))
            }
        };
        if !unit_deviation {
            return (0..count).map(|_| draw() as f32).collect();
        }
        let values: Vec<f64> = (0..count).map(|_| draw()).collect();
        let factor = gain / deviation(&values);
        values.into_iter().map(|value| (factor * value) as f32).collect()
    }
}

/// The standard deviation of at least two numbers, with n − 1.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

/// Sets the first kernels of each group to those that give their channel on as it is.
fn set_identity(kernels: &mut [f32], [out_channels, channels, height, width]: [usize; 4], groups: usize) {
    let (of_group, window) = (out_channels / groups, height * width);
    let middle = height / 2 * width + width / 2;
    for (number, kernel) in kernels.chunks_exact_mut(channels * window).enumerate() {
        let channel = number % of_group;
        if channel < channels {
            kernel.fill(0.0);
            kernel[channel * window + middle] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_is_two_over_fan_in_and_the_seed_decides_the_values() {
        let device = Device::flex();
        let draw = |seed, layer| {
            let initial = Initial { seed, layer, device: &device };
            let fans = Fans { inputs: 50, outputs: 10 };
            initial.weights([100, 100], fans, None).into_data().try_to_vec::<f32>().unwrap()
        };
        let values = draw(1, 0);
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e4;
        // The relative deviation of a sample variance of 10,000 normals is √(2/10,000) = 0.014.
        assert!((variance / 0.04 - 1.0).abs() < 0.07, "variance {variance}");
        assert_eq!(values, draw(1, 0));
        assert_ne!(values, draw(2, 0));
        assert_ne!(values, draw(1, 1));
    }
    #[test]
    fn each_kind_has_its_variance_and_a_uniform_one_its_bounds() {
        let device = Device::flex();
        for (kind, variance) in InitializationKind::ALL[..4].iter().copied().zip([0.04, 0.04, 1.0 / 30.0, 1.0 / 30.0]) {
            for (gain, fan_in) in [(1.0, None), (0.1, None), (1.0, Some(75))] {
                let fans = Fans { inputs: 50, outputs: 10 };
                let initialization = Initialization { kind, gain, fan_in, ..Initialization::default() };
                let initial = Initial { seed: 1, layer: 0, device: &device };
                let weights = initial.weights([100, 100], fans, Some(initialization));
                let values = weights.into_data().try_to_vec::<f32>().unwrap();
                let with_fan = if variance == 0.04 { 2.0 / 75.0 } else { 2.0 / 85.0 };
                let expected = gain * gain * if fan_in.is_some() { with_fan } else { variance };
                let found = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e4;
                assert!((found / expected - 1.0).abs() < 0.07, "{initialization:?}: {found}, not {expected}");
                let largest = values.iter().fold(0.0f32, |most, v| most.max(v.abs()));
                let bound = (3.0 * expected).sqrt() as f32;
                let uniform = matches!(kind, InitializationKind::HeUniform | InitializationKind::GlorotUniform);
                assert_eq!(largest < 1.0001 * bound, uniform, "{initialization:?}: {largest}, {bound}");
                assert!(!uniform || largest > 0.99 * bound);
            }
        }
    }

    const FANS: Fans = Fans { inputs: 50, outputs: 10 };

    fn of(kind: InitializationKind) -> Initialization {
        Initialization { kind, ..Initialization::default() }
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    /// `torch.nn.Conv2d` and `Linear` fill weight and bias with `uniform_(-1 / sqrt(fan_in), 1 / sqrt(fan_in))`.
    #[test]
    fn pytorchs_default_is_uniform_within_one_over_the_root_of_fan_in_biases_too() {
        let device = Device::flex();
        let initial = Initial { seed: 1, layer: 0, device: &device };
        for (fan_in, bound) in [(None, 1.0 / 50f64.sqrt()), (Some(8), 1.0 / 8f64.sqrt())] {
            for gain in [1.0, 0.5] {
                let initialization = Some(Initialization { fan_in, gain, ..of(InitializationKind::PytorchDefault) });
                let weights = values(initial.weights([100, 100], FANS, initialization));
                let biases = values(initial.biases(10_000, FANS, initialization));
                // The gain is of the weights alone.
                for (values, bound) in [(&weights, gain * bound), (&biases, bound)] {
                    let largest = values.iter().fold(0.0f64, |most, &v| most.max(f64::from(v).abs()));
                    assert!((0.999 * bound..=1.000_001 * bound).contains(&largest), "{largest}, not {bound}");
                    let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e4;
                    assert!((variance / (bound * bound / 3.0) - 1.0).abs() < 0.03, "{variance}");
                }
                assert_ne!(weights[..10], biases[..10]);
            }
        }
        assert_eq!(values(initial.biases(3, FANS, None)), [0.0; 3]);
    }

    #[test]
    fn weights_over_their_own_deviation_have_the_deviation_of_the_gain() {
        let device = Device::flex();
        let initial = Initial { seed: 1, layer: 0, device: &device };
        for kind in &InitializationKind::ALL[..5] {
            for gain in [1.0, 0.25] {
                let plain = values(initial.weights([4, 5], FANS, Some(of(*kind))));
                let unit = Initialization { gain, unit_deviation: true, ..of(*kind) };
                let unit = values(initial.weights([4, 5], FANS, Some(unit)));
                let exact = |values: &[f32]| deviation(&values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
                assert!((exact(&unit) / gain - 1.0).abs() < 1e-6, "{kind:?}: {}", exact(&unit));
                let factor = unit[0] / plain[0];
                assert!(plain.iter().zip(&unit).all(|(v, unit)| (unit / v / factor - 1.0).abs() < 1e-5));
            }
        }
        // torch.tensor([1., 2., 4.]).std() is √(7/3).
        assert!((deviation(&[1.0, 2.0, 4.0]) - (7.0f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_first_kernels_of_dirac_give_their_channel_on_and_the_others_are_drawn() {
        let device = Device::flex();
        let initial = Initial { seed: 1, layer: 0, device: &device };
        let kernels = |shape, groups, kind| values(initial.kernels(shape, groups, FANS, Some(of(kind))));
        // Three kernels over two channels, 2×3: the middle is row 1, column 1.
        let found = kernels([3, 2, 2, 3], 1, InitializationKind::Dirac);
        let one_at = |place: usize| -> Vec<f32> { (0..12).map(|k| f32::from(u8::from(k == place))).collect() };
        assert_eq!(found[..12], one_at(4));
        assert_eq!(found[12..24], one_at(6 + 4));
        assert_eq!(found[24..], kernels([3, 2, 2, 3], 1, InitializationKind::PytorchDefault)[24..]);
        // Fewer kernels than channels; and two groups of two kernels over one channel.
        assert_eq!(kernels([1, 2, 1, 1], 1, InitializationKind::Dirac), [1.0, 0.0]);
        let found = kernels([4, 1, 1, 1], 2, InitializationKind::Dirac);
        let drawn = kernels([4, 1, 1, 1], 2, InitializationKind::PytorchDefault);
        assert_eq!(found, [1.0, drawn[1], 1.0, drawn[3]]);
        assert_eq!(
            kernels([3, 2, 2, 3], 1, InitializationKind::Whitening),
            kernels([3, 2, 2, 3], 1, InitializationKind::PytorchDefault)
        );
    }
}
