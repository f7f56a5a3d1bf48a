//! A figure: one drawing for the page, for a file of its own, and as pixels.

use serde::Serialize;

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
    /// Paper around the drawing; a page has its own.
    margin: f64,
}

/// The margin of a file of its own.
const MARGIN: f64 = 20.0;

impl Figure {
    /// The `<svg>` element as a page has it, coloured by the page's style sheet.
    pub(crate) fn inline(&self) -> Result<String, ReportError> {
        render("figure.svg", Context { figure: self, style: None, margin: 0.0 })
    }

    /// A file of its own, light or dark as its viewer prefers.
    pub(crate) fn document(&self) -> Result<String, ReportError> {
        let style =
            format!("{}@media (prefers-color-scheme: dark) {{\n{}}}\n", stylesheet(&LIGHT)?, stylesheet(&DARK)?);
        render("figure.svg", Context { figure: self, style: Some(style), margin: MARGIN })
    }

    /// The light figure on an opaque ground, at twice its natural size.
    pub(crate) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let svg = render("figure.svg", Context { figure: self, style: Some(stylesheet(&LIGHT)?), margin: MARGIN })?;
        raster::png(&svg, 2.0).map_err(|reason| ReportError::Picture { name: self.name.clone(), reason })
    }
}

/// The rules that colour figures, with the colours written out: renderers other than browsers know no variables.
pub(crate) fn stylesheet(theme: &Theme) -> Result<String, ReportError> {
    render("theme.css", theme)
}
