//! The figure of the misclassified images: a grid of the worst, each with the probabilities of its classes.

use backproof_spec::thousands;
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::image::MAGNIFIED;
use crate::letters::{fitted, width};
use crate::medium::{LINE, Medium};
use crate::mistakes::{Bar, Mistake, Mistakes};
use crate::scale::round;
use crate::templates::render;

/// On a screen.
const DRAWN: usize = 20;
/// On paper: columns and rows of a narrow figure and of a wide one.
const GRID_ON_PAPER: [[usize; 2]; 2] = [[2, 4], [4, 3]];
/// What is wider than this is wide.
const WIDE: f64 = 600.0;
/// Bars beside an image on paper, as high as the image.
const BARS: usize = 5;

#[derive(Serialize)]
struct Tile<'a> {
    x: f64,
    y: f64,
    mistake: &'a Mistake,
    /// Length of each bar.
    lengths: Vec<f64>,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    tiles: Vec<Tile<'a>>,
    names: &'a [String],
    name_length: usize,
    /// Where bars begin in a tile.
    bars: f64,
    side: f64,
}

/// A mistake on paper.
#[derive(Serialize)]
struct PaperTile {
    x: f64,
    y: f64,
    label: String,
    predicted: String,
    image: String,
    index: usize,
    bars: Vec<PaperBar>,
}

#[derive(Serialize)]
struct PaperBar {
    name: String,
    kind: &'static str,
    /// Its top.
    y: f64,
    length: f64,
}

#[derive(Serialize)]
struct PaperContext<'a> {
    title: &'a str,
    /// What the bars are, in lines.
    legend: &'a [&'a str],
    tiles: Vec<PaperTile>,
    side: f64,
    bars: f64,
    line: f64,
}

/// The worst of the misclassified images in a grid; `None` without images or mistakes.
pub(crate) fn figure(mistakes: &Mistakes, medium: Medium) -> Result<Option<Figure>, ReportError> {
    let [columns, rows] = medium.width().map_or([4, DRAWN / 4], |width| GRID_ON_PAPER[usize::from(width > WIDE)]);
    let with_image = mistakes.shown.iter().filter(|it| it.image.is_some());
    let drawn: Vec<&Mistake> = with_image.take(columns * rows).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    let all = thousands(mistakes.count);
    let title = if drawn.len() == mistakes.count {
        format!("The {all} misclassified test images, worst first")
    } else {
        format!("The worst {} of {all} misclassified test images", drawn.len())
    };
    let (body, [width, height]) = match medium.width() {
        None => on_a_screen(mistakes, &drawn, columns, &title)?,
        Some(width) => on_paper(mistakes, &drawn, columns, &title, width)?,
    };
    let description = format!("{title}, each with the probabilities of its classes.");
    Ok(Some(Figure { name: "misclassified".to_owned(), title, description, width, height, body }))
}

/// The drawing, and its width and height.
type Drawing = (String, [f64; 2]);

fn on_a_screen(mistakes: &Mistakes, drawn: &[&Mistake], columns: usize, title: &str) -> Result<Drawing, ReportError> {
    const SIDE: f64 = 92.0;
    const TILE: [f64; 2] = [252.0, 152.0];
    const HEAD: f64 = 58.0;
    // 5 units a character at 9 px.
    let bars = SIDE + 12.0 + 5.0 * mistakes.name_length as f64;
    let longest = TILE[0] - bars - 24.0;
    let tiles = drawn.iter().enumerate().map(|(place, &mistake)| Tile {
        x: (place % columns) as f64 * TILE[0],
        y: HEAD + (place / columns) as f64 * TILE[1],
        lengths: mistake.bars.iter().map(|bar| round(bar.share * longest)).collect(),
        mistake,
    });
    let context = Context {
        title,
        tiles: tiles.collect(),
        names: &mistakes.names,
        name_length: mistakes.name_length,
        bars,
        side: SIDE,
    };
    let rows = drawn.len().div_ceil(columns) as f64;
    Ok((render("mistakes.svg", context)?, [columns as f64 * TILE[0], HEAD + rows * TILE[1]]))
}

