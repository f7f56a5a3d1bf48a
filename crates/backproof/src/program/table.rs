//! Tables for a terminal: no frames, as wide as the terminal is, plain text in a pipe.

use std::io::IsTerminal;

use backproof::error::colour;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

/// An empty table.
pub(crate) fn empty() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !colour(std::io::stdout().is_terminal()) {
        table.force_no_tty();
    }
    table
}

/// A number, or what stands for one.
pub(crate) fn right(text: impl Into<String>) -> Cell {
    Cell::new(text.into()).set_alignment(CellAlignment::Right)
}

/// The table as text, from the first column on.
pub(crate) fn text(mut table: Table) -> String {
    for (column, cells) in table.column_iter_mut().enumerate() {
        cells.set_padding((if column == 0 { 0 } else { 1 }, 1));
    }
    table.trim_fmt()
}
