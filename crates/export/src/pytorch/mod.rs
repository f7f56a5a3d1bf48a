//! A network as a PyTorch module.

mod check_vector;
mod folder;
pub(crate) mod python;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod write;

pub use folder::{FILES, check_folder, write_folder};
