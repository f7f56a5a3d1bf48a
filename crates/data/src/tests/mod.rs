//! Whole data sets in every layout, written here.

mod layouts;
pub(crate) mod written;
