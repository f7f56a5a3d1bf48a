//! Curves over shares from 0 to 1, with a legend: the ROC, and precision over recall.

use backproof_spec::thousands;
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::{fitted, widest, width};
use crate::medium::{LINE, Medium};
use crate::scale::{Scale, Tick, round};
use crate::series::Look;
use crate::templates::render;

/// Curves that each have a colour.
const MOST_COLOURED: usize = 10;
/// Of more curves, so many with the smallest area have one.
const LOWEST: usize = 5;
/// The plot within the figure on a screen: left, top, right, bottom.
const PLOT: [f64; 4] = [52.0, 58.0, 402.0, 368.0];
/// The figure's width there, that of other charts.
const WIDTH: f64 = 625.0;
/// Between the plot and the legend, and the line of a curve in that.
const GAP: f64 = 16.0;
const SAMPLE: f64 = 26.0;

/// One curve: places in [0, 1].
#[derive(Debug, Clone)]
pub(crate) struct ShareCurve {
    pub(crate) name: String,
    pub(crate) area: f64,
    pub(crate) points: Vec<[f64; 2]>,
}

/// What a chart is of.
#[derive(Debug, Clone)]
pub(crate) struct ShareChart {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is along, and what is up.
    pub(crate) axes: [&'static str; 2],
    /// What the area of a curve is called.
    pub(crate) area: &'static str,
    /// Whether the diagonal is drawn, where probabilities say nothing.
    pub(crate) diagonal: bool,
    pub(crate) curves: Vec<ShareCurve>,
}

#[derive(Serialize)]
struct Drawn {
    path: String,
    colour: usize,
    dash: &'static str,
    /// Its name and area as a pointer shows them.
    words: String,
    name: String,
    area: String,
    /// Where it is in the legend.
    y: f64,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    axes: [&'a str; 2],
    plot: [f64; 4],
    x: Vec<Tick>,
    y: Vec<Tick>,
    diagonal: bool,
    /// The paths of the curves in grey.
    grey: Vec<String>,
    curves: Vec<Drawn>,
    /// Above the legend.
    head: &'a str,
    head_y: f64,
    /// Where the lines of the legend begin, and its texts and numbers.
    legend: [f64; 3],
    /// What the curves in grey are, and where that stands.
    others: String,
    others_y: f64,
}

impl ShareChart {
    /// The drawing; `None` without curves.
    pub(crate) fn figure(&self, medium: Medium) -> Result<Option<Figure>, ReportError> {
        if self.curves.is_empty() {
            return Ok(None);
        }
        let mut coloured: Vec<usize> = (0..self.curves.len()).collect();
        if coloured.len() > MOST_COLOURED {
            coloured.sort_by(|&a, &b| self.curves[a].area.total_cmp(&self.curves[b].area));
            coloured.truncate(LOWEST);
        }
        let others: Vec<usize> = (0..self.curves.len()).filter(|curve| !coloured.contains(curve)).collect();
        let in_grey = match others.len() {
            0 => String::new(),
            count => format!("{} others, in grey", thousands(count)),
        };
        let names = || coloured.iter().map(|&curve| self.curves[curve].name.as_str());
        let is_screen = medium == Medium::Screen;
        // The fonts of screens are wider than ours, and those of narrow ones are larger.
        let slack = if is_screen { 1.5 } else { 1.0 };
        let number = slack * width("0.0000");
        let ticks = Scale::linear([0.0, 1.0], 5, [0.0, 1.0]);
        let (all, plot) = match medium.width() {
            None => (WIDTH, PLOT),
            Some(all) => {
                let texts: Vec<String> = ticks.ticks().into_iter().map(|tick| ticks.label(tick)).collect();
                let left = widest(texts.iter().map(String::as_str)) + 9.0;
                let words = (widest(names()) + SAMPLE + 10.0 + number).max(width(&in_grey)).clamp(100.0, 0.38 * all);
                let right = all - GAP - words;
                let bottom = PLOT[1] + (right - left).min(0.27 * all + 120.0);
                (all, [left, PLOT[1], right, bottom].map(round))
            }
        };
        let [left, top, right, bottom] = plot;
        let x = Scale::linear([0.0, 1.0], 5, [left, right]);
        let y = Scale::linear([0.0, 1.0], 5, [bottom, top]);
        let line = if is_screen { LINE + 6.0 } else { LINE };
        let begin = right + GAP;
        let room = (all - begin - SAMPLE - 10.0 - number) / slack;
        let head = self.area.split(" (").last().map_or(self.area, |short| short.trim_end_matches(')'));
        let head_y = top + 4.0;
        let row = |place: usize| round(head_y + line * (place + 1) as f64);
        let drawn = coloured.iter().enumerate().map(|(place, &curve)| {
            let curve = &self.curves[curve];
            let look = Look::of(place);
            Drawn {
                path: path(&curve.points, &x, &y, 0.3),
                colour: look.colour,
                dash: look.dash,
                words: format!("{}: {:.4}", curve.name, curve.area),
                name: fitted(&curve.name, room),
                area: format!("{:.4}", curve.area),
                y: row(place),
            }
        });
        let context = Context {
            title: self.title,
            axes: self.axes,
            plot,
            x: x.drawn_ticks(),
            y: y.drawn_ticks(),
            diagonal: self.diagonal,
            grey: others.iter().map(|&curve| path(&self.curves[curve].points, &x, &y, 1.0)).collect(),
            curves: drawn.collect(),
            head,
            head_y,
            legend: [begin, begin + SAMPLE + 5.0, all - 1.0].map(round),
            others: fitted(&in_grey, (all - begin) / slack),
            others_y: row(coloured.len()),
        };
        let body = render("share-chart.svg", context)?;
        let rows = coloured.len() + usize::from(!others.is_empty());
        let height = (bottom + 46.0).max(head_y + line * rows as f64 + 6.0);
        let description = self.description(&coloured, others.len());
        let (name, title) = (self.name.to_owned(), self.title.to_owned());
        Ok(Some(Figure { name, title, description, width: all, height: round(height), body }))
    }

