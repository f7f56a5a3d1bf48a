//! Memory that begins with a line of the cache.

use aligned_vec::{AVec, ConstAlign, avec};

/// Numbers from a multiple of 64 bytes on. Elsewhere every vector of 16 would lie across two lines of the cache, and take twice
/// as long to load and to store; correct it would be all the same, so that kernels take any slice.
pub type Memory = AVec<f32, ConstAlign<64>>;

/// `count` zeros.
#[must_use]
pub fn zeros(count: usize) -> Memory {
    avec![[64]| 0.0; count]
}
