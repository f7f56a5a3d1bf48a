//! The figures as a table: on a terminal, and in Markdown with the machine above it.

use backproof_report::{markdown_code, markdown_text};
use backproof_spec::{counted, thousands};
use comfy_table::{Cell as TableCell, CellAlignment, Table, presets};

use crate::results::{Cell, Results, Setting};

/// What stands for a figure that there is none of.
pub(crate) const NOTHING: &str = "–";

/// Columns of text, which are on the left; figures are on the right.
const TEXT_COLUMNS: usize = 4;

impl Results {
    fn has_peer(&self) -> bool {
        self.cells.iter().any(Cell::is_peer)
    }

    fn header(&self) -> Vec<String> {
        let mut header: Vec<&str> =
            vec!["network", "batch", "pass", "measured", "ms a step", "images/s", "GFLOP/s", "of peak", "memory"];
        if self.has_peer() {
            header.push("speed / best peer");
        }
        header.into_iter().map(str::to_owned).collect()
    }

    fn row(&self, cell: &Cell) -> Vec<String> {
        let mut row = vec![
            cell.model.clone(),
            cell.batch.to_string(),
            cell.pass.clone(),
            format!("{} {}", cell.program, cell.variant),
            three_digits(1e3 * cell.seconds_per_step),
            thousands(cell.images_per_second.round() as usize),
            three_digits(cell.gflops_per_second),
            format!("{:.1} %", 100.0 * cell.share_of_peak),
            memory(cell.peak_memory_bytes),
        ];
        if self.has_peer() {
            row.push(cell.speed_over_peer.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.2}×")));
        }
        row
    }

    /// For a terminal: what repeats from the row above is left out.
    pub fn table(&self) -> String {
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(self.cells.len());
        let mut above: Option<[String; 3]> = None;
        for cell in &self.cells {
            let mut row = self.row(cell);
            let work = [row[0].clone(), row[1].clone(), row[2].clone()];
            if let Some(above) = &above {
                let same = work.iter().zip(above).take_while(|(one, other)| one == other).count();
                row[..same].iter_mut().for_each(String::clear);
            }
            above = Some(work);
            rows.push(row);
        }
        let peak = &self.peak;
        format!(
            "{}\n\n{}, {} of {} s each; peak {:.0} GFLOP/s by {} multiply-adds\n{}{}{}",
            aligned(&self.header(), &rows, TEXT_COLUMNS),
            threads(self.setting.threads),
            rounds(self.setting.rounds),
            self.seconds,
            peak.gflops_per_second,
            peak.instructions,
            self.setting.software.join(", "),
            self.unavailable_lines(),
            self.setting.note(),
        )
    }

    /// `results.md`.
    pub(crate) fn markdown(&self) -> String {
        let rows: Vec<Vec<String>> = self.cells.iter().map(|cell| self.row(cell)).collect();
        let mut text = self.setting.markdown("Speed of single steps");
        text += &format!(
            "| peak | {:.0} GFLOP/s, measured by {} multiply-adds on {} |\n\n",
            self.peak.gflops_per_second,
            self.peak.instructions,
            threads(self.setting.threads)
        );
        text += &format!(
            "A figure is the median of {} of at least {} s. bench/README.md says how it is made.\n\n",
            rounds(self.setting.rounds),
            self.seconds
        );
        text + &markdown_table(&self.header(), &rows, TEXT_COLUMNS) + &self.unavailable_lines() + &self.setting.note()
    }

    /// What was left out, each reason once.
    fn unavailable_lines(&self) -> String {
        let mut text = String::new();
        let mut said: Vec<(&str, &str)> = Vec::new();
        for left_out in &self.unavailable {
            let now = (left_out.contender.as_str(), left_out.reason.as_str());
            if !said.contains(&now) {
                said.push(now);
                text += &format!("\nnot measured: {}, {}", now.0, now.1);
            }
        }
        if text.is_empty() { text } else { text + "\n" }
    }
}

impl Setting {
    /// A line for what makes the figures doubtful, or nothing.
    pub(crate) fn note(&self) -> String {
        self.disturbance().map_or_else(String::new, |text| format!("\nnote: {text}\n"))
    }

    /// The head of a page with figures: a title, and a table of what they were measured on. More rows can follow.
    pub(crate) fn markdown(&self, title: &str) -> String {
        let title = markdown_text(title);
        let mut text = format!("# {title}\n\n| | |\n| --- | --- |\n| date | {} |\n", markdown_text(&self.date));
        text += &format!("| command | {} |\n", markdown_code(&self.command_line.join(" ")));
        let mut line = |what: &str, which: &str| text += &format!("| {what} | {} |\n", markdown_text(which));
        line("commit", self.git_revision.as_deref().unwrap_or("unknown"));
        for (what, which) in self.machine.lines() {
            line(what, &which);
        }
        line("load before", &self.load_before.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}")));
        line("threads", &self.threads.to_string());
        line("held to", self.isa.as_deref().unwrap_or("the widest instructions there are"));
        line("software", &self.software.join(", "));
        text
    }
}

fn threads(count: usize) -> String {
    counted(count, "thread")
}

pub(crate) fn rounds(count: usize) -> String {
    counted(count, "round")
}

/// Columns without lines; those after the first `text_columns` are figures.
pub(crate) fn aligned(header: &[String], rows: &[Vec<String>], text_columns: usize) -> String {
    let cells = |row: &[String]| -> Vec<TableCell> {
        let align = |column| if column < text_columns { CellAlignment::Left } else { CellAlignment::Right };
        row.iter().enumerate().map(|(column, text)| TableCell::new(text).set_alignment(align(column))).collect()
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(cells(header));
    table.add_rows(rows.iter().map(|row| cells(row)));
    for (column, cells) in table.column_iter_mut().enumerate() {
        cells.set_padding((if column == 0 { 0 } else { 1 }, 1));
    }
    table.trim_fmt()
}

/// The same in Markdown.
pub(crate) fn markdown_table(header: &[String], rows: &[Vec<String>], text_columns: usize) -> String {
    let line = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|cell| markdown_text(cell)).collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<String> =
        (0..header.len()).map(|column| if column < text_columns { "---" } else { "---:" }.to_owned()).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    line(header) + &line(&rule) + &body
}

/// A figure with three digits that count, or with all before the point.
pub(crate) fn three_digits(figure: f64) -> String {
    let magnitude = if figure > 0.0 { figure.log10().floor() as i32 } else { 0 };
    format!("{figure:.*}", usize::try_from(2 - magnitude).unwrap_or(0))
}

/// `31 MB`, of a million bytes each.
pub(crate) fn memory(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| NOTHING.to_owned(), |bytes| format!("{} MB", thousands((bytes as f64 / 1e6).round() as usize)))
}

#[cfg(test)]
pub(crate) mod tests;
