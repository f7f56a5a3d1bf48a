//! What a figure is drawn for: a page on a screen, or a column of a paper.

/// What a figure is drawn for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Medium {
    /// A page, and files of a natural size.
    Screen,
    /// Paper of a width in millimetres.
    Paper(f64),
}

/// The size of all text on paper, in points of 1/72 inch.
pub(crate) const POINTS: f64 = 8.0;
/// The same in units of a drawing: what the text of pages has.
pub(crate) const TEXT: f64 = 13.0;
/// The title's line, which a figure may do without.
pub(crate) const TITLE: f64 = 22.0;
/// A line of text.
pub(crate) const LINE: f64 = 17.0;

impl Medium {
    /// The width in units of a drawing, where it is given.
    pub(crate) fn width(self) -> Option<f64> {
        match self {
            Self::Screen => None,
            Self::Paper(millimetres) => Some(points(millimetres) * TEXT / POINTS),
        }
    }
}

/// Millimetres in points.
pub(crate) fn points(millimetres: f64) -> f64 {
    millimetres / 25.4 * 72.0
}
