//! ReLU.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// max(0, x).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReluSpec;

without_keys!(ReluSpec, "max(0, x).", "ReLU");
