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

/// Which columns fit into the terminal: all, or those without the first of `spare` that have to go. `columns` are the texts
/// of each, its head first.
pub(crate) fn fitting(columns: &[Vec<String>], spare: &[&str]) -> Vec<bool> {
    const GAP: usize = 2;
    let mut kept = vec![true; columns.len()];
    let Some(width) = empty().width().map(usize::from) else { return kept };
    let of = |column: &Vec<String>| GAP + column.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    for head in spare {
        let all: usize = columns.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(column, _)| of(column)).sum();
        if all <= width + GAP {
            break;
        }
        for (column, kept) in columns.iter().zip(&mut kept) {
            *kept &= column.first().is_none_or(|first| first != head);
        }
    }
    kept
}

/// The table as text, from the first column on.
pub(crate) fn text(mut table: Table) -> String {
    for (column, cells) in table.column_iter_mut().enumerate() {
        cells.set_padding((if column == 0 { 0 } else { 1 }, 1));
    }
    table.trim_fmt()
}
