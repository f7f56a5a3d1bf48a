//! Any text inside of a page in Markdown.

/// `text` as words: on one line, and no markup of Markdown, HTML or a table.
#[must_use]
pub fn markdown_text(text: &str) -> String {
    let line = on_one_line(text);
    let mut escaped = String::with_capacity(line.len());
    let mut before = ' ';
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_in_word = |it: char| it.is_alphanumeric();
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => escaped.extend(['\\', letter]),
            // Inside of a word, as in `learning_rate`, it marks nothing.
            '_' if !(is_in_word(before) && letters.peek().copied().is_some_and(is_in_word)) => escaped += "\\_",
            other => escaped.push(other),
        }
        before = letter;
    }
    escaped
}

/// `text` as a code span, which a cell of a table can hold.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let line = on_one_line(text);
    let fence = "`".repeat(longest_run(&line) + 1);
    // A space at both ends, which is not shown, keeps a backtick apart from the fence.
    let gap = if line.is_empty() || line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    // A table is divided into cells before the spans in it are looked for.
    format!("{fence}{gap}{}{gap}{fence}", line.replace('|', "\\|"))
}

/// `text` as a block of code, its lines as they are.
#[must_use]
pub fn markdown_block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}\n")
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_markup() {
        let evil = "<img src=x onerror=\"alert(1)\"> a|b `c` *d* _e_ [f](g) ~~h~~ &lt; i\\|\nj\r\n| k";
        let expected = "&lt;img src=x onerror=\"alert(1)\"> a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) \\~\\~h\\~\\~ &amp;lt; \
                        i\\\\\\| j \\| k";
        assert_eq!(markdown_text(evil), expected);
        assert_eq!(markdown_text("learning_rate = 0.05, 96.60 ± 0.10 %"), "learning_rate = 0.05, 96.60 ± 0.10 %");
    }

    #[test]
    fn a_code_span_ends_where_its_text_ends() {
        assert_eq!(markdown_code("optimizer.type"), "`optimizer.type`");
        assert_eq!(markdown_code("a`b|<c>\nd"), "``a`b\\|<c> d``");
        assert_eq!(markdown_code("``"), "``` `` ```");
    }

    #[test]
    fn a_block_ends_where_its_text_ends() {
        assert_eq!(markdown_block("a"), "```text\na\n```\n");
        assert_eq!(markdown_block("a\n````\nb"), "`````text\na\n````\nb\n`````\n");
    }
}
