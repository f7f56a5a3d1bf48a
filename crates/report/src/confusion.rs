//! The confusion matrix, in counts and in row percentages.

use backproof_spec::{are, counted};
use backproof_train::Prediction;
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::{fitted, widest};
use crate::medium::{Medium, TEXT};
use crate::scale::round;
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
    /// Whether it leads to misclassified images.
    pub(crate) leads: bool,
}

/// One row as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell>,
}

/// What is drawn, and where.
#[derive(Serialize)]
struct Drawing {
    title: &'static str,
    subtitle: &'static str,
    /// Of the whole, to stand in the middle of a wide column.
    offset: f64,
    left: f64,
    head: f64,
    cell: [f64; 2],
    /// Between cells.
    gap: f64,
    /// Below the last row.
    below: f64,
    /// The turn of the names over the columns, in degrees; 0 is upright.
    turn: f64,
    /// Every so many classes have their name at their row and column.
    every: usize,
    names: Vec<String>,
    rows: Vec<DrawnRow>,
}

#[derive(Serialize)]
struct DrawnRow {
    cells: Vec<DrawnCell>,
}

#[derive(Serialize)]
struct DrawnCell {
    column: usize,
    right: bool,
    zero: bool,
    opacity: f64,
    text: String,
}

const CELL: [f64; 2] = [46.0, 34.0];
/// The largest cells on paper, and how much wider than high they are.
const CELL_ON_PAPER: f64 = 62.0;
const PROPORTION: f64 = 1.4;
/// Above the cells: for slanted names and for upright ones.
const HEAD: [f64; 2] = [108.0, 70.0];
const SUBTITLE: &str = "rows: true class, columns: predicted class";
const SUBTITLE_WITHOUT_NUMBERS: &str = "rows: true class, columns: predicted; darker: a larger share";

