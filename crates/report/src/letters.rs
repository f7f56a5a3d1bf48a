//! How wide text is on paper: drawings for paper have to fit a width, and are all drawn with one font.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::HtmlEscape;
use resvg::usvg::{Group, Node, Text, Tree};

use crate::medium::TEXT;
use crate::raster;
use crate::templates::printable;

/// The width of each letter that was measured.
static WIDTHS: LazyLock<Mutex<HashMap<char, f64>>> = LazyLock::new(Mutex::default);

/// The width of `text`, in units of a drawing: that of its letters one by one. Pairs of letters are at most as wide.
pub(crate) fn width(text: &str) -> f64 {
    let mut widths = WIDTHS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut width = |letter| *widths.entry(letter).or_insert_with(|| measured(&format!("0{letter}0")) - measured("00"));
    printable(text).chars().map(&mut width).sum()
}

/// The width of a text as it is drawn.
fn measured(text: &str) -> f64 {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text font-family=\"sans-serif\" \
         font-size=\"{TEXT}\" xml:space=\"preserve\">{}</text></svg>",
        HtmlEscape(text)
    );
    raster::tree(&svg).map_or(0.0, |tree| f64::from(tree.root().bounding_box().width()))
}

/// The width of the widest of `texts`; 0 of none.
pub(crate) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>) -> f64 {
    texts.into_iter().map(width).fold(0.0, f64::max)
}

/// `text`, or as much of its beginning as fits into `most` with an ellipsis.
pub(crate) fn fitted(text: &str, most: f64) -> String {
    // Two units a letter is less than the narrowest letters have.
    let letters: Vec<char> = text.chars().take(1 + (most / 2.0) as usize).collect();
    if letters.len() == text.chars().count() && width(text) <= most {
        return text.to_owned();
    }
    let begin = |count: usize| format!("{}…", letters[..count].iter().collect::<String>().trim_end());
    let (mut fits, mut too_many) = (0, letters.len() + 1);
    while too_many - fits > 1 {
        let middle = usize::midpoint(fits, too_many);
        if width(&begin(middle)) <= most { fits = middle } else { too_many = middle }
    }
    begin(fits)
}

/// The letters of a drawing that the font does not have.
pub(crate) fn missing(tree: &Tree) -> BTreeSet<char> {
    let mut letters = BTreeSet::new();
    each_text(tree.root(), &mut |text| {
        for glyph in text.layouted().iter().flat_map(|span| &span.positioned_glyphs) {
            if glyph.id.0 == 0 {
                letters.extend(glyph.text.chars());
            }
        }
    });
    letters
}

/// Calls `look` with every text of a drawing.
pub(crate) fn each_text(group: &Group, look: &mut impl FnMut(&Text)) {
    for node in group.children() {
        match node {
            Node::Group(inner) => each_text(inner, look),
            Node::Text(text) => look(text),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        let one = width("0");
        // The advance of a digit of Ubuntu Light is 0.564 of the font's size.
        assert!((one - 0.564 * TEXT).abs() < 0.02, "{one}");
        assert!((width("000") - 3.0 * one).abs() < 0.02);
        assert!(width("<&>") > one && width("") == 0.0);
        for text in ["a long name, AVA To Wa", "100.0 %", "naïve Œuvre…", "fi ffl"] {
            let (sum, drawn) = (width(text), measured(text));
            assert!(sum >= drawn - 0.1 && sum < 1.06 * drawn, "{text}: {sum} and {drawn}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_to_what_does() {
        assert_eq!(fitted("cat", 100.0), "cat");
        for name in ["a very long name of a class", "WWWWWWWWWWWWWWWWWWWWWWWW", &"i".repeat(10_000)] {
            let fitted = fitted(name, 60.0);
            assert!(fitted.ends_with('…') && width(&fitted) <= 60.0 && width(&fitted) > 40.0, "{fitted}");
        }
        assert_eq!(fitted("cat", 0.0), "…");
    }

    #[test]
    fn letters_that_the_font_lacks_are_found() {
        let tree = |text: &str| {
            let svg = format!("<svg xmlns='http://www.w3.org/2000/svg'><g><text>{text}</text></g></svg>");
            raster::tree(&svg).unwrap()
        };
        assert!(missing(&tree("naïve – 5 × α … ±")).is_empty());
        assert_eq!(missing(&tree("a 猫 b 犬")).into_iter().collect::<String>(), "犬猫");
    }
}
