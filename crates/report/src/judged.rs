//! Pages of what a judge said of answers to exercises: one for a student, one for a class.

use serde::Serialize;

use crate::ReportError;
use crate::page::Styles;
use crate::templates::render;

#[derive(Serialize)]
struct Page<J> {
    styles: Styles,
    title: String,
    judged: J,
}

/// The page of one exercise. `judged` has the fields of `backproof_judge::Judged`, with each verdict in words.
///
/// # Errors
///
/// A field that is not there.
pub fn judged_page(title: &str, judged: impl Serialize) -> Result<String, ReportError> {
    render("judged.html", Page { styles: Styles::new()?, title: title.to_owned(), judged })
}

/// The page of a class: a row for each of several exercises.
///
/// # Errors
///
/// A field that is not there.
pub fn class_page(title: &str, judged: impl Serialize) -> Result<String, ReportError> {
    render("class.html", Page { styles: Styles::new()?, title: title.to_owned(), judged })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_well_formed_whatever_a_folder_is_called() {
        let tensor = json!({
            "tensor": "dx", "dims": [2, 3], "verdict": "wrong", "diagnosis": "<b>", "note": null, "wrong": 1,
            "elements": 6, "worst": {"position": [0, 1], "answer": 1.0, "truth": "2.0", "tolerance": 1e-9},
        });
        let judged = json!({
            "folder": "a<b&\u{1b}", "subject": "relu", "level": 2, "seed": 0, "right": false, "tensors_right": 1,
            "tensors": 2, "error": null,
            "cases": [{"case": "case1", "about": "x 2×3", "file": null, "notes": ["<i>"], "tensors": [tensor]}],
        });
        let missing = json!({"folder": "c", "error": "is no exercise"});
        let page = judged_page("relu", &judged).unwrap();
        let class = class_page("A class", json!([judged, missing])).unwrap();
        for page in [page, class] {
            let text = page.split_once("<html").map(|(_, rest)| format!("<html{rest}")).unwrap();
            roxmltree::Document::parse(&text).unwrap();
            assert!(page.contains("a&lt;b&amp;") && page.contains("&lt;b&gt;"));
        }
    }
}
