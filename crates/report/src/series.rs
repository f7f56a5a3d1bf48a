//! A curve of a chart, and how it looks.

use crate::scale::round;
use crate::theme::SERIES;

/// A curve.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// What stands at its end.
    pub(crate) name: String,
    /// (iteration, value), by rising iteration.
    pub(crate) points: Vec<(f64, f64)>,
    /// Iteration, lowest and highest value, of a curve that is a mean; else nothing.
    pub(crate) band: Vec<[f64; 3]>,
    /// Which of several configs it is of, for a page that shows one alone.
    pub(crate) group: Option<usize>,
    /// Which colour, dash and marker.
    pub(crate) look: Look,
}

/// How a curve differs from the others: by colour, and without it by dash and marker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) colour: usize,
    pub(crate) dash: &'static str,
    pub(crate) marker: Option<Marker>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Look {
    pub(crate) const fn new(colour: usize, dash: &'static str, marker: Option<Marker>) -> Self {
        Self { colour, dash, marker }
    }

    /// Of a curve that is one of too many.
    pub(crate) const GREY: Self = Self::new(SERIES, "", None);

    /// A look for the `index`th of many alike.
    pub(crate) fn of(index: usize) -> Self {
        let dash = ["", "7 3", "2 3", "9 3 2 3"][index / 4 % 4];
        let marker = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond][index % 4];
        Self::new(index % SERIES, dash, Some(marker))
    }
}

impl Series {
    pub(crate) fn is_grey(&self) -> bool {
        self.look.colour == SERIES
    }
}

impl Marker {
    /// The outline of a marker at a place.
    pub(crate) fn path(self, [x, y]: [f64; 2]) -> String {
        match self {
            Self::Circle => format!("M{} {y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z", round(x - 3.5)),
            Self::Square => format!("M{} {}h6v6h-6z", round(x - 3.0), round(y - 3.0)),
            Self::Triangle => format!("M{x} {}l4 7h-8z", round(y - 4.5)),
            Self::Diamond => format!("M{x} {}l4.5 4.5l-4.5 4.5l-4.5 -4.5z", round(y - 4.5)),
        }
    }
}
