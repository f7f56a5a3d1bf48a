//! From images to vectors.

use super::elementwise::elementwise;

elementwise!(FlattenSpec, "Flatten", "nn.Flatten");
