use std::fmt;

use serde::{Deserialize, Serialize};

/// What is known of one source's gradient of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every checked element is within its tolerance, and the tolerance is small enough to mean something.
    Pass,
    /// As [`Pass`](Self::Pass), but some elements lie on a kink: their gradients lie between the derivatives from the
    /// left and from the right.
    Kink,
    /// The source could not run here.
    Skipped,
    /// The function does not move with any tensor at all, and the source says zero: nothing was seen, so nothing is
    /// proven.
    Unobservable,
    /// The tolerance is too large beside the gradient to prove it.
    Unresolved,
    /// Differs from the differences by more than the tolerance.
    Mismatch,
    /// The source has no gradient for this tensor, and the function depends on it: it is detached.
    Missing,
    /// Two runs over the same numbers differ.
    NonDeterministic,
    /// NaN or infinite.
    NonFinite,
    /// The code panicked.
    Panicked,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Self; 10] = [
        Self::Pass,
        Self::Kink,
        Self::Skipped,
        Self::Unobservable,
        Self::Unresolved,
        Self::Mismatch,
        Self::Missing,
        Self::NonDeterministic,
        Self::NonFinite,
        Self::Panicked,
    ];

    /// Only a pass and an accepted kink prove anything.
    pub fn proven(self) -> bool {
        matches!(self, Self::Pass | Self::Kink)
    }

    /// The code is wrong, as opposed to not proven: mismatch, missing, non-deterministic, not finite, or a panic.
    pub fn is_fault(self) -> bool {
        self >= Self::Mismatch
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Kink => "KINK",
            Self::Skipped => "SKIPPED",
            Self::Unobservable => "UNOBSERVABLE",
            Self::Unresolved => "UNRESOLVED",
            Self::Mismatch => "MISMATCH",
            Self::Missing => "MISSING",
            Self::NonDeterministic => "NONDETERMINISTIC",
            Self::NonFinite => "NONFINITE",
            Self::Panicked => "PANICKED",
        })
    }
}
