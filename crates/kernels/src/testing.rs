//! What the tests of several kernels share.

/// Numbers in [−1, 1) that look random and are the same every time.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u64 << 23) as f32) - 1.0
        })
        .collect()
}

/// Within the rounding of a sum of `terms` products below 1 in single precision.
pub(crate) fn close(what: &str, terms: usize, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let tolerance = 2e-6 * (terms as f64).sqrt().max(1.0);
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= tolerance, "{what}[{index}]: {found}, not {expected}");
    }
}
