//! From SVG to PNG, with a font that is part of the program: a machine without fonts draws the same.

use std::sync::{Arc, LazyLock};

use png::{BitDepth, ColorType, Compression, Encoder, PixelDimensions, Unit};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Ubuntu Light, under the Ubuntu Font Licence.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    // What a style sheet asks for is not there; its last word, `sans-serif`, is this font.
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    let family = family.unwrap_or_default();
    fonts.set_sans_serif_family(&family);
    // Of an element that asks for none.
    fonts.set_serif_family(family);
    Arc::new(fonts)
});

/// `svg` as a tree of what is to be drawn.
///
/// # Errors
///
/// Why it is no SVG, in words.
pub(crate) fn tree(svg: &str) -> Result<Tree, String> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| error.to_string())
}

/// `svg` drawn at `scale` times its natural size.
///
/// # Errors
///
/// Why it cannot be drawn, in words.
pub(crate) fn png(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or("it is empty")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

/// `tree` drawn `inches` wide on white, with `dpi` pixels an inch; the file says so.
///
/// # Errors
///
/// As [`png`].
pub(crate) fn png_for_print(tree: &Tree, inches: f64, dpi: u32) -> Result<Vec<u8>, String> {
    let width = (inches * f64::from(dpi)).round().max(1.0);
    let scale = width / f64::from(tree.size().width());
    let height = (scale * f64::from(tree.size().height())).round().max(1.0);
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or("it is too large")?;
    pixels.fill(Color::WHITE);
    resvg::render(tree, Transform::from_scale(scale as f32, scale as f32), &mut pixels.as_mut());
    // White below, so that no pixel is transparent.
    let colours: Vec<u8> = pixels.data().as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: per_metre, yppu: per_metre, unit: Unit::Meter }));
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(&colours).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(file)
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

    #[test]
    fn a_file_for_print_says_how_large_it_is() {
        let svg =
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="5" height="10"/></svg>"##;
        let file = png_for_print(&tree(svg).unwrap(), 2.0, 100).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let dims = reader.info().pixel_dims.unwrap();
        // 100 / 0.0254 m
        assert_eq!((dims.xppu, dims.yppu, dims.unit), (3937, 3937, Unit::Meter));
        assert_eq!((reader.info().width, reader.info().height), (200, 100));
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        assert_eq!((&bytes[..3], &bytes[3 * 51..3 * 52]), (&[0, 0, 0][..], &[255, 255, 255][..]));
    }
}
