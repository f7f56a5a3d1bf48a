//! The figure of a learning-rate range test: the loss over the learning rate.

use backproof_train::{RangePoint, RangeTest, rate_in_words};
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::width;
use crate::scale::{Scale, Tick};
use crate::templates::render;

/// The figure of a range test as files.
#[derive(Debug, Clone)]
pub struct RateRangeFigure {
    /// SVG, light or dark as its viewer prefers.
    pub svg: String,
    /// PNG, light.
    pub png: Vec<u8>,
}

const SIZE: [f64; 2] = [625.0, 360.0];
/// The plot within the figure: left, top, right, bottom.
const PLOT: [f64; 4] = [52.0, 84.0, 605.0, 312.0];

/// How far the axis goes, in terms of the highest smoothed loss before the least one.
const ROOM: f64 = 1.25;

/// A rate that is marked.
#[derive(Serialize)]
struct Mark {
    words: String,
    strong: bool,
    place: f64,
    /// The middle of the words, and how far they are above the plot.
    label: f64,
    above: f64,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    axes: [&'static str; 2],
    plot: [f64; 4],
    x: Vec<Tick>,
    y: Vec<Tick>,
    losses: String,
    smoothed: String,
    marks: Vec<Mark>,
}

/// Draws `test` under `title`: the loss of each mini-batch as a thin line and the smoothed one as a thick line, over the
/// learning rate on a logarithmic axis. Marks show where the smoothed loss has made 95 % of its fall, and the suggested
/// rate.
///
/// `None` of a test with fewer than two mini-batches.
///
/// # Errors
///
/// A figure that cannot be drawn.
pub fn rate_range(test: &RangeTest, title: &str) -> Result<Option<RateRangeFigure>, ReportError> {
    let Some(figure) = figure(test, title)? else { return Ok(None) };
    Ok(Some(RateRangeFigure { svg: figure.document()?, png: figure.png()? }))
}

fn figure(test: &RangeTest, title: &str) -> Result<Option<Figure>, ReportError> {
    let points = &test.points;
    let ([first, _, ..], Some(last)) = (&points[..], points.last()) else { return Ok(None) };
    let [left, top, right, bottom] = PLOT;
    let x = Scale::logarithmic([first.learning_rate, last.learning_rate], [left, right]);
    // What leaves the plot ends at its top: the losses of single mini-batches, and the rise at the end.
    let least = points.iter().map(|it| it.smoothed_loss).fold(f64::MAX, f64::min);
    let least_at = points.iter().position(|it| it.smoothed_loss <= least).unwrap_or_default();
    let high = points[..=least_at].iter().map(|it| it.smoothed_loss).fold(f64::MIN, f64::max).min(1e299);
    let y = Scale::linear([least.min(0.0), ROOM * high], 5, [bottom, top]);
    let line = |value: fn(&RangePoint) -> f64| {
        let leaves = points[least_at..].iter().position(|it| value(it) > ROOM * high);
        let end = leaves.map_or(points.len(), |after| least_at + after + 1);
        let places = points[..end].iter().map(|it| format!("{} {}", x.place(it.learning_rate), y.place(value(it))));
        format!("M{}", places.collect::<Vec<_>>().join(" L"))
    };
    let suggestion = test.suggestion();
    let mark = |words: String, rate: f64, strong: bool| {
        let (place, half) = (x.place(rate), width(&words) / 2.0);
        let label = place.clamp(left + half, right - half);
        Mark { words, strong, place, label, above: if strong { 20.0 } else { 6.0 } }
    };
    let marks = suggestion.iter().flat_map(|it| {
        let fallen = mark("95 % of the fall".to_owned(), it.fallen.learning_rate, false);
        [mark(format!("suggested {}", rate_in_words(it.learning_rate)), it.learning_rate, true), fallen]
    });
    let body = render(
        "rate-range.svg",
        Context {
            title,
            axes: ["learning rate", "loss: of each mini-batch (thin), smoothed (thick)"],
            plot: PLOT,
            x: x.drawn_ticks(),
            y: y.drawn_ticks(),
            losses: line(|point| point.loss),
            smoothed: line(|point| point.smoothed_loss),
            marks: marks.collect(),
        },
    )?;
    let of = |point: &RangePoint| format!("{:.3} at {:.1e}", point.smoothed_loss, point.learning_rate);
    let words = suggestion.map_or_else(String::new, |it| {
        let rate = rate_in_words(it.learning_rate);
        format!(" It is least, {}. The suggested learning rate is {rate}.", of(&it.least))
    });
    let (first, last) = (of(first), of(last));
    Ok(Some(Figure {
        name: "lr-find".to_owned(),
        title: title.to_owned(),
        description: format!("The smoothed loss over the learning rate: {first}, and {last} at the end.{words}"),
        width: SIZE[0],
        height: SIZE[1],
        body,
    }))
}

#[cfg(test)]
mod tests {
    use backproof_train::RangeEnd;

    use super::*;

    fn test(points: &[[f64; 3]]) -> RangeTest {
        let point =
            |&[learning_rate, loss, smoothed_loss]: &[f64; 3]| RangePoint { learning_rate, loss, smoothed_loss };
        RangeTest { points: points.iter().map(point).collect(), end: RangeEnd::Rose }
    }

    #[test]
    fn decades_are_equally_wide_and_the_suggestion_is_marked() {
        let rest = [[0.01, 1.0, 1.5], [0.1, 0.5, 1.0], [1.0, 9.0, 4.0]];
        let test = test(&[&[[0.001, 2.0, 2.0]; 10][..], &rest].concat());
        let figure = figure(&test, "<digits>").unwrap().unwrap();
        let [left, top, right, bottom] = PLOT;
        let third = (right - left) / 3.0;
        let at = |decade: f64, share: f64| {
            let round = |it: f64| (100.0 * it).round() / 100.0;
            format!("{} {}", round(left + decade * third), round(bottom + share * (top - bottom)))
        };
        let line = [at(0.0, 0.8), at(1.0, 0.6), at(2.0, 0.4), at(3.0, 1.0)].join(" L");
        assert!(figure.body.contains(&line), "{line}\n{}", figure.body);
        assert!(
            figure.body.contains("suggested 0.01<") && figure.body.contains("95 % of the fall<"),
            "{}",
            figure.body
        );
        assert!(figure.body.contains("&lt;digits&gt;") && !figure.body.contains("<digits>"));
        assert!(figure.description.contains("The suggested learning rate is 0.01."), "{}", figure.description);
    }

    #[test]
    fn whatever_the_losses_are_the_figure_can_be_drawn() {
        assert!(rate_range(&test(&[[0.1, 1.0, 1.0]]), "t").unwrap().is_none());
        for points in [
            &[[1e-300, 1e-310, 1e-310], [1e300, 1.7e308, 1.7e308]][..],
            &[[0.1, 0.0, 0.0], [0.1001, 0.0, 0.0]],
            &[[0.1, 1.0, 1.0], [0.2, 1e9, 1.0]],
        ] {
            let RateRangeFigure { svg, .. } = rate_range(&test(points), "t").unwrap().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf "), "{svg}");
        }
    }
}