/// Text is as large as everywhere on paper, so that an image has few bars: those of the two classes in question, and of
/// the likeliest of the others.
fn on_paper(
    mistakes: &Mistakes,
    drawn: &[&Mistake],
    columns: usize,
    title: &str,
    all: f64,
) -> Result<Drawing, ReportError> {
    /// Between columns, and between rows.
    const GAP: [f64; 2] = [18.0, 10.0];
    let legend: &[&str] = match all > WIDE {
        true => &["bars: probabilities; framed the true class, filled the predicted one"],
        false => &["bars: probabilities; framed the true class,", "filled the predicted one"],
    };
    let head = 50.0 + 16.0 * (legend.len() - 1) as f64;
    const LINE_OF_BAR: f64 = 15.0;
    let tile = (all - GAP[0] * (columns - 1) as f64) / columns as f64;
    let shown: Vec<Vec<&Bar>> = drawn.iter().map(|mistake| likeliest(&mistake.bars)).collect();
    let most = shown.iter().map(Vec::len).max().unwrap_or(0);
    // As high as the bars; of two classes, no smaller than it needs to be seen.
    let side = (LINE_OF_BAR * most as f64).max(3.0 * LINE_OF_BAR);
    let room = tile - side - 8.0;
    let names = shown.iter().flatten().map(|bar| width(&bar.name)).fold(0.0, f64::max).min(0.66 * room);
    let bars = side + 8.0 + names + 5.0;
    let longest = tile - bars;
    let height = LINE + side + LINE + GAP[1];
    let between = width(" taken for ");
    let tiles = drawn.iter().zip(&shown).enumerate().map(|(place, (mistake, bars))| {
        let [label, predicted] = [mistake.label, mistake.predicted].map(|class| &mistakes.names[class]);
        // A short name leaves its room to the other.
        let (words, half) = (tile - between, (tile - between) / 2.0);
        let label_most = half.max(words - width(predicted));
        let label = fitted(label, label_most);
        let times = |side: usize| MAGNIFIED.div_ceil(side.max(1));
        PaperTile {
            x: round((place % columns) as f64 * (tile + GAP[0])),
            y: round(head + (place / columns) as f64 * height),
            predicted: fitted(predicted, words - width(&label)),
            label,
            image: mistake.picture.as_ref().map_or_else(String::new, |it| it.magnified(times(it.side())).data_uri()),
            index: mistake.index,
            bars: bars
                .iter()
                .enumerate()
                .map(|(line, bar)| PaperBar {
                    name: fitted(&bar.name, names),
                    kind: bar.kind,
                    y: round(LINE + line as f64 * LINE_OF_BAR),
                    length: round(bar.share * longest),
                })
                .collect(),
        }
    });
    let context = PaperContext { title, legend, tiles: tiles.collect(), side, bars: round(bars), line: LINE };
    let rows = drawn.len().div_ceil(columns) as f64;
    Ok((render("mistakes-paper.svg", context)?, [all, head + rows * height - GAP[1]]))
}

/// The bars of the true class, of the predicted one and of the likeliest others, in label order.
fn likeliest(bars: &[Bar]) -> Vec<&Bar> {
    let mut bars: Vec<&Bar> = bars.iter().collect();
    bars.sort_by(|a, b| a.kind.is_empty().cmp(&b.kind.is_empty()).then(b.share.total_cmp(&a.share)));
    bars.truncate(BARS);
    bars.sort_by_key(|bar| bar.class);
    bars
}

#[cfg(test)]
mod tests {
    use backproof_data::Images;
    use backproof_spec::Shape;
    use backproof_train::Prediction;

    use super::*;

    fn mistakes(classes: usize, count: usize) -> Mistakes {
        let names: Vec<String> = (0..classes).map(|class| format!("<b> class {class}")).collect();
        let images = Images::new(vec![7; 12 * count], vec![0; count], Shape::image(3, 2, 2));
        let predictions: Vec<Prediction> = (0..count)
            .map(|index| {
                let mut probabilities = vec![0.1 / (classes - 1) as f64; classes];
                probabilities[1] = 0.9;
                Prediction { index, label: 0, predicted: 1, probabilities: probabilities.into(), loss: 0.0 }
            })
            .collect();
        Mistakes::new(names, &predictions, Some(&images))
    }

    #[test]
    fn names_are_escaped_and_there_is_no_figure_without_images() {
        for medium in [Medium::Screen, Medium::Paper(84.0)] {
            let figure = figure(&mistakes(3, 2), medium).unwrap().unwrap();
            assert!(figure.body.contains("&lt;b&gt;") && !figure.body.contains("<b>"));
            figure.png().unwrap();
            let prediction =
                Prediction { index: 0, label: 0, predicted: 1, probabilities: vec![0.0, 1.0].into(), loss: 1.0 };
            let mistakes = Mistakes::new(vec!["a".to_owned(), "b".to_owned()], &[prediction], None);
            assert!(super::figure(&mistakes, medium).unwrap().is_none());
        }
    }

    #[test]
    fn a_narrow_column_has_fewer_images_and_all_of_them_the_bars_in_question() {
        for (millimetres, images) in [(84.0, 8), (174.0, 12)] {
            let figure = figure(&mistakes(12, 30), Medium::Paper(millimetres)).unwrap().unwrap();
            assert_eq!(figure.body.matches("<image").count(), images);
            assert_eq!(figure.body.matches("class=\"frame\"").count(), images);
            assert_eq!(figure.body.matches("<rect class=\"wrong\"").count(), images);
            assert_eq!(figure.body.matches("<rect").count(), images * BARS);
        }
    }
}
