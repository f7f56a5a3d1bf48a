use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers that is a function of a seed and a name.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: &str) -> Self {
        // FNV-1a: the streams only have to differ.
        let name = stream
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(ChaCha8Rng::seed_from_u64(seed ^ name))
    }

    /// Below `bound`; the bias of the remainder does not matter here.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// −1 or 1.
    pub(crate) fn sign(&mut self) -> f64 {
        if self.0.next_u64() >> 63 == 0 { 1.0 } else { -1.0 }
    }

    /// Uniform in (0, 1].
    pub(crate) fn uniform(&mut self) -> f64 {
        unit(self.0.next_u64())
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Uniform in (0, 1] for uniform bits: the logarithm is finite.
fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) * (-53f64).exp2()
}

/// Between 1/2 and 1 or between −1 and −1/2: a function of the number and the stream, so that equal numbers get the
/// same.
pub(crate) fn direction(x: f64, stream: u64) -> f64 {
    // The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
    let mut bits = x.to_bits().wrapping_add((stream + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let centred = 2.0 * unit(bits ^ (bits >> 31)) - 1.0;
    0.5 * (centred + centred.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;

    fn moments(mut draw: impl FnMut() -> f64) -> [f64; 4] {
        let draws: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
        [1, 2, 3, 4].map(|power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / DRAWS as f64)
    }

    #[test]
    fn equal_numbers_have_one_direction_and_others_any() {
        let all: Vec<f64> = (0..DRAWS).map(|n| direction(n as f64, 0)).collect();
        assert!(all.iter().all(|d| (0.5..=1.0).contains(&d.abs())));
        let mean = all.iter().sum::<f64>() / DRAWS as f64;
        let size = all.iter().map(|d| d.abs()).sum::<f64>() / DRAWS as f64;
        assert!(mean.abs() < 0.01 && (size - 0.75).abs() < 0.01, "{mean} {size}");
        assert_eq!(direction(3.0, 1), direction(3.0, 1));
        assert_ne!(direction(3.0, 1), direction(3.0, 0));
    }

    #[test]
    fn normal_draws_have_the_moments_of_the_standard_normal_distribution() {
        let mut random = Random::new(1, "test");
        let [mean, variance, skewness, kurtosis] = moments(|| random.normal());
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!(skewness.abs() < 0.05 && (kurtosis - 3.0).abs() < 0.1, "{skewness} {kurtosis}");
    }

    #[test]
    fn signs_are_even_and_indices_below_their_bound() {
        let mut random = Random::new(2, "test");
        let [mean, square, ..] = moments(|| random.sign());
        assert!(mean.abs() < 0.02 && square == 1.0, "{mean}");
        // A seed in a report draws the same in every version.
        let mut random = Random::new(2, "test");
        assert_eq!([(); 6].map(|()| random.sign()), [1.0, 1.0, 1.0, -1.0, -1.0, 1.0]);
        let mut seen = [0; 5];
        (0..DRAWS).for_each(|_| seen[random.below(5)] += 1);
        assert!(seen.iter().all(|&count: &usize| count.abs_diff(DRAWS / 5) < 500), "{seen:?}");
    }

    #[test]
    fn a_uniform_draw_is_never_zero_nor_above_one() {
        assert_eq!(unit(0), (-54f64).exp2());
        assert_eq!(unit(1 << 63), 0.5 + (-54f64).exp2());
        assert_eq!(unit(u64::MAX), 1.0);
    }

    #[test]
    fn a_stream_is_a_function_of_seed_and_name() {
        let draw = |seed: u64, name: &str| Random::new(seed, name).0.next_u64();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert!(draw(1, "a") != draw(2, "a") && draw(1, "a") != draw(1, "b"));
    }
}
