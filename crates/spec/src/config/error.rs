//! What is wrong with a config, shown with the line it is on.

use std::fmt;

/// Everything that is wrong with a config: one [`Diagnostic`] or more.
///
/// Its text has no `error: ` in front of the first diagnostic, and one in front of each further one, so that a program
/// may print `error: {it}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

/// One thing that is wrong with a config, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Where the fault is.
    pub location: Location,
    /// A way out, where there is one.
    pub help: Option<String>,
}

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In the file, at no one place: something is missing.
    File {
        /// The file's path, or what the caller calls the text.
        source_name: String,
    },
    /// At a place in the file.
    Line {
        /// The file's path, or what the caller calls the text.
        source_name: String,
        /// Line, from 1.
        line: usize,
        /// What it is about.
        excerpt: Excerpt,
    },
    /// In an override, `--set key.path=value`.
    Override {
        /// What it is about.
        excerpt: Excerpt,
    },
}

/// Columns of a line with an excerpt; what is longer is cut on both sides of the part that is meant. A terminal has as
/// many at least, and a list of layers is several times as long.
const COLUMNS: usize = 80;

/// A line of text, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, tabs and control characters replaced by spaces.
    pub text: String,
    /// First column that is meant, in characters from 1.
    pub column: usize,
    /// How many columns are meant, at least 1.
    pub width: usize,
}

impl ConfigError {
    /// `diagnostics` must not be empty.
    pub(super) fn new(diagnostics: Vec<Diagnostic>) -> Self {
        debug_assert!(!diagnostics.is_empty());
        Self { diagnostics }
    }

    /// Each thing that is wrong, in the order of the file; overrides last.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\nerror: ")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The message, the place with line and caret, and the help; no newline at the end.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.location {
            Location::File { source_name } => write!(f, "\n  --> {source_name}")?,
            Location::Line { source_name, line, excerpt } => {
                let gutter = " ".repeat(line.to_string().len());
                let excerpt_shown = excerpt.around(COLUMNS - gutter.len() - " | ".len() - 1);
                write!(
                    f,
                    "\n {gutter}--> {source_name}:{line}:{}\n {gutter} |\n {line} | {}\n {gutter} | {}",
                    excerpt.column,
                    excerpt_shown.text,
                    excerpt_shown.carets(0)
                )?;
            }
            Location::Override { excerpt } => {
                const BEFORE: &str = "  --> --set ";
                let excerpt = excerpt.around(COLUMNS - BEFORE.len());
                write!(f, "\n{BEFORE}{}\n{}", excerpt.text, excerpt.carets(BEFORE.len()))?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl Excerpt {
    /// The part of `text` from byte `start` to byte `end`, as far as it lies on the line of `start`; and that line's
    /// number, from 1. Offsets need not be in range nor on character boundaries.
    pub(super) fn of(text: &str, start: usize, end: usize) -> (usize, Self) {
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(end).max(start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let meant = &text[start..end.min(line_end)];
        let excerpt = Self {
            text: printable(line.trim_end()),
            column: text[line_start..start].chars().count() + 1,
            width: meant.trim_end().chars().count().max(1),
        };
        (before.matches('\n').count() + 1, excerpt)
    }

    /// As many columns of it, with the part that is meant in the middle; an ellipsis stands for what is left out.
    fn around(&self, columns: usize) -> Self {
        let characters: Vec<char> = self.text.chars().collect();
        let Some(most) = characters.len().checked_sub(columns + 1).map(|most| most + 1) else { return self.clone() };
        let (meant, width) = (self.column - 1, self.width.min(columns * 3 / 4));
        let from = (meant.saturating_sub((columns - width) / 2)).min(most);
        let mut shown = characters[from..from + columns].to_vec();
        if from > 0 {
            shown[0] = '…';
        }
        if from < most {
            shown[columns - 1] = '…';
        }
        // An error at the end of a line is one column beyond it.
        let column = meant - from + 1;
        Self {
            text: shown.into_iter().collect(),
            column,
            width: self.width.min((columns + 1).saturating_sub(column).max(1)),
        }
    }

    fn carets(&self, indent: usize) -> String {
        " ".repeat(indent + self.column - 1) + &"^".repeat(self.width)
    }
}

fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let text = format!("layers = [{}\"rely\", {}]", "\"relu\", ".repeat(30), "\"relu\", ".repeat(30));
        let start = text.find("\"rely\"").unwrap();
        for (start, end, begins, ends) in [
            (start, start + 6, "…", "…"),
            (0, 6, "layers = [", "…"),
            (text.len() - 1, text.len(), "…", "\"relu\", ]"),
            (text.len(), text.len(), "…", "\"relu\", ]"),
            (0, text.len(), "layers = [", "…"),
        ] {
            let (_, excerpt) = Excerpt::of(&text, start, end);
            let location = Location::Line { source_name: "a.toml".to_owned(), line: 12, excerpt };
            let shown = Diagnostic { message: "wrong".to_owned(), location, help: None }.to_string();
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines[1], format!("   --> a.toml:12:{}", start + 1), "the place in the file");
            let shown = lines[3].strip_prefix(" 12 | ").unwrap();
            assert!(shown.starts_with(begins) && shown.ends_with(ends), "{shown}");
            assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS + 1), "{lines:?}");
            let meant = lines[4].find('^').unwrap() - lines[3].find(shown).unwrap();
            let under: String = shown.chars().skip(meant).take(6).collect();
            if end - start == 6 {
                assert_eq!(under, text[start..end], "{lines:?}");
            }
        }
        let (_, short) = Excerpt::of("name = 1", 7, 8);
        assert_eq!(short.around(COLUMNS), short);
    }
}
