//! GELU.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// x · Φ(x), Φ the distribution function of the standard normal distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeluSpec;

without_keys!(GeluSpec, "x · Φ(x).", "GELU");
