//! What the tests of several modules share.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Uniform numbers in [−1, 1) from a seed.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| (stream.next_u32() >> 8) as f32 / (1u32 << 23) as f32 - 1.0).collect()
}
