//! Recall and precision of each class as a figure.

use backproof_train::{ClassResult, EvaluationResult};
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::{fitted, widest, width};
use crate::medium::Medium;
use crate::scale::{Scale, Tick, round};
use crate::templates::render;

/// Rows of the figure. Of more classes, those with the lowest recall are drawn.
const MOST: usize = 30;
const ROW: f64 = 19.0;
const HEAD: f64 = 48.0;
const WIDTH: f64 = 560.0;

#[derive(Serialize)]
struct Row {
    name: String,
    y: f64,
    /// The end of the bar, and the middle of the mark; none of a class without images, or that was never predicted.
    recall: Option<f64>,
    precision: Option<f64>,
    words: String,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    row: f64,
    /// Where the numbers end.
    end: f64,
    ticks: Vec<Tick>,
    rows: Vec<Row>,
}

/// A bar for the recall of each class and a mark for its precision; `None` without classes.
pub(crate) fn figure(result: &EvaluationResult, medium: Medium) -> Result<Option<Figure>, ReportError> {
    let classes = &result.classes;
    if classes.is_empty() {
        return Ok(None);
    }
    let mut drawn: Vec<&ClassResult> = classes.iter().collect();
    let mut title = "Recall and precision of each class".to_owned();
    if drawn.len() > MOST {
        drawn.sort_by(|a, b| a.recall.unwrap_or(2.0).total_cmp(&b.recall.unwrap_or(2.0)));
        drawn.truncate(MOST);
        title = format!("Recall and precision: the lowest {MOST} of {} classes", classes.len());
    }
    let all = medium.width().unwrap_or(WIDTH);
    let names = widest(drawn.iter().map(|class| class.class.as_str())).min(0.35 * all);
    let words =
        |class: &ClassResult| class.recall.map_or_else(|| "–".to_owned(), |recall| format!("{:.1}", 100.0 * recall));
    // The fonts of screens are wider than ours.
    let slack = if medium == Medium::Screen { 1.2 } else { 1.0 };
    let (left, right) = (slack * names + 10.0, all - slack * width("100.0") - 9.0);
    let (top, bottom) = (HEAD, HEAD + ROW * drawn.len() as f64);
    let x = Scale::linear([0.0, 100.0], 4, [left, right]);
    let rows = drawn.iter().enumerate().map(|(place, class)| Row {
        name: fitted(&class.class, names),
        y: round(top + ROW * place as f64),
        recall: class.recall.map(|recall| x.place(100.0 * recall)),
        precision: class.precision.map(|precision| x.place(100.0 * precision)),
        words: words(class),
    });
    let context = Context {
        title: &title,
        left: round(left),
        right: round(right),
        top,
        bottom,
        row: ROW,
        end: round(all - 1.0),
        ticks: x.drawn_ticks(),
        rows: rows.collect(),
    };
    let said: Vec<String> = drawn.iter().map(|class| format!("{}: {}", class.class, words(class))).collect();
    Ok(Some(Figure {
        name: "classes".to_owned(),
        description: format!("Bars, the recall of each class in %. {}.", said.join(", ")),
        width: all,
        height: bottom + 22.0,
        body: render("class-bars.svg", context)?,
        title,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(recalls: &[Option<f64>]) -> EvaluationResult {
        let class = |(label, &recall): (usize, &Option<f64>)| ClassResult {
            class: format!("<{label}>"),
            precision: recall.map(|recall| recall / 2.0),
            recall,
            true_positives: 1,
            support: 2,
            areas: backproof_train::Areas::default(),
        };
        let classes: Vec<ClassResult> = recalls.iter().enumerate().map(class).collect();
        let names: [&str; 0] = [];
        let empty =
            backproof_train::Evaluation::new(backproof_spec::Loss::CrossEntropy, 0).result("test", None, &names);
        EvaluationResult { classes, ..empty }
    }

    #[test]
    fn a_bar_ends_at_the_recall_and_a_class_without_images_has_none() {
        let figure = figure(&result(&[Some(0.5), None]), Medium::Screen).unwrap().unwrap();
        assert_eq!(figure.body.matches("class=\"t0\"").count(), 1);
        assert!(figure.description.ends_with("<0>: 50.0, <1>: –."), "{}", figure.description);
        assert!(figure.body.contains("&lt;0&gt;") && !figure.body.contains("<0>"));
        figure.png().unwrap();
        assert!(super::figure(&result(&[]), Medium::Screen).unwrap().is_none());
    }

    #[test]
    fn of_many_classes_the_lowest_are_drawn() {
        let recalls: Vec<Option<f64>> = (0..100).map(|class| Some(1.0 - f64::from(class) / 100.0)).collect();
        let figure = figure(&result(&recalls), Medium::Paper(84.0)).unwrap().unwrap();
        assert_eq!(figure.body.matches("class=\"t0\"").count(), MOST);
        assert!(figure.description.contains("<99>: 1.0") && !figure.description.contains("<69>:"));
    }
}
