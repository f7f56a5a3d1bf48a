//! A line chart: curves over iterations, each with its name at its end.

use backproof_spec::thousands;
use serde::Serialize;

use crate::ReportError;
use crate::explore::{Along, Explored, Plot};
use crate::figure::Figure;
use crate::labels::spread;
use crate::letters::{fitted, widest, width};
use crate::medium::Medium;
use crate::scale::{Axis, Scale, Tick, round};
use crate::series::{Marker, Series};
use crate::templates::render;
use crate::theme::SERIES;

/// What a chart is of.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What the values are, with their unit.
    pub(crate) unit: String,
    pub(crate) axis: Axis,
    /// Where it must end, if there is such a value.
    pub(crate) most: Option<f64>,
    /// The last value of a curve as its label has it.
    pub(crate) format: fn(f64) -> String,
    /// How wide the labels at the ends of the curves are.
    pub(crate) labels: f64,
    pub(crate) series: Vec<Series>,
}

/// The width of labels with a word and a value.
pub(crate) const LABELS: f64 = 105.0;
/// That of labels with the name of a config.
pub(crate) const LABELS_WIDE: f64 = 170.0;
/// The plot within the figure: left, top, right, bottom.
const PLOT: [f64; 4] = [52.0, 58.0, 440.0, 282.0];
/// Between the plot and the labels of its curves.
const GAP: f64 = 15.0;
/// Beyond it, the span of an axis could overflow; what is not a number is not below it either.
const LARGEST: f64 = 1e300;
/// Drawn markers of a curve; more would be a thick line.
const MARKERS: usize = 10;

#[derive(Serialize)]
struct Curve {
    colour: usize,
    grey: bool,
    group: Option<usize>,
    /// Its name with its last value.
    words: String,
    band: String,
    dash: &'static str,
    path: String,
    markers: String,
    name: String,
    value: String,
    /// The curve's end, and where its label is.
    end: [f64; 2],
    label: f64,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    /// What is along, and what is up.
    axes: [&'a str; 2],
    plot: [f64; 4],
    x: Vec<Tick>,
    /// Beside the iterations, the epochs.
    epochs: Option<Vec<Tick>>,
    milestones: Vec<DrawnMilestone<'a>>,
    /// On the axis that suits the values and, where a page lets one choose, on a logarithmic one.
    drawings: Vec<Drawing>,
    two_lines: bool,
}

/// The curves on an axis.
#[derive(Serialize)]
struct Drawing {
    y: Vec<Tick>,
    /// Top and bottom of what is marked.
    marked: Option<[f64; 2]>,
    curves: Vec<Curve>,
}

#[derive(Serialize)]
struct DrawnMilestone<'a> {
    name: &'a str,
    place: f64,
    /// Where its name is.
    label: f64,
}

/// Where everything is.
struct Frame {
    plot: [f64; 4],
    width: f64,
    /// Down to the plot's end, and what is below it.
    height: f64,
    below: f64,
    /// About so many ticks are along.
    ticks: usize,
}

impl Frame {
    fn on_a_screen(labels: f64) -> Self {
        let [_, _, right, bottom] = PLOT;
        Self { plot: PLOT, width: right + GAP + labels, height: bottom, below: 48.0, ticks: 4 }
    }
}

impl Chart {
    /// The drawing; `None` if there is nothing to draw. Curves without points are left out.
    pub(crate) fn figure(self, medium: Medium) -> Result<Option<Figure>, ReportError> {
        Ok(self.drawn(medium, None)?.map(|(_, figure, _)| figure))
    }

    /// The same for a page whose reader looks up values.
    pub(crate) fn explored(self, along: &Along) -> Result<Option<Explored>, ReportError> {
        let Some((chart, figure, plot)) = self.drawn(Medium::Screen, Some(along))? else { return Ok(None) };
        let series = chart.series.iter().map(|series| (series.name.as_str(), &series.points[..]));
        let values = along.values(series, chart.format, plot);
        Ok(Some(Explored { figure: figure.inline()?, title: figure.title, values }))
    }

