//! MATLAB files of version 5 to 7.
//!
//! The reader is our own. Of the crates, `matfile` (0.5) reads arrays of numbers alone, and passes over the structs and
//! cells that a network is made of. `matrw` (0.1) reads them, but is not made for damaged files: it panics at types
//! that it does not implement, and multiplies sizes without a check. `matio-rs` needs a C library. The format is
//! described in MathWorks' "MAT-File Format". Version 7.3 is HDF5, and is refused.
//!
//! [`Variables`] finds the variables of a file, and unpacks them. [`Array`] reads one, and trusts no size.

mod array;
mod elements;
mod variables;

pub use array::{Array, Content};
pub use elements::kind;
pub use variables::Variables;
