//! Pieces of the descriptions of layers.

use crate::Size2;

/// `, stride 2` or `, stride 2×1`; nothing where both sides are `plain`.
pub(super) fn unless_plain(name: &str, size: Size2, plain: usize) -> String {
    match (size.height, size.width) {
        (height, width) if height != width => format!(", {name} {size}"),
        (side, _) if side != plain => format!(", {name} {side}"),
        _ => String::new(),
    }
}
