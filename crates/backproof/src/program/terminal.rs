//! How wide the terminal is that stdout goes to.

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
    let options = textwrap::Options::new(width)
        .subsequent_indent(LABEL)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    textwrap::fill(line, options)
}

/// Lines of prose, each broken between words where it is wider than the terminal that stdout goes to.
pub(crate) fn flowing(text: &str) -> String {
    let Some(width) = width() else { return text.to_owned() };
    let options = textwrap::Options::new(width)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    textwrap::fill(text, options)
}
