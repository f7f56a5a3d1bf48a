//! The confusion matrix, in counts and in row percentages.

use backproof_spec::{are, counted};
use backproof_train::Prediction;
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::templates::render;

/// Counts, `[true][predicted]`: rows are true classes, columns predicted ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    pub(crate) names: Vec<String>,
    pub(crate) counts: Vec<Vec<usize>>,
}

/// One cell as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cell {
    pub(crate) count: usize,
    /// The share of the row, in percent with one decimal; a dash where the row is empty.
    pub(crate) percent: String,
    /// How strongly it is shaded, 0 to 1.
    pub(crate) shade: f64,
    /// Whether the prediction is right.
    pub(crate) right: bool,
}

/// One row as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    left: f64,
    head: f64,
    upright: bool,
    cell: [f64; 2],
    counts: bool,
    names: &'a [String],
    rows: &'a [Row],
}

const CELL: [f64; 2] = [46.0, 34.0];
/// Above the cells: for slanted names and for upright ones.
const HEAD: [f64; 2] = [108.0, 70.0];

impl Confusion {
    /// More classes than these are not drawn: nobody reads so many cells, and their number grows with the square.
    pub(crate) const MOST_CLASSES: usize = 50;

    /// Counts `predictions` over the classes `names`.
    pub(crate) fn new(names: Vec<String>, predictions: &[Prediction]) -> Self {
        let mut counts = vec![vec![0; names.len()]; names.len()];
        for prediction in predictions {
            counts[prediction.label][prediction.predicted] += 1;
        }
        Self { names, counts }
    }

    /// Whether the names are short enough to stand over their columns without a slant.
    pub(crate) fn upright(&self) -> bool {
        self.names.iter().all(|name| name.chars().count() <= 4)
    }

    /// Every row with its cells.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let cell = |row: usize, column: usize, support: usize| {
            let count = self.counts[row][column];
            let share = (support > 0).then(|| count as f64 / support as f64);
            Cell {
                count,
                percent: share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", 100.0 * share)),
                // The root, because most mistakes are few: 1 % is to be seen beside 90 %.
                shade: (1000.0 * share.unwrap_or(0.0).sqrt()).round() / 1000.0,
                right: row == column,
            }
        };
        let row = |(row, name): (usize, &String)| {
            let support = self.counts[row].iter().sum();
            Row { name: name.clone(), cells: (0..self.names.len()).map(|column| cell(row, column, support)).collect() }
        };
        self.names.iter().enumerate().map(row).collect()
    }

    /// `confusion-counts` and `confusion-percent`.
    pub(crate) fn figures(&self) -> Result<[Figure; 2], ReportError> {
        Ok([
            self.figure("confusion-counts", "Confusion matrix, images", true)?,
            self.figure("confusion-percent", "Confusion matrix, % of each true class", false)?,
        ])
    }

    fn figure(&self, name: &str, title: &str, counts: bool) -> Result<Figure, ReportError> {
        let longest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        // 7 units a character at 13 px is on the safe side; names that are longer are cut.
        let left = 30.0 + 7.0 * longest.clamp(2, 14) as f64;
        let classes = self.names.len() as f64;
        let head = HEAD[usize::from(self.upright())];
        let short = |name: &String| name.chars().take(14).collect::<String>();
        let right: usize = (0..self.names.len()).map(|class| self.counts[class][class]).sum();
        let images: usize = self.counts.iter().flatten().sum();
        let names: Vec<String> = self.names.iter().map(short).collect();
        let body = render(
            "confusion.svg",
            Context {
                title,
                left,
                head,
                upright: self.upright(),
                cell: CELL,
                counts,
                names: &names,
                rows: &self.rows(),
            },
        )?;
        Ok(Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            description: format!(
                "A table of {classes} true classes, in rows, by {classes} predicted classes, in columns; \
                 {right} of {} {} on its diagonal.",
                counted(images, "image"),
                are(right)
            ),
            width: left + classes * CELL[0] + 12.0,
            height: head + classes * CELL[1] + 12.0,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: usize, predicted: usize) -> Prediction {
        Prediction { index: 0, label, predicted, probabilities: Vec::new(), loss: 0.0 }
    }

    #[test]
    fn rows_are_true_classes_and_their_percentages_sum_to_100() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let predictions = [(0, 0), (0, 1), (0, 1), (0, 1), (1, 1)].map(|(label, said)| prediction(label, said));
        let confusion = Confusion::new(names, &predictions);
        assert_eq!(confusion.counts, [[1, 3, 0], [0, 1, 0], [0, 0, 0]]);
        let percents: Vec<Vec<String>> =
            confusion.rows().into_iter().map(|row| row.cells.into_iter().map(|cell| cell.percent).collect()).collect();
        assert_eq!(percents, [["25.0", "75.0", "0.0"], ["0.0", "100.0", "0.0"], ["–", "–", "–"]]);
    }

    #[test]
    fn names_are_escaped_in_the_drawing() {
        let names = vec!["<script>".to_owned(), "\"&".to_owned()];
        let [counts, _] = Confusion::new(names, &[prediction(0, 1)]).figures().unwrap();
        assert!(counts.body.contains("&lt;script&gt;") && !counts.body.contains("<script>"));
        roxmltree::Document::parse(&counts.document().unwrap()).unwrap();
    }
}