    /// The chart without what cannot be drawn, its drawing, and where its curves are in that.
    fn drawn(mut self, medium: Medium, along: Option<&Along>) -> Result<Option<(Self, Figure, Plot)>, ReportError> {
        for series in &mut self.series {
            series.points.retain(|(_, value)| value.abs() < LARGEST);
            series.band.retain(|[_, low, high]| low.abs() < LARGEST && high.abs() < LARGEST);
        }
        self.series.retain(|series| !series.points.is_empty());
        let points = || self.series.iter().flat_map(|series| &series.points);
        let Some(last) = points().map(|point| point.0).reduce(f64::max) else { return Ok(None) };
        let first = points().map(|point| point.0).fold(last, f64::min);
        // A name and its value in two lines are better to read, where there is room and the name is more than a letter.
        let labelled = self.series.iter().filter(|series| !series.is_grey()).count();
        let two_lines = labelled <= 4 && self.series.iter().any(|series| series.name.chars().count() > 3);
        let Frame { plot, width, height, ticks, below } = match medium.width() {
            None => Frame::on_a_screen(self.labels),
            Some(width) => self.on_paper(width, last, two_lines),
        };
        let [left, top, right, bottom] = plot;
        // Much of the plot would be empty before a late first point, as of a validation.
        let from = if first > 0.2 * last && first < last { first } else { 0.0 };
        let x = Scale::exact([from, last], ticks, [left, right]);
        let y = self.values_axis([bottom, top]);
        let mut drawings = vec![self.drawing(&x, &y, two_lines, [top, bottom])];
        if along.is_some()
            && let Some(logarithmic) = self.logarithmic_axis([bottom, top]).filter(|_| !y.is_logarithmic())
        {
            drawings.push(self.drawing(&x, &logarithmic, two_lines, [top, bottom]));
        }
        let milestones = along.map_or_else(Vec::new, |along| along.milestones_between([from, last]).collect());
        let places: Vec<f64> = milestones.iter().map(|milestone| x.place(milestone.iteration as f64)).collect();
        let names = spread(&places, 74.0, left + 20.0, right - 20.0);
        let milestones = milestones.iter().zip(places).zip(names).map(|((milestone, place), label)| DrawnMilestone {
            name: milestone.name,
            place,
            label: round(label),
        });
        let epochs = along.and_then(|along| along.epochs_an_iteration);
        let epochs =
            epochs.map(|epochs| Scale::exact([from, last].map(|it| it * epochs), ticks, [left, right]).drawn_ticks());
        let body = render(
            "chart.svg",
            Context {
                title: self.title,
                axes: ["iteration", &self.unit],
                plot,
                x: x.drawn_ticks(),
                epochs,
                milestones: milestones.collect(),
                drawings,
                two_lines,
            },
        )?;
        let figure = Figure {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description: self.description(),
            width,
            height: height + below,
            body,
        };
        Ok(Some((self, figure, Plot { plot, range: [from, last] })))
    }

    fn drawing(&self, x: &Scale, y: &Scale, two_lines: bool, [top, bottom]: [f64; 2]) -> Drawing {
        let end = |series: &Series| y.place(series.points[series.points.len() - 1].1);
        let ends: Vec<f64> = self.series.iter().filter(|series| !series.is_grey()).map(end).collect();
        let mut labels = spread(&ends, if two_lines { 37.0 } else { 17.0 }, top, bottom - 14.0).into_iter();
        // Those in colour lie over those in grey.
        let (grey, coloured): (Vec<&Series>, Vec<&Series>) = self.series.iter().partition(|series| series.is_grey());
        let curves = grey.into_iter().map(|series| (series, 0.0)).chain(
            coloured.into_iter().map(|series| (series, labels.next().expect("every curve in colour has a label"))),
        );
        let curves = curves.map(|(series, label)| self.curve(series, x, y, label));
        let marked = self.marked().map(|[low, high]| [y.place(high), y.place(low)]);
        Drawing { curves: curves.collect(), y: y.drawn_ticks(), marked }
    }

