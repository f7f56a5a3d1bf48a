//! The figure of the steps: each a line with its confidence interval, over the differences of single seeds.

use serde::Serialize;

use super::published::Published;
use super::steps::Step;
use super::steps_page::{interval, points};
use crate::ReportError;
use crate::figure::Figure;
use crate::scale::{Scale, round};
use crate::templates::render;

// As narrow as a telephone, so that its letters are not made smaller there.
const WIDTH: f64 = 350.0;
/// Where the first row begins.
const TOP: f64 = 100.0;
/// The height of a row: its name, below it the points of single seeds, and below them the mean with its interval.
const ROW: f64 = 56.0;
/// The mean within a row.
const MEAN: f64 = 43.0;
/// Room for half of a mark at both ends of the axis.
const EDGE: f64 = 12.0;
/// How far points of single seeds are above the mean, in turn, so that equal ones show.
const OFFSETS: [f64; 5] = [-13.0, -17.0, -9.0, -15.0, -11.0];

#[derive(Serialize)]
struct Tick {
    place: f64,
    text: String,
}

#[derive(Serialize)]
struct Line {
    name: String,
    verdict: &'static str,
    real: bool,
    /// The base line of the name, and the middle of the mean.
    text: f64,
    middle: f64,
    seeds: Vec<[f64; 2]>,
    interval: [f64; 2],
    mean: f64,
    reported: Option<f64>,
}

#[derive(Serialize)]
struct Context {
    title: &'static str,
    source: String,
    width: f64,
    top: f64,
    bottom: f64,
    zero: f64,
    ticks: Vec<Tick>,
    lines: Vec<Line>,
}

/// The drawing of the steps that have runs; `None` if none has.
pub(super) fn figure(published: &Published, steps: &[Step<'_>]) -> Result<Option<Figure>, ReportError> {
    let Some(chain) = &published.file.steps else { return Ok(None) };
    let drawn: Vec<_> = steps.iter().filter_map(|step| Some((step, step.paired.as_ref()?))).collect();
    if drawn.is_empty() {
        return Ok(None);
    }
    let values = drawn.iter().flat_map(|(step, paired)| {
        paired.differences.iter().copied().chain(paired.interval).chain(step.reported).map(|share| 100.0 * share)
    });
    let [low, high] = values.fold([0.0_f64, 0.0_f64], |[low, high], value| [low.min(value), high.max(value)]);
    let scale = Scale::linear([low, high], 8, [EDGE, WIDTH - EDGE]);
    let place = |share: f64| scale.place(100.0 * share);
    let bottom = TOP + ROW * drawn.len() as f64;
    let lines = drawn.iter().enumerate().map(|(number, (step, paired))| {
        let top = TOP + ROW * number as f64;
        let middle = top + MEAN;
        let point = |(seed, share): (usize, &f64)| [place(*share), middle + OFFSETS[seed % OFFSETS.len()]];
        Line {
            name: step.comparison.name.clone(),
            verdict: step.verdict(),
            real: step.is_real() == Some(true),
            text: top + 15.0,
            middle,
            seeds: paired.differences.iter().enumerate().map(point).collect(),
            interval: paired.interval.map(place),
            mean: place(paired.mean),
            reported: step.reported.map(place),
        }
    });
    let tick = |value: f64| Tick { place: scale.place(value), text: signed_tick(&scale, value) };
    let context = Context {
        title: TITLE,
        source: chain.source.clone(),
        width: WIDTH,
        top: TOP,
        bottom,
        zero: scale.place(0.0),
        ticks: scale.ticks().into_iter().map(tick).collect(),
        lines: lines.collect(),
    };
    let body = render("steps.svg", context)?;
    Ok(Some(Figure {
        name: "steps".to_owned(),
        title: TITLE.to_owned(),
        description: description(&chain.source, &drawn.iter().map(|(step, _)| *step).collect::<Vec<_>>()),
        width: WIDTH,
        height: round(bottom + 46.0),
        body,
    }))
}

const TITLE: &str = "Which steps change the test accuracy?";

/// The text of a tick with its sign.
fn signed_tick(scale: &Scale, value: f64) -> String {
    let text = scale.label(value.abs());
    match value {
        value if value.abs() < 1e-9 => "0".to_owned(),
        value if value < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}

/// Each step in a sentence.
fn description(source: &str, steps: &[&Step<'_>]) -> String {
    let sentence = |step: &&Step<'_>| {
        let paired = step.paired.as_ref()?;
        let reported = step.reported.map_or_else(String::new, |it| format!(", {source} reported {}", points(it)));
        let verdict = step.verdict();
        let (name, mean, interval) = (&step.comparison.name, points(paired.mean), interval(paired));
        Some(format!("{name}: {mean}, interval {interval}{reported}; {verdict}."))
    };
    let sentences: Vec<String> = steps.iter().filter_map(sentence).collect();
    format!("Differences of the test accuracy in percentage points, with 95 % intervals. {}", sentences.join(" "))
}
