//! Words that several sections of the page write alike.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// What stands for something that there is none of.
pub(super) const NOTHING: &str = "–";

/// With a capital and a full stop.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What the file of published results says, in a cell of a table or an item of a list: on one line, and no markup of
/// tables or HTML. Its author may mark code and emphasis.
pub(super) fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}

/// A row of a table.
pub(super) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// How many runs there are, and how many are wanted if there are fewer: `3 of 5`.
pub(super) fn seeds(found: usize, wanted: usize) -> String {
    if found >= wanted { found.to_string() } else { format!("{found} of {wanted}") }
}

/// A p-value as a person reads it.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// The longest line of the page, in letters.
const WIDTH: usize = 120;

/// A page in Markdown with the lines of its paragraphs and lists broken. Tables, headings, figures and blocks of code
/// stay as they are: a break would end them.
pub(super) fn broken(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        let stays = is_code || line.starts_with(['|', '#', '!']) || line.starts_with("```");
        if stays || line.chars().count() <= WIDTH {
            text += line;
            text.push('\n');
            continue;
        }
        let is_numbered = line.split_once(". ").is_some_and(|(number, _)| number.parse::<usize>().is_ok());
        let indent = match line {
            _ if is_numbered => "   ",
            line if line.starts_with("- ") => "  ",
            _ => "",
        };
        let options = Options::new(WIDTH)
            .subsequent_indent(indent)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        text += &textwrap::fill(line, options);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_lists_are_broken_and_nothing_else() {
        let long = "word ".repeat(40);
        let page = format!("{long}\n- {long}\n| {long} |\n# {long}\n```sh\n{long}\n```\nshort\n");
        let text = broken(&page);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2].iter().map(|line| line.trim_end().len()).collect::<Vec<_>>(), [119, 79]);
        assert_eq!((lines[2].len(), &lines[2][..6], &lines[3][..6]), (116, "- word", "  word"));
        assert_eq!(lines[4..], [&format!("| {long} |"), &format!("# {long}"), "```sh", &long, "```", "short"]);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&text), words(&page));
    }
}
