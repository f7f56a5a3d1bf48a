//! The hyperbolic tangent.

use super::elementwise::elementwise;

elementwise!(TanhSpec, "Tanh", "nn.Tanh");
