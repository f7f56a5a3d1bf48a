//! Initial values, drawn on the host so that every backend starts from the same numbers.

use backproof_spec::stream_seed;
use burn::Tensor;
use burn::tensor::{Device, TensorData};
use rand::SeedableRng;
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

impl Initial<'_> {
    /// He initialisation: weights from a normal distribution with variance 2 / `fan_in`, which keeps the variance of
    /// activations through ReLU layers (He et al. 2015, arXiv:1502.01852, equation 10).
    pub(crate) fn he_normal<const D: usize>(self, shape: [usize; D], fan_in: usize) -> Tensor<D> {
        let mut rng = ChaCha8Rng::from_seed(stream_seed(self.seed, "initialization", self.layer as u64, 0));
        let deviation = (2.0 / fan_in as f64).sqrt();
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(&mut rng);
                (deviation * normal) as f32
            })
            .collect();
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
            initial.he_normal([100, 100], 50).into_data().try_to_vec::<f32>().unwrap()
        };
        let values = draw(1, 0);
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e4;
        // The relative deviation of a sample variance of 10,000 normals is √(2/10,000) = 0.014.
        assert!((variance / 0.04 - 1.0).abs() < 0.07, "variance {variance}");
        assert_eq!(values, draw(1, 0));
        assert_ne!(values, draw(2, 0));
        assert_ne!(values, draw(1, 1));
    }
}
