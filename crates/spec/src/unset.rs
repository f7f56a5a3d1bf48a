//! Values that say nothing.

/// Whether a value is the default of its type, and so is left out where it is written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