    fn description(&self, coloured: &[usize], others: usize) -> String {
        let areas = coloured.iter().map(|&curve| format!("{} {:.4}", self.curves[curve].name, self.curves[curve].area));
        let which = match others {
            0 => String::new(),
            others => format!(", the lowest {LOWEST}; {} others are grey", thousands(others)),
        };
        let areas = areas.collect::<Vec<_>>().join(", ");
        format!("Curves, {} by {}, with the {} of each class{which}: {areas}.", self.axes[1], self.axes[0], self.area)
    }
}

/// A line through the points, without those that are not further than `tolerance` from it.
fn path(points: &[[f64; 2]], x: &Scale, y: &Scale, tolerance: f64) -> String {
    let mut places: Vec<[f64; 2]> = points.iter().map(|point| [x.place(point[0]), y.place(point[1])]).collect();
    places.dedup();
    let mut text = String::new();
    for [x, y] in simplified(&places, tolerance) {
        text += &format!("{}{x} {y}", if text.is_empty() { "M" } else { "L" });
    }
    text
}

/// Douglas and Peucker: of a line, the ends, and the point that is furthest from the line between them if it is further
/// than `tolerance`; and likewise of both parts.
fn simplified(points: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    let mut kept = vec![false; points.len()];
    let mut parts = Vec::new();
    if let Some(last) = points.len().checked_sub(1) {
        kept[0] = true;
        kept[last] = true;
        parts.push((0, last));
    }
    while let Some((from, to)) = parts.pop() {
        let [[x0, y0], [x1, y1]] = [points[from], points[to]];
        let (along, up) = (x1 - x0, y1 - y0);
        let length = along.hypot(up);
        let distance = |&[x, y]: &[f64; 2]| match length {
            0.0 => (x - x0).hypot(y - y0),
            _ => (along * (y - y0) - up * (x - x0)).abs() / length,
        };
        let inside = points[from..=to].iter().enumerate().skip(1).take((to - from).saturating_sub(1));
        let furthest = inside.map(|(place, point)| (from + place, distance(point))).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((place, distance)) = furthest
            && distance > tolerance
        {
            kept[place] = true;
            parts.extend([(from, place), (place, to)]);
        }
    }
    points.iter().zip(kept).filter(|(_, is_kept)| *is_kept).map(|(&point, _)| point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(count: usize) -> ShareChart {
        let curve = |number: usize| ShareCurve {
            name: format!("<{number}> {}", "n".repeat(200)),
            area: 1.0 - number as f64 / count as f64,
            points: vec![[0.0, 0.0], [0.0, 0.5], [1.0, 1.0]],
        };
        ShareChart {
            name: "test",
            title: "Test",
            axes: ["x", "y"],
            area: "area under the curve (AUC)",
            diagonal: true,
            curves: (0..count).map(curve).collect(),
        }
    }

    #[test]
    fn a_curve_goes_through_its_points_and_the_legend_has_its_area() {
        let figure = chart(1).figure(Medium::Screen).unwrap().unwrap();
        let [left, top, right, bottom] = PLOT;
        let middle = (top + bottom) / 2.0;
        assert!(figure.body.contains(&format!("M{left} {bottom}L{left} {middle}L{right} {top}")), "{}", figure.body);
        assert!(figure.body.contains(">1.0000</text>") && figure.body.contains(">AUC</text>"));
        assert!(figure.body.contains("&lt;0&gt;") && !figure.body.contains("<0>"));
        assert!(chart(0).figure(Medium::Screen).unwrap().is_none());
    }

    #[test]
    fn ten_curves_have_a_colour_each_and_of_more_the_lowest_five() {
        let body = |count: usize| chart(count).figure(Medium::Screen).unwrap().unwrap().body;
        let lines = |body: &str, colour: usize| body.matches(&format!("class=\"line s{colour}\"")).count();
        let ten = body(10);
        // One in the plot, and one in the legend.
        assert!((0..10).all(|colour| lines(&ten, colour) == 2) && !ten.contains("line grey"));
        let many = chart(1_000).figure(Medium::Screen).unwrap().unwrap();
        assert!((0..5).all(|colour| lines(&many.body, colour) == 2) && lines(&many.body, 5) == 0);
        assert_eq!(many.body.matches("line grey").count(), 1);
        assert!(many.body.contains(">995 others, in grey<") && many.description.contains("<999> "));
        assert!(many.body.len() < 100_000, "{}", many.body.len());
    }

    #[test]
    fn a_line_keeps_its_corners_and_loses_what_is_straight() {
        let corner = [[0.0, 0.0], [1.0, 0.1], [2.0, 0.0], [2.0, 5.0]];
        assert_eq!(simplified(&corner, 0.3), [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]]);
        assert_eq!(simplified(&corner, 0.05), corner);
        assert_eq!(simplified(&[[1.0, 1.0]], 1.0), [[1.0, 1.0]]);
        // A line that ends where it began.
        assert_eq!(simplified(&[[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]], 1.0).len(), 3);
        assert!(simplified(&[], 1.0).is_empty());
    }
}
