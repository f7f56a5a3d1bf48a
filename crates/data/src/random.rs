//! The random streams of this crate. What a stream draws is a function of its name and indices alone.

use backproof_spec::stream_seed;
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

/// The stream `name` with indices `a` and `b` of the experiment with this seed.
pub(crate) fn stream(seed: u64, name: &str, a: u64, b: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(stream_seed(seed, name, a, b))
}

/// The order in which epoch `epoch` (from 0) goes through `len` images: a permutation of `0..len`, a function of
/// `(len, seed, epoch)` alone.
pub fn epoch_order(len: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut stream(seed, "order", epoch, 0));
    order
}

/// The images of batch `step` (from 0): `size` different ones of `0..len`, or all of them, in random order, a function
/// of the arguments alone.
pub(crate) fn random_batch(len: usize, size: usize, seed: u64, step: u64) -> Vec<usize> {
    rand::seq::index::sample(&mut stream(seed, "batch", step, 0), len, size.min(len)).into_vec()
}

/// The images of batch `step` (from 0), where each class comes as often: for each of `size` places one of `classes`, and
/// one of its images, a function of the arguments alone. No class is empty.
pub(crate) fn balanced_batch(classes: &[Vec<usize>], size: usize, seed: u64, step: u64) -> Vec<usize> {
    let mut random = stream(seed, "balanced batch", step, 0);
    let mut drawn = || {
        let class = classes.choose(&mut random)?;
        class.choose(&mut random).copied()
    };
    (0..size).map(|_| drawn().expect("no class is empty")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_permutation_of_its_own_and_repeats_for_the_same_seed() {
        let order = epoch_order(1000, 7, 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(1000, 7, 3));
        assert_ne!(order, epoch_order(1000, 7, 4));
        assert_ne!(order, epoch_order(1000, 8, 3));
        assert_eq!(epoch_order(0, 7, 3), Vec::<usize>::new());
    }

    /// Runs of last year must be runs of today: an upgrade of `rand` that draws otherwise fails here.
    #[test]
    fn the_order_does_not_change_with_a_version() {
        assert_eq!(epoch_order(10, 1, 0), [2, 1, 5, 3, 8, 4, 9, 6, 0, 7]);
        assert_eq!(random_batch(10, 4, 1, 0), [0, 5, 3, 4]);
        assert_eq!(random_batch(60_000, 4, 1, 0), [1713, 38334, 26054, 27498]);
        assert_eq!(balanced_batch(&[vec![7], (100..1100).collect()], 8, 1, 0), [7, 691, 314, 7, 7, 755, 7, 7]);
    }
}
