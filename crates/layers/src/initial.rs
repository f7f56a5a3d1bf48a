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
        let Initialization { kind, gain, fan_in } = initialization.unwrap_or_default();
        let inputs = fan_in.unwrap_or(fans.inputs) as f64;
        let variance = match kind {
            InitializationKind::HeNormal | InitializationKind::HeUniform => 2.0 / inputs,
            InitializationKind::GlorotNormal | InitializationKind::GlorotUniform => {
                2.0 / (inputs + fans.outputs as f64)
            }
        };
        let mut rng = ChaCha8Rng::from_seed(stream_seed(self.seed, "initialization", self.layer as u64, 0));
        let mut draw: Box<dyn FnMut() -> f64> = match kind {
            InitializationKind::HeNormal | InitializationKind::GlorotNormal => {
                let deviation = variance.sqrt() * gain;
                Box::new(move || {
                    let normal: f64 = StandardNormal.sample(&mut rng);
                    deviation * normal
                })
            }
            InitializationKind::HeUniform | InitializationKind::GlorotUniform => {
                let bound = (3.0 * variance).sqrt() * gain;
                Box::new(move || bound * (2.0 * rng.random::<f64>() - 1.0))
            }
        };
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| draw() as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// Zeros, for a bias.
    pub(crate) fn zeros(self, features: usize) -> Tensor<1> {
        Tensor::zeros([features], self.device)
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
        for (kind, variance) in InitializationKind::ALL.into_iter().zip([0.04, 0.04, 1.0 / 30.0, 1.0 / 30.0]) {
            for (gain, fan_in) in [(1.0, None), (0.1, None), (1.0, Some(75))] {
                let fans = Fans { inputs: 50, outputs: 10 };
                let initialization = Initialization { kind, gain, fan_in };
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
}
