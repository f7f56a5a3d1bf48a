//! The logistic sigmoid.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// 1 / (1 + e⁻ˣ).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigmoidSpec;

without_keys!(SigmoidSpec, "1 / (1 + e⁻ˣ).", "sigmoid");
