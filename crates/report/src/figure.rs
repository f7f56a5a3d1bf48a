//! A figure: one drawing for the page, for a file of its own, and as pixels.

use serde::Serialize;

use crate::medium::TITLE;
use crate::templates::render;
use crate::theme::{DARK, LIGHT, Theme};
use crate::{ReportError, raster};

/// A drawing with what a screen reader says of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// The name of its files, and its id in a page.
    pub(crate) name: String,
    /// What it shows, in a few words.
    pub(crate) title: String,
    /// What one sees in it, for who does not see it.
    pub(crate) description: String,
    /// Units of the drawing; pixels at its natural size.
    pub(crate) width: f64,
    /// Likewise.
    pub(crate) height: f64,
    /// The elements inside `<svg>`, escaped.
    pub(crate) body: String,
}

#[derive(Serialize)]
struct Context<'a> {
    figure: &'a Figure,
    /// The style sheet of a file of its own; a page has the same one already.
    style: Option<String>,
    /// What is seen of the drawing: left, top, width, height.
    view: [f64; 4],
    /// Width and height of a file of its own, with their unit.
    size: [String; 2],
}

/// The margin of a file of its own.
const MARGIN: f64 = 20.0;

/// What is empty above the title of every figure.
const ABOVE: f64 = 4.0;

impl Figure {
    /// The `<svg>` element as a page has it, coloured by the page's style sheet.
    pub(crate) fn inline(&self) -> Result<String, ReportError> {
        self.file(None, 0.0)
    }

    /// A file of its own, light or dark as its viewer prefers.
    pub(crate) fn document(&self) -> Result<String, ReportError> {
        let style =
            format!("{}@media (prefers-color-scheme: dark) {{\n{}}}\n", stylesheet(&LIGHT)?, stylesheet(&DARK)?);
        self.file(Some(style), MARGIN)
    }

    /// The light figure on an opaque ground, at twice its natural size.
    pub(crate) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let svg = self.file(Some(stylesheet(&LIGHT)?), MARGIN)?;
        raster::png(&svg, 2.0).map_err(|reason| self.error("PNG", reason))
    }

    /// The light figure without a margin, so many millimetres wide, for which it was drawn; with its title or without.
    pub(crate) fn for_paper(&self, millimetres: f64, title: bool) -> Result<String, ReportError> {
        let top = if title { ABOVE } else { ABOVE + TITLE - 2.0 };
        let height = self.height - top;
        let paper = render("paper.css", minijinja::context! { title })?;
        let size = [millimetres, millimetres * height / self.width].map(|side| format!("{side:.3}mm"));
        let style = Some(stylesheet(&LIGHT)? + &paper);
        render("figure.svg", Context { figure: self, style, view: [0.0, top, self.width, height], size })
    }

    fn file(&self, style: Option<String>, margin: f64) -> Result<String, ReportError> {
        let [width, height] = [self.width, self.height].map(|side| side + 2.0 * margin);
        let size = [width, height].map(|side| format!("{side:?}"));
        render("figure.svg", Context { figure: self, style, view: [-margin, -margin, width, height], size })
    }

    /// That it cannot be drawn in a format.
    pub(crate) fn error(&self, format: &'static str, reason: String) -> ReportError {
        ReportError::Picture { name: self.name.clone(), format, reason }
    }
}

/// The rules that colour figures, with the colours written out: renderers other than browsers know no variables.
pub(crate) fn stylesheet(theme: &Theme) -> Result<String, ReportError> {
    render("theme.css", theme)
}
