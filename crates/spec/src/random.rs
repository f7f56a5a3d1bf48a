//! Seeds of named random streams, and the hash that names a run folder.

use sha2::{Digest, Sha256};

/// The seed of the random stream `name` with indices `a` and `b`, in an experiment with seed `seed`.
///
/// It is the SHA-256 of `seed` (8 bytes, little endian), the length of `name` (8 bytes), `name` in UTF-8, `a` and `b`
/// (8 bytes each). With the length in front no two tuples give the same bytes. Every stream is a function of this tuple
/// alone: what one stream draws never shifts another, and a run can go on from any step.
///
/// ```
/// use backproof_spec::stream_seed;
/// let order_of_epoch_3 = stream_seed(1, "order", 3, 0);
/// assert_ne!(order_of_epoch_3, stream_seed(1, "order", 4, 0));
/// ```
pub fn stream_seed(seed: u64, name: &str, a: u64, b: u64) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update((name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher.update(a.to_le_bytes());
    hasher.update(b.to_le_bytes());
    hasher.finalize().into()
}

/// The first 8 hexadecimal digits of the SHA-256 of `bytes`.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `hashlib.sha256(struct.pack("<QQ5sQQ", 1, 5, b"order", 3, 0)).hexdigest()`. This value may never change:
    /// runs go on from checkpoints that depend on it.
    #[test]
    fn a_seed_is_the_sha256_of_the_tuple() {
        let hex: String = stream_seed(1, "order", 3, 0).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "57c89d2807a736ff88ac57276d520ed7e694417f8016c228e4833b469fcbc437");
    }

    #[test]
    fn each_part_of_the_tuple_matters() {
        let seeds = [
            stream_seed(0, "ab", 0, 0),
            stream_seed(1, "ab", 0, 0),
            stream_seed(0, "a", 0, 0),
            stream_seed(0, "ab", 1, 0),
            stream_seed(0, "ab", 0, 1),
        ];
        for (i, a) in seeds.iter().enumerate() {
            assert!(seeds[..i].iter().all(|b| a != b));
        }
    }
}
