//! The faults of Burn 0.22.1 that are known, each with the smallest input that shows it.
//!
//! A check of Burn's operations whose symptoms are all on the list does not make the command fail; any other symptom
//! does. A test runs every
//! smallest input and fails when Burn has mended the fault, and `docs/upstream.md` shows the list.

mod entry;
mod list;
#[cfg(test)]
mod tests;

use crate::point::Point;
use crate::symptoms::Symptom;

#[cfg(test)]
pub(crate) use entry::{Found, Smallest};
pub use entry::{Known, Setting};
pub(crate) use list::faults;

/// The entry that explains the symptom, if there is one.
pub(crate) fn find(operation: &str, at: Setting, point: Point, symptom: &Symptom) -> Option<&'static Known> {
    faults().find(|known| known.operation == operation && known.explains(at, point, symptom))
}