impl Confusion {
    /// More classes than these are not drawn: nobody reads so many cells, and their number grows with the square.
    pub(crate) const MOST_CLASSES: usize = 50;
    /// On paper the cells of many classes have no numbers, so that it is drawn of more.
    pub(crate) const MOST_ON_PAPER: usize = 200;

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
                leads: false,
            }
        };
        let row = |(row, name): (usize, &String)| {
            let support = self.counts[row].iter().sum();
            Row { name: name.clone(), cells: (0..self.names.len()).map(|column| cell(row, column, support)).collect() }
        };
        self.names.iter().enumerate().map(row).collect()
    }

    /// `confusion-counts` and `confusion-percent`; without numbers in the cells the two are one, `confusion-percent`.
    pub(crate) fn figures(&self, medium: Medium) -> Result<Vec<Figure>, ReportError> {
        let drawn = [
            self.figure("confusion-counts", "Confusion matrix, images", true, medium)?,
            self.figure("confusion-percent", "Confusion matrix, % of each true class", false, medium)?,
        ];
        Ok(drawn.into_iter().flatten().collect())
    }

    fn figure(
        &self,
        name: &str,
        title: &'static str,
        counts: bool,
        medium: Medium,
    ) -> Result<Option<Figure>, ReportError> {
        let (drawing, width) = match medium.width() {
            None => self.on_a_screen(title, counts),
            Some(width) => match self.with_numbers(width, title, counts) {
                Some(drawing) => (drawing, width),
                None if counts => return Ok(None),
                None => (self.without_numbers(width, title), width),
            },
        };
        let classes = self.names.len();
        let right: usize = (0..classes).map(|class| self.counts[class][class]).sum();
        let images: usize = self.counts.iter().flatten().sum();
        Ok(Some(Figure {
            name: name.to_owned(),
            title: title.to_owned(),
            description: format!(
                "A table of {classes} true classes, in rows, by {classes} predicted classes, in columns; \
                 {right} of {} {} on its diagonal.",
                counted(images, "image"),
                are(right)
            ),
            width,
            height: drawing.head + classes as f64 * drawing.cell[1] + drawing.below,
            body: render("confusion.svg", drawing)?,
        }))
    }

    fn on_a_screen(&self, title: &'static str, counts: bool) -> (Drawing, f64) {
        let longest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        // 7 units a character at 13 px is on the safe side; names that are longer are cut.
        let left = 30.0 + 7.0 * longest.clamp(2, 14) as f64;
        let drawing = Drawing {
            title,
            subtitle: SUBTITLE,
            offset: 0.0,
            left,
            head: HEAD[usize::from(self.upright())],
            cell: CELL,
            gap: 1.0,
            below: 12.0,
            turn: if self.upright() { 0.0 } else { -45.0 },
            every: 1,
            names: self.names.iter().map(|name| name.chars().take(14).collect()).collect(),
            rows: self.drawn([0.42, 0.6], |cell| if counts { cell.count.to_string() } else { cell.percent.clone() }),
        };
        (drawing, left + self.names.len() as f64 * CELL[0] + 12.0)
    }

    /// A matrix that fits a column with the number of each cell; `None` where there is no room for them.
    fn with_numbers(&self, all: f64, title: &'static str, counts: bool) -> Option<Drawing> {
        /// Names are not cut to less than these for the sake of tenths, and of numbers at all.
        const NAMES: [f64; 2] = [90.0, 44.0];
        let classes = self.names.len() as f64;
        let texts: [fn(&Cell) -> String; 2] = match counts {
            true => [|cell| cell.count.to_string(); 2],
            // Whole percents where tenths have no room.
            false => [|cell| cell.percent.clone(), Cell::whole_percent],
        };
        let rows = self.rows();
        let wanted = widest(self.names.iter().map(String::as_str)).min(0.3 * all);
        for (text, least) in texts.into_iter().zip(NAMES) {
            let texts: Vec<String> = rows.iter().flat_map(|row| &row.cells).map(text).collect();
            // Digits are of one width, so that the longest text is the widest.
            let longest = texts.iter().max_by_key(|text| text.len()).map_or("", String::as_str);
            let needed = widest([longest]) + 5.0;
            let name = wanted.min(all - 12.0 - classes * needed);
            if name < wanted.min(least) {
                continue;
            }
            let left = name + 11.0;
            let cell = ((all - left - 1.0) / classes).min(CELL_ON_PAPER);
            let names: Vec<String> = self.names.iter().map(|of_class| fitted(of_class, name)).collect();
            let is_upright = widest(names.iter().map(String::as_str)) <= cell - 3.0;
            let head = if is_upright { 64.0 } else { 54.0 + widest(names.iter().map(String::as_str)) };
            return Some(Drawing {
                title,
                subtitle: SUBTITLE,
                offset: round((all - left - 1.0 - classes * cell) / 2.0),
                left,
                head: round(head),
                cell: [round(cell), round((cell / PROPORTION).max(TEXT + 6.0))],
                gap: 1.0,
                below: 2.0,
                turn: if is_upright { 0.0 } else { -90.0 },
                every: 1,
                names,
                rows: self.drawn([0.42, 0.6], text),
            });
        }
        None
    }

    /// Shades alone, with the names of as many classes as have room.
    fn without_numbers(&self, all: f64, title: &'static str) -> Drawing {
        /// Half a line: the name of the last class may be wider than its cells.
        const EDGE: f64 = 9.0;
        let classes = self.names.len() as f64;
        let name = widest(self.names.iter().map(String::as_str)).min(0.25 * all);
        let left = name + 11.0;
        let cell = ((all - left - EDGE) / classes).min(CELL_ON_PAPER / PROPORTION);
        let names: Vec<String> = self.names.iter().map(|of_class| fitted(of_class, name)).collect();
        Drawing {
            title,
            subtitle: SUBTITLE_WITHOUT_NUMBERS,
            offset: round((all - left - EDGE - classes * cell) / 2.0),
            left,
            head: round(54.0 + widest(names.iter().map(String::as_str))),
            cell: [cell; 2],
            gap: if cell < 8.0 { 0.0 } else { 0.5 },
            below: EDGE,
            turn: -90.0,
            every: ((TEXT + 1.0) / cell).ceil().max(1.0) as usize,
            names,
            rows: self.drawn([1.0; 2], |_| String::new()),
        }
    }

    /// The cells as they are drawn: all that have a text, and else those that are not 0. `opacities` are the largest, of
    /// a right cell and of a wrong one.
    fn drawn(&self, opacities: [f64; 2], text: impl Fn(&Cell) -> String) -> Vec<DrawnRow> {
        let drawn = |(column, cell): (usize, &Cell)| {
            let text = text(cell);
            let opacity = (cell.shade * opacities[usize::from(!cell.right)] * 1000.0).round() / 1000.0;
            let is_seen = !text.is_empty() || cell.count > 0;
            is_seen.then_some(DrawnCell { column, right: cell.right, zero: cell.count == 0, opacity, text })
        };
        let row = |row: &Row| DrawnRow { cells: row.cells.iter().enumerate().filter_map(drawn).collect() };
        self.rows().iter().map(row).collect()
    }
}

impl Cell {
    /// The share of the row, without decimals.
    fn whole_percent(&self) -> String {
        self.percent.parse().map_or_else(|_| self.percent.clone(), |percent: f64| format!("{percent:.0}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: usize, predicted: usize) -> Prediction {
        Prediction { index: 0, label, predicted, probabilities: Vec::new().into(), loss: 0.0 }
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
        let counts = &Confusion::new(names, &[prediction(0, 1)]).figures(Medium::Screen).unwrap()[0];
        assert!(counts.body.contains("&lt;script&gt;") && !counts.body.contains("<script>"));
        roxmltree::Document::parse(&counts.document().unwrap()).unwrap();
    }
}
