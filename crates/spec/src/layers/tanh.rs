//! The hyperbolic tangent.

use serde::{Deserialize, Serialize};

use super::definition::without_keys;

/// tanh x.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TanhSpec;

without_keys!(TanhSpec, "tanh x.", "tanh");
