//! The texts that a sweep is read from.

use crate::config::document::{Table, Value};

/// Numbers of the texts that spans point into: the sweep, the bases from [`FIRST_BASE`] on, then `--set`.
pub(super) const SWEEP: usize = 0;
pub(super) const FIRST_BASE: usize = 1;

/// An experiment that runs start from.
pub(super) struct BaseConfig {
    /// As the sweep's file has it.
    pub(super) path: String,
    pub(super) root: Table,
    pub(super) default_name: String,
}

/// A table that is a value as a whole, `{ type = "cosine" }`, and not keys with dots.
pub(super) fn is_value(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.iter().any(|entry| entry.key == "type") || table.is_empty(),
        _ => true,
    }
}
