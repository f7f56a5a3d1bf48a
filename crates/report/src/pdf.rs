//! From SVG to a page of PDF, as large as the drawing, with its text as text and the font inside.

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::usvg::Tree;

/// `tree` on a page that is `width` points wide.
///
/// # Errors
///
/// Why it cannot be written, in words.
pub(crate) fn pdf(tree: &Tree, title: &str, description: &str, width: f64) -> Result<Vec<u8>, String> {
    let height = width * f64::from(tree.size().height()) / f64::from(tree.size().width());
    let size = Size::from_wh(width as f32, height as f32).ok_or("it is empty")?;
    let mut document = Document::new();
    let metadata = Metadata::new().title(title.to_owned()).description(description.to_owned());
    document.set_metadata(metadata.creator("backproof".to_owned()));
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface.draw_svg(tree, size, SvgSettings::default()).ok_or("it cannot be drawn as PDF")?;
    surface.finish();
    page.finish();
    document.finish().map_err(|error| format!("{error:?}"))
}
