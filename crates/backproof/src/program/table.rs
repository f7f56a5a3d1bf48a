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

/// The table of `rows` under `heads` as text. Where it is wider than the terminal, the columns of the heads `spare` are left
/// out, the first of them first, as far as they have to.
pub(crate) fn text(heads: Vec<Cell>, rows: Vec<Vec<Cell>>, spare: &[&str]) -> String {
    const GAP: usize = 2;
    let mut table = empty();
    let mut lines = vec![heads];
    lines.extend(rows);
    if let Some(width) = table.width().map(usize::from) {
        for head in spare {
            let of_column = |place: usize| lines.iter().map(|line| line[place].content().chars().count()).max();
            let all: usize = (0..lines[0].len()).map(|place| GAP + of_column(place).unwrap_or(0)).sum();
            if all <= width + GAP {
                break;
            }
            if let Some(place) = lines[0].iter().position(|cell| cell.content() == *head) {
                lines.iter_mut().for_each(|line| drop(line.remove(place)));
            }
        }
    }
    let mut lines = lines.into_iter();
    table.set_header(lines.next().expect("the heads are the first line"));
    table.add_rows(lines);
    for (column, cells) in table.column_iter_mut().enumerate() {
        cells.set_padding((if column == 0 { 0 } else { 1 }, 1));
    }
    table.trim_fmt()
}
