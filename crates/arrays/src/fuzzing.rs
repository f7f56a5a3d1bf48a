//! What the fuzzer calls: files of any bytes, with what reading them promises. The function panics where a promise is
//! broken.
//!
//! The target in `fuzz/` calls it for hours; the test here replays the corpora, and changes of them, in every build.

use crate::{Budget, read};

/// A file of any format: an error, or tensors with a number for each element of their shapes, of no more memory than
/// the budget allows.
pub fn arrays(bytes: &[u8]) {
    const NUMBERS: usize = 1000;
    let Ok(arrays) = read(bytes, &mut Budget::new(bytes.len(), NUMBERS)) else { return };
    let mut numbers = 0;
    for tensor in arrays.tensors.values().flatten() {
        let count = tensor.values().count();
        assert_eq!(Some(count), tensor.shape.iter().try_fold(1_usize, |all, &length| all.checked_mul(length)));
        numbers += count;
    }
    assert!(numbers <= 16 * bytes.len() + 64 * NUMBERS + (1 << 21), "{numbers} numbers in {} bytes", bytes.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_file_of_the_corpora_and_no_change_of_it_panics() {
        ["arrays", "matlab", "numpy", "weights"].into_iter().for_each(|target| replay(target, arrays));
    }
}
