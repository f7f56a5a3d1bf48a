//! Softplus. PyTorch's is linear above 20, where ln(1 + eˣ) and x differ by less than 3 · 10⁻⁹.

use super::elementwise::elementwise;

elementwise!(SoftplusSpec, "Softplus", "nn.Softplus");
