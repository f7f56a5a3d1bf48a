//! ReLU. Its gradient at 0 plays no part in a forward pass.

use super::elementwise::elementwise;

elementwise!(ReluSpec, "Relu", "nn.ReLU");
