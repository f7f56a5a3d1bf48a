//! Images of a user's own as a data set.
//!
//! ```text
//! listing ── which files there are, their classes and parts, by names alone
//!    │
//! cache ── the pixels of every file, decoded once into a file that is mapped into memory
//!    │
//! source ── what cannot be read, what comes twice, the test images by seed: a data set like any other
//! ```

mod class_table;
mod folders;
mod inside;
mod labels;
mod listed;
mod listing;
mod look;
mod names;
mod source;
#[cfg(all(test, feature = "pictures"))]
mod tests;

#[cfg(feature = "pictures")]
mod cache;
#[cfg(feature = "pictures")]
mod export;
#[cfg(feature = "pictures")]
mod load;
#[cfg(feature = "pictures")]
mod pictures;
#[cfg(feature = "pictures")]
mod reading;
#[cfg(feature = "pictures")]
mod survey;

#[cfg(feature = "pictures")]
pub use export::{Exported, export};
pub use look::look;
#[cfg(feature = "pictures")]
pub use pictures::{Pictures, pictures};
pub(crate) use source::UserImages;
#[cfg(feature = "pictures")]
pub use survey::{Survey, survey};
