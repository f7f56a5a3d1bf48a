//! From SVG to PNG, with a font that is part of the program: a machine without fonts draws the same.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Ubuntu Light, under the Ubuntu Font Licence.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    // What a style sheet asks for is not there; its last word, `sans-serif`, is this font.
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    fonts.set_sans_serif_family(family.unwrap_or_default());
    Arc::new(fonts)
});

/// `svg` drawn at `scale` times its natural size.
///
/// # Errors
///
/// Why it cannot be drawn, in words.
pub(crate) fn png(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or("it is empty")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_with_the_font_of_the_program() {
        let svg = |text: &str| {
            let head = r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">"#;
            format!(r#"{head}<text x="2" y="15" font-family="Nowhere, sans-serif">{text}</text></svg>"#)
        };
        let inked = |text: &str| {
            let pixels = Pixmap::decode_png(&png(&svg(text), 2.0).unwrap()).unwrap();
            assert_eq!((pixels.width(), pixels.height()), (120, 40));
            pixels.pixels().iter().filter(|pixel| pixel.alpha() > 0).count()
        };
        assert_eq!(inked(""), 0);
        // Each is what a chart may say; a missing glyph would be nothing or a box, all alike.
        let counts = ["λ", "%", "×", "–", "½"].map(inked);
        assert!(counts.iter().all(|&count| count > 10), "{counts:?}");
    }

    #[test]
    fn what_is_no_svg_is_an_error() {
        assert!(png("<svg", 1.0).is_err());
    }
}
