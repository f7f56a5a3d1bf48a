//! The sections of `docs/derivations` that derive layers and losses, as HTML for `explain.html`.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use serde::Serialize;

/// The pages that derive a layer or a loss.
const PAGES: [&str; 6] = [
    include_str!("../../../docs/derivations/dense.md"),
    include_str!("../../../docs/derivations/activations.md"),
    include_str!("../../../docs/derivations/losses.md"),
    include_str!("../../../docs/derivations/convolution.md"),
    include_str!("../../../docs/derivations/normalisation.md"),
    include_str!("../../../docs/derivations/residual.md"),
];

/// A section of the derivations.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Section {
    pub number: usize,
    /// Its heading with the number: `7 Convolution`.
    pub title: String,
    /// Without its heading.
    pub html: String,
}

/// All sections of the pages.
pub(crate) fn sections() -> impl Iterator<Item = Section> {
    texts().map(|(number, title, text)| Section { number, title: title.to_owned(), html: to_html(text) })
}

/// Number, heading and text of each section.
fn texts() -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    PAGES.iter().flat_map(|page| page.split("\n## ").skip(1)).map(|section| {
        let (title, text) = section.split_once('\n').expect("a heading is followed by its text");
        let number = title.split(' ').next().and_then(|number| number.parse().ok());
        (number.expect("the heading of a section has its number"), title, text)
    })
}

/// Links and figures lead to other files, which the page does not have: the words of a link stay, a figure goes.
fn to_html(markdown: &str) -> String {
    let mut figure = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Image { .. }) => {
            figure = true;
            None
        }
        Event::End(TagEnd::Image) => {
            figure = false;
            None
        }
        _ if figure => None,
        Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => None,
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Some(Event::Start(Tag::Heading { level: HeadingLevel::H3, id, classes, attrs }))
        }
        Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Heading(HeadingLevel::H3))),
        event => Some(event),
    });
    let mut made = String::new();
    html::push_html(&mut made, events);
    // A wide one scrolls, so the keyboard must get there.
    made.replace("<pre>", "<pre tabindex=\"0\" role=\"group\" aria-label=\"Formulas or numbers\">")
}

/// The text of a section without what only a batch needs, and without spaces, for tests that look a formula up.
#[cfg(test)]
pub(crate) fn of_one_sample(number: usize) -> Option<String> {
    let (_, _, text) = texts().find(|(of, ..)| *of == number)?;
    let text: String = text.chars().filter(|character| !character.is_whitespace() && *character != '`').collect();
    Some(text.replace("Σ_n", "").replace("_n,", "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_keeps_its_tables_and_formulas_and_leaves_out_figures_and_addresses() {
        let sections: Vec<_> = sections().collect();
        let of = |number| sections.iter().find(|section| section.number == number).unwrap();
        assert_eq!(of(7).title, "7 Convolution");
        assert!(of(7).html.contains("<h3>In two dimensions</h3>") && of(7).html.contains("<pre tabindex=\"0\""));
        assert!(of(4).html.contains("<table>") && of(4).html.contains("<code>Relu::backward</code>"));
        let all: String = sections.iter().map(|section| section.html.as_str()).collect();
        assert!(!all.contains("<img") && !all.contains("href"));
    }
}