    /// Room for what is drawn in a width: measured, as the font is known. Names that would take more than two fifths of
    /// it are cut.
    fn on_paper(&mut self, all: f64, last: f64, two_lines: bool) -> Frame {
        let [_, top, ..] = PLOT;
        let bottom = top + 45.0 + 0.27 * all;
        let y = self.values_axis([bottom, top]);
        let ticks: Vec<String> = y.ticks().into_iter().map(|tick| y.label(tick)).collect();
        let left = widest(ticks.iter().map(String::as_str)) + 9.0;
        self.unit = fitted(&self.unit, all);
        let space = width("0");
        let mut labels = 0.0_f64;
        for series in self.series.iter_mut().filter(|series| series.look.colour != SERIES) {
            let value = width(&(self.format)(series.points[series.points.len() - 1].1));
            let beside = if two_lines { 0.0 } else { value + space };
            series.name = fitted(&series.name, (0.4 * all - beside).max(space));
            labels = labels.max(value).max(width(&series.name) + beside);
        }
        // A curve without a label may end in a tick whose text is wider than the gap.
        let label_of_last = width(&thousands(last as usize));
        let right = all - (GAP + labels + 2.0).max(label_of_last / 2.0 + 1.0);
        let ticks = ((right - left) / (label_of_last + 22.0)).clamp(1.0, 6.0) as usize;
        Frame { plot: [left, top, right, bottom].map(round), width: all, height: bottom, ticks, below: 46.0 }
    }

    /// All values, the smallest first.
    fn values(&self) -> Vec<f64> {
        let in_bands = self.series.iter().flat_map(|series| &series.band).flat_map(|[_, low, high]| [*low, *high]);
        let points = self.series.iter().flat_map(|series| &series.points).map(|&(_, value)| value);
        let mut values: Vec<f64> = points.chain(in_bands).collect();
        match self.axis {
            Axis::Logarithmic { marked: Some([low, high]) } => {
                values.iter_mut().for_each(|value| *value = value.max(low / 100.0));
                values.extend([low, high]);
            }
            Axis::Logarithmic { marked: None } => {
                values.retain(|&value| value > 0.0);
                values.extend(values.is_empty().then_some(1.0));
            }
            Axis::FromZero | Axis::OfValues => {}
        }
        values.sort_by(f64::total_cmp);
        values
    }

    fn marked(&self) -> Option<[f64; 2]> {
        if let Axis::Logarithmic { marked } = self.axis { marked } else { None }
    }

    /// Of values that are positive and have no upper bound.
    fn logarithmic_axis(&self, place: [f64; 2]) -> Option<Scale> {
        let values = self.values();
        let (low, high) = (values[0], values[values.len() - 1]);
        (low > 0.0 && self.most.is_none()).then(|| Scale::logarithmic([low, high], place))
    }

    /// Logarithmic where a few values would press all others onto the axis, as when training diverges.
    fn values_axis(&self, place: [f64; 2]) -> Scale {
        let values = self.values();
        let (low, high) = (values[0], values[values.len() - 1]);
        let is_asked = matches!(self.axis, Axis::Logarithmic { .. });
        if (is_asked || high > 100.0 * values[values.len() / 2])
            && let Some(axis) = self.logarithmic_axis(place)
        {
            return axis;
        }
        // Values that all lie far from zero would leave most of the plot empty.
        let from_zero = self.axis == Axis::FromZero && low < 0.5 * high;
        let axis = Scale::linear([if from_zero { low.min(0.0) } else { low }, high], 5, place);
        match self.most {
            Some(most) if axis.ticks().last().is_some_and(|&tick| tick > most) => axis.ending(most),
            _ => axis,
        }
    }

    fn curve(&self, series: &Series, x: &Scale, y: &Scale, label: f64) -> Curve {
        let places: Vec<[f64; 2]> = series.points.iter().map(|point| [x.place(point.0), y.place(point.1)]).collect();
        let mut path = String::new();
        for (index, [x, y]) in places.iter().enumerate() {
            path += &format!("{}{x} {y}", if index == 0 { "M" } else { " L" });
        }
        let every = places.len().div_ceil(MARKERS);
        // Counted from the end, so that the last point has one; a curve of a single point is its marker.
        let marker = series.look.marker.or((places.len() == 1).then_some(Marker::Circle));
        let markers = marker.map_or_else(String::new, |marker| {
            places.iter().rev().step_by(every).map(|&place| marker.path(place)).collect()
        });
        let (_, value) = series.points[series.points.len() - 1];
        let edge = |[iteration, value]: [f64; 2]| format!("{} {}", x.place(iteration), y.place(value));
        let above = series.band.iter().map(|&[iteration, _, high]| edge([iteration, high]));
        let below = series.band.iter().rev().map(|&[iteration, low, _]| edge([iteration, low]));
        let edges: Vec<String> = above.chain(below).collect();
        Curve {
            colour: series.look.colour,
            grey: series.is_grey(),
            group: series.group,
            words: format!("{}: {}", series.name, (self.format)(value)),
            band: if edges.is_empty() { String::new() } else { format!("M{}z", edges.join(" L")) },
            dash: series.look.dash,
            path,
            markers,
            name: series.name.clone(),
            value: (self.format)(value),
            end: places[places.len() - 1],
            label: round(label),
        }
    }

