//! Softplus.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// ln(1 + eˣ), a smooth ReLU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftplusSpec;

without_keys!(SoftplusSpec, "ln(1 + eˣ).", "softplus");
