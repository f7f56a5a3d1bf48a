//! The logistic sigmoid.

use super::elementwise::elementwise;

elementwise!(SigmoidSpec, "Sigmoid", "nn.Sigmoid");
