//! Whether probabilities are what they say: of images with confidence 0.8, is 0.8 the share that is right?

use backproof_spec::{counted, thousands};
use backproof_train::{CONFIDENCE_BINS, ConfidenceBin, Measures, Prediction, confidence_bins};
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::{fitted, widest, width};
use crate::medium::Medium;
use crate::scale::{Scale, Tick, round};
use crate::templates::render;

/// The figure on a screen: its width, and left and top of the plot.
const WIDTH: f64 = 625.0;
const LEFT: f64 = 74.0;
const TOP: f64 = 58.0;
/// The height of the bars of counts, in which a number of seven digits can stand, and what is above.
const COUNTS: f64 = 84.0;
const GAP: f64 = 12.0;

/// A row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct BinRow {
    from: f64,
    to: f64,
    images: usize,
    accuracy: f64,
    confidence: f64,
}

#[derive(Serialize)]
struct Bin {
    x: f64,
    width: f64,
    /// The top of the bar, and top and height of what lies between accuracy and confidence.
    top: f64,
    gap: [f64; 2],
    /// The top of the bar of its count.
    count_top: f64,
    count: String,
    words: String,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    axes: [&'a str; 2],
    /// Of both parts together.
    plot: [f64; 4],
    /// The bottom of the upper part.
    middle: f64,
    x: Vec<Tick>,
    y: Vec<Tick>,
    bins: Vec<Bin>,
}

/// The bins with images.
pub(crate) fn rows(predictions: &[Prediction]) -> Vec<BinRow> {
    let row = |(number, bin): (usize, &ConfidenceBin)| {
        let [from, to] = edges(number);
        Some(BinRow { from, to, images: bin.images, accuracy: bin.accuracy()?, confidence: bin.confidence()? })
    };
    confidence_bins(predictions).iter().enumerate().filter_map(row).collect()
}

fn edges(bin: usize) -> [f64; 2] {
    [bin, bin + 1].map(|edge| edge as f64 / CONFIDENCE_BINS as f64)
}

/// The reliability diagram `calibration`; `None` without predictions.
pub(crate) fn figure(
    measures: &Measures,
    predictions: &[Prediction],
    medium: Medium,
) -> Result<Option<Figure>, ReportError> {
    let (Some(expected), Some(maximum)) = (measures.expected_calibration_error, measures.maximum_calibration_error)
    else {
        return Ok(None);
    };
    let rows = rows(predictions);
    let all = medium.width().unwrap_or(WIDTH);
    let ticks = Scale::linear([0.0, 1.0], 5, [0.0, 1.0]);
    let texts: Vec<String> = ticks.ticks().into_iter().map(|tick| ticks.label(tick)).collect();
    let (left, right, bottom) = match medium {
        Medium::Screen => (LEFT, WIDTH - 20.0, 300.0),
        Medium::Paper(_) => {
            let left = widest(texts.iter().map(String::as_str).chain(["images"])) + 9.0;
            (left, all - width("1.0") / 2.0 - 1.0, TOP + 45.0 + 0.27 * all)
        }
    };
    let plot = [left, TOP, right, bottom + GAP + COUNTS].map(round);
    let [left, top, right, below] = plot;
    let x = Scale::linear([0.0, 1.0], 5, [left, right]);
    let y = Scale::linear([0.0, 1.0], 5, [bottom, top]);
    let most = rows.iter().map(|row| row.images).max().unwrap_or(1) as f64;
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    let words = |row: &BinRow| {
        format!(
            "confidence {:.2} to {:.2}: {}, accuracy {} %, mean confidence {} %",
            row.from,
            row.to,
            counted(row.images, "image"),
            percent(row.accuracy),
            percent(row.confidence)
        )
    };
    let bin = |row: &BinRow| {
        let (from, to) = (x.place(row.from), x.place(row.to));
        let [accuracy, confidence] = [row.accuracy, row.confidence].map(|share| y.place(share));
        Bin {
            x: round(from + 1.0),
            width: round(to - from - 2.0),
            top: accuracy,
            gap: [accuracy.min(confidence), round((accuracy - confidence).abs())],
            count_top: round(below - (COUNTS * row.images as f64 / most).max(1.0)),
            count: thousands(row.images),
            words: words(row),
        }
    };
    let title = "Reliability diagram";
    let errors = format!("ECE {} %, maximum {} %", percent(expected), percent(maximum));
    let up = format!("accuracy (blue), gap (orange): {errors}");
    let up = if width(&up) > all { fitted(&format!("accuracy; {errors}"), all) } else { up };
    let context = Context {
        title,
        axes: ["confidence: probability of the predicted class", &up],
        plot,
        middle: round(bottom),
        x: x.drawn_ticks(),
        y: y.drawn_ticks(),
        bins: rows.iter().map(bin).collect(),
    };
    let said = rows.iter().map(words).collect::<Vec<_>>().join("; ");
    Ok(Some(Figure {
        name: "calibration".to_owned(),
        title: title.to_owned(),
        description: format!("Bars, accuracy by confidence. {errors}. {said}."),
        width: all,
        height: below + 46.0,
        body: render("calibration.svg", context)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(confidence: f64, right: bool) -> Prediction {
        let probabilities = vec![confidence, 1.0 - confidence].into();
        Prediction { index: 0, label: usize::from(!right), predicted: 0, probabilities, loss: 0.0 }
    }

    #[test]
    fn a_bar_is_as_high_as_the_accuracy_of_its_bin_and_the_gap_ends_at_the_confidence() {
        let predictions = [prediction(0.75, true), prediction(0.75, false), prediction(1.0, true)];
        let measures = Measures::of(&[], &predictions);
        assert!((measures.expected_calibration_error.unwrap() - 2.0 / 3.0 * 0.25).abs() < 1e-12);
        assert_eq!(rows(&predictions).iter().map(|row| row.images).collect::<Vec<_>>(), [2, 1]);
        let figure = figure(&measures, &predictions, Medium::Screen).unwrap().unwrap();
        assert!(figure.description.contains("ECE 16.67 %, maximum 25.00 %"), "{}", figure.description);
        let bar = "confidence 0.73 to 0.80: 2 images, accuracy 50.00 %, mean confidence 75.00 %";
        assert!(figure.description.contains(bar), "{}", figure.description);
        // Half of the plot of 58 to 300, and the quarter above that.
        assert!(figure.body.contains("y=\"179.0\"") && figure.body.contains("y=\"118.5\""), "{}", figure.body);
        figure.png().unwrap();
        assert!(super::figure(&Measures::default(), &[], Medium::Screen).unwrap().is_none());
    }
}
