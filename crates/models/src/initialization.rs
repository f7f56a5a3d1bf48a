//! Initial values, drawn on the host so that every backend starts from the same numbers.

use backproof_spec::stream_seed;
use burn::Tensor;
use burn::tensor::{Device, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// He initialisation: weights from a normal distribution with variance 2 / `fan_in`, which keeps the variance of
/// activations through ReLU layers (He et al. 2015, arXiv:1502.01852, equation 10). `layer` names the random stream.
pub(crate) fn he_normal<const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    seed: u64,
    layer: usize,
    device: &Device,
) -> Tensor<D> {
    let mut rng = ChaCha8Rng::from_seed(stream_seed(seed, "initialization", layer as u64, 0));
    let deviation = (2.0 / fan_in as f64).sqrt();
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| {
            let normal: f64 = StandardNormal.sample(&mut rng);
            (deviation * normal) as f32
        })
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_is_two_over_fan_in_and_the_seed_decides_the_values() {
        let device = Device::flex();
        let draw =
            |seed, layer| he_normal([100, 100], 50, seed, layer, &device).into_data().try_to_vec::<f32>().unwrap();
        let values = draw(1, 0);
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e4;
        // The relative deviation of a sample variance of 10,000 normals is √(2/10,000) = 0.014.
        assert!((variance / 0.04 - 1.0).abs() < 0.07, "variance {variance}");
        assert_eq!(values, draw(1, 0));
        assert_ne!(values, draw(2, 0));
        assert_ne!(values, draw(1, 1));
    }
}
