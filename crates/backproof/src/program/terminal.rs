//! How wide the terminal is that stdout goes to.

/// Escapes for text on a terminal that wants colours.
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const RED: &str = "\x1b[31;1m";
pub(crate) const YELLOW: &str = "\x1b[33m";
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const RESET: &str = "\x1b[0m";

/// What a label at the begin of a line takes: `run folder   `.
const LABEL: &str = "             ";

/// Columns of the terminal; `None` where stdout is none.
pub(crate) fn width() -> Option<usize> {
    crate::table::empty().width().map(usize::from)
}

/// A line of a label and a text, in so many columns: what does not fit goes on below the text.
pub(crate) fn wrapped(line: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|&width| width > 2 * LABEL.len() && line.chars().count() > width) else {
        return line.to_owned();
    };
    textwrap::fill(line, between_words(width).subsequent_indent(LABEL))
}

/// Lines of prose, each broken between words where it is wider than the terminal that stdout goes to.
pub(crate) fn flowing(text: &str) -> String {
    let Some(width) = width() else { return text.to_owned() };
    textwrap::fill(text, between_words(width))
}

/// Lines of this width, broken between words alone.
fn between_words<'o>(width: usize) -> textwrap::Options<'o> {
    textwrap::Options::new(width)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
}
