//! Moments to kill at, and how often.

#![cfg(unix)]

use std::time::Duration;

/// Numbers that are the same in every run of a test (Knuth's multiplier).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `below`.
    pub(crate) fn number(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// A time below `milliseconds`.
    pub(crate) fn time(&mut self, milliseconds: u64) -> Duration {
        Duration::from_micros(self.number(1_000 * milliseconds))
    }
}

/// How many kills in all, from the variable.
pub(crate) fn kills() -> usize {
    std::env::var("BACKPROOF_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}