    /// Where each curve begins and ends, in words.
    fn description(&self) -> String {
        let curves = self.series.iter().map(|series| {
            let (first, last) = (series.points[0], series.points[series.points.len() - 1]);
            let [from, to] = [first, last].map(|(iteration, _)| thousands(iteration as usize));
            let (begin, end) = ((self.format)(first.1), (self.format)(last.1));
            format!("{}: {begin} at iteration {from}, {end} at iteration {to}.", series.name)
        });
        format!("Line chart, {} by iteration. {}", self.unit, curves.collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Look;

    fn chart(points: &[Vec<(f64, f64)>]) -> Chart {
        let series = points.iter().enumerate().map(|(index, points)| Series {
            name: format!("<{index}>"),
            points: points.clone(),
            band: Vec::new(),
            group: None,
            look: Look::of(index),
        });
        Chart {
            name: "test",
            title: "Test",
            unit: "values".to_owned(),
            axis: Axis::FromZero,
            most: None,
            format: |value| format!("{value:.1}"),
            labels: LABELS,
            series: series.collect(),
        }
    }

    #[test]
    fn a_curve_goes_through_its_points_and_its_label_has_the_last_value() {
        let figure = chart(&[vec![(0.0, 0.0), (50.0, 10.0), (100.0, 5.0)]]).figure(Medium::Screen).unwrap().unwrap();
        let [left, top, right, bottom] = PLOT;
        let middle = (left + right) / 2.0;
        assert!(figure.body.contains(&format!("M{left} {bottom} L{middle} {top} L{right} 170")), "{}", figure.body);
        assert!(figure.body.contains("5.0"));
        assert!(figure.description.contains("0.0 at iteration 0, 5.0 at iteration 100."), "{}", figure.description);
    }

    #[test]
    fn a_band_is_drawn_and_a_grey_curve_has_no_label() {
        let mut chart = chart(&[vec![(0.0, 0.0), (100.0, 5.0)], vec![(0.0, 1.0), (100.0, 2.0)]]);
        chart.series[0].band = vec![[0.0, 0.0, 0.0], [100.0, 0.0, 10.0]];
        chart.series[1].look = Look::GREY;
        let [left, top, right, bottom] = PLOT;
        let body = chart.figure(Medium::Screen).unwrap().unwrap().body;
        assert!(
            body.contains(&format!("M{left} {bottom} L{right} {top} L{right} {bottom} L{left} {bottom}z")),
            "{body}"
        );
        assert!(body.contains("class=\"line grey\"") && body.matches("class=\"lead").count() == 1, "{body}");
    }

    #[test]
    fn names_are_escaped() {
        let figure = chart(&[vec![(1.0, 1.0)]]).figure(Medium::Screen).unwrap().unwrap();
        assert!(figure.body.contains("&lt;0&gt;") && !figure.body.contains("<0>"));
    }

    #[test]
    fn whatever_the_numbers_are_the_drawing_can_be_drawn() {
        assert!(chart(&[vec![], vec![]]).figure(Medium::Screen).unwrap().is_none());
        for values in [
            vec![(5.0, 2.0)],
            vec![(0.0, 0.0), (0.0, 0.0)],
            vec![(1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 1.0)],
            vec![(1.0, -1.7e308), (2.0, 1.7e308), (3.0, -9e299), (4.0, 9e299)],
            vec![(1.0, 1e-310), (2.0, 1e299), (3.0, 1e-310), (4.0, 1e-310)],
            vec![(1.0, 1.0), (2.0, 1e30), (3.0, 2.0), (4.0, 1.5)],
            vec![(1.0, -1.0), (2.0, 1e-300)],
        ] {
            let figure = chart(&[values.clone(), vec![]]).figure(Medium::Screen).unwrap().unwrap();
            assert!(!figure.body.contains("NaN") && !figure.body.contains("inf"), "{values:?}");
            figure.png().unwrap();
        }
    }
}
