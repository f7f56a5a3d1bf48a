//! Files of named arrays: MATLAB's, NumPy's and safetensors; pickles of arrays, and zip archives.
//!
//! The files come from strangers. A reader trusts no size in them, unpacks within a [`Budget`], and answers what is
//! wrong with a [`FormatError`] that says what was expected. [`Format::of`] tells the formats apart by the content of a
//! file, because a name may be anything. [`read`] reads any of them, and a tensor that cannot be read is no reason not
//! to read the others.
//!
//! There is no Burn here, so that the tests build in seconds.

mod any;
mod error;
mod format;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod matlab;
mod numbers;
pub mod numpy;
pub mod pickle;
mod unpack;
pub mod write;
pub mod zip;

pub use any::{Arrays, read};
pub use error::{FormatError, shown};
pub use format::Format;
pub use numbers::{Axis, Element, Numbers, StoredTensor};
pub use unpack::Budget;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
