//! What the fuzzer calls: files of any bytes, with what reading them promises. The function panics where a promise is
//! broken.
//!
//! The target in `fuzz/` calls it for hours; the test here replays the corpora, and changes of them, in every build.

use crate::{Budget, pickle, read};

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

/// A pickle: an error, or a dictionary whose arrays have a number for each element of their shapes. Nothing that is
/// read is larger than the file, since each object stands in it.
pub fn pickle(bytes: &[u8]) {
    let Ok(pickle) = pickle::read(bytes) else { return };
    for key in pickle.keys() {
        if let Ok(tensor) = pickle.array(&key) {
            let count = tensor.values().count();
            assert_eq!(Some(count), tensor.shape.iter().try_fold(1_usize, |all, &length| all.checked_mul(length)));
            assert!(count <= bytes.len(), "{count} numbers in {} bytes", bytes.len());
        }
        if let Ok(integers) = pickle.integers(&key) {
            assert!(integers.len() <= bytes.len(), "{} numbers in {} bytes", integers.len(), bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_file_of_the_corpora_and_no_change_of_it_panics() {
        ["arrays", "matlab", "numpy", "weights"].into_iter().for_each(|target| replay(target, arrays));
        replay("pickle", super::pickle);
    }
}
