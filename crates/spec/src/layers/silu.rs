//! SiLU.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// x · σ(x) with σ(x) = 1 / (1 + e⁻ˣ), which is also called swish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiluSpec;

without_keys!(SiluSpec, "x / (1 + e⁻ˣ).", "SiLU");
