//! Dots: one figure of each config against another.

use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::letters::{fitted, widest};
use crate::medium::Medium;
use crate::scale::{Scale, Tick, round};
use crate::templates::render;

/// A dot.
#[derive(Debug, Clone)]
pub(crate) struct Dot {
    /// Its name with both values.
    pub(crate) words: String,
    /// Which of the groups it is.
    pub(crate) number: usize,
    pub(crate) place: [f64; 2],
}

/// What a scatter chart is of.
#[derive(Debug, Clone)]
pub(crate) struct Scatter {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is along, and what is up, each with its unit.
    pub(crate) axes: [String; 2],
    /// Whether both axes have one scale, with a line where both values are equal.
    pub(crate) diagonal: bool,
    pub(crate) dots: Vec<Dot>,
}

const SIZE: [f64; 2] = [625.0, 330.0];
/// The plot within the figure: left, top, right, bottom.
const PLOT: [f64; 4] = [52.0, 58.0, 605.0, 282.0];
/// Dots with their number beside them.
const NUMBERED: usize = 12;

#[derive(Serialize)]
struct Drawn {
    at: [f64; 2],
    words: String,
    number: usize,
    label: String,
}

#[derive(Serialize)]
struct Context<'a> {
    title: &'a str,
    axes: &'a [String; 2],
    plot: [f64; 4],
    x: Vec<Tick>,
    y: Vec<Tick>,
    /// The ends of the line where both values are equal.
    diagonal: Option<[f64; 4]>,
    dots: Vec<Drawn>,
}

impl Scatter {
    /// The drawing; `None` of fewer than two dots, or where all have the same place along.
    pub(crate) fn figure(mut self, medium: Medium) -> Result<Option<Figure>, ReportError> {
        self.dots.retain(|dot| dot.place.iter().all(|value| value.is_finite() && value.abs() < 1e300));
        let range = |axis: usize| {
            let values = || self.dots.iter().map(|dot| dot.place[axis]);
            [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
        };
        let ([left, right], across) = (range(0), range(1));
        if self.dots.len() < 2 || left >= right {
            return Ok(None);
        }
        let both = [left.min(across[0]), right.max(across[1])];
        let (along, across) = if self.diagonal { (both, both) } else { ([left, right], across) };
        let of_place = |place: [f64; 2], ticks: usize| match !self.diagonal && left > 0.0 && right > 20.0 * left {
            true => Scale::logarithmic(along, place),
            false => Scale::linear(along, ticks, place),
        };
        let mut plot = PLOT;
        let ([mut width, mut height], mut ticks) = (SIZE, 5);
        if let Some(all) = medium.width() {
            let bottom = plot[1] + 45.0 + 0.27 * all;
            let texts = |scale: &Scale| scale.ticks().into_iter().map(|tick| scale.label(tick)).collect::<Vec<_>>();
            let of_y = texts(&Scale::linear(across, 5, [bottom, plot[1]]));
            let of_x = widest(texts(&of_place([0.0, 1.0], 5)).iter().map(String::as_str));
            let left = widest(of_y.iter().map(String::as_str)) + 9.0;
            plot = [left, plot[1], all - of_x / 2.0 - 1.0, bottom].map(round);
            ticks = ((plot[2] - plot[0]) / (of_x + 22.0)).clamp(1.0, 6.0) as usize;
            (width, height) = (all, bottom + 46.0);
            self.axes = self.axes.map(|words| fitted(&words, all));
        }
        let x = of_place([plot[0], plot[2]], ticks);
        let y = Scale::linear(across, 5, [plot[3], plot[1]]);
        let dots = self.dots.iter().map(|dot| Drawn {
            at: [x.place(dot.place[0]), y.place(dot.place[1])],
            words: dot.words.clone(),
            number: dot.number,
            label: if dot.number < NUMBERED { (dot.number + 1).to_string() } else { String::new() },
        });
        let context = Context {
            title: self.title,
            axes: &self.axes,
            plot,
            x: x.drawn_ticks(),
            y: y.drawn_ticks(),
            diagonal: self.diagonal.then(|| {
                let [low, high] = both;
                [x.place(low), y.place(low), x.place(high), y.place(high)]
            }),
            dots: dots.collect(),
        };
        let words: Vec<&str> = self.dots.iter().map(|dot| dot.words.as_str()).collect();
        Ok(Some(Figure {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description: format!("Dots, {} against {}. {}.", self.axes[1], self.axes[0], words.join(". ")),
            width,
            height,
            body: render("scatter.svg", context)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_where_their_values_are_and_there_are_none_without_a_range() {
        let dot = |number, place| Dot { words: "<a>: 90 %".to_owned(), number, place };
        let scatter = |dots| Scatter {
            name: "test",
            title: "Test",
            axes: ["x".to_owned(), "y".to_owned()],
            diagonal: false,
            dots,
        };
        let figure = scatter(vec![dot(0, [0.0, 10.0]), dot(1, [4.0, 20.0])]).figure(Medium::Screen).unwrap().unwrap();
        let [left, top, right, bottom] = PLOT;
        for place in [format!("cx=\"{left:?}\" cy=\"{bottom:?}\""), format!("cx=\"{right:?}\" cy=\"{top:?}\"")] {
            assert!(figure.body.contains(&place), "{place}: {}", figure.body);
        }
        assert!(figure.body.contains("&lt;a&gt;: 90 %") && !figure.body.contains("<a>"));
        figure.png().unwrap();
        for dots in [vec![], vec![dot(0, [1.0, 1.0])], vec![dot(0, [1.0, 1.0]), dot(1, [1.0, 2.0])]] {
            assert!(scatter(dots).figure(Medium::Screen).unwrap().is_none());
        }
        let odd = vec![dot(0, [1e-310, f64::NAN]), dot(1, [1.0, 1.0]), dot(2, [1e9, 2.0])];
        scatter(odd).figure(Medium::Screen).unwrap().unwrap().png().unwrap();
    }
}
