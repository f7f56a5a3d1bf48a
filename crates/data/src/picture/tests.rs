use std::path::{Path, PathBuf};

use super::*;

fn fit(resize: Resize) -> Fit {
    Fit { resize, behind: Color::WHITE, around: Color::BLACK }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures").join(name)
}

fn read(name: &str) -> Picture {
    Picture::read(&fixture(name), Color::WHITE).unwrap_or_else(|error| panic!("{error}"))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// What is said of a file with these bytes.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).unwrap();
    let text = Picture::read(&path, Color::WHITE).map_or_else(|error| error.to_string(), |_| "nothing".to_owned());
    text.replace(&path.display().to_string(), "picture")
}

/// The largest and the mean difference of two pictures.
fn difference(one: &[u8], other: &[u8]) -> (u8, f64) {
    assert_eq!(one.len(), other.len());
    let differences = one.iter().zip(other).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (differences.max().unwrap(), sum / one.len() as f64)
}

#[test]
fn every_form_of_png_gives_the_pixels_that_pillow_gives() {
    for (form, expected, tolerance) in [
        ("grey", "grey", 0),
        ("sixteen-bit", "grey", 0),
        ("palette", "palette.expected", 0),
        ("one-bit", "one-bit.expected", 0),
        ("alpha", "alpha.expected", 1),
    ] {
        let (found, expected) = (read(&format!("{form}.png")), read(&format!("{expected}.png")));
        assert_eq!((found.size(), found.planes.len()), (expected.size(), expected.planes.len()), "{form}");
        let (largest, _) = difference(&found.planes.concat(), &expected.planes.concat());
        assert!(largest <= tolerance, "{form}: off by {largest}");
    }
}

#[test]
fn every_form_of_jpeg_is_near_the_picture_that_it_was_made_of() {
    let rgb = read("rgb.png");
    for form in ["baseline.jpg", "progressive.jpg"] {
        let (_, mean) = difference(&read(form).planes.concat(), &rgb.planes.concat());
        assert!(mean < 4.0, "{form}: off by {mean} in the mean");
    }
    let (_, mean) = difference(&read("grey.jpg").planes.concat(), &read("grey.png").planes.concat());
    assert!(mean < 2.0, "grey.jpg: off by {mean} in the mean");
}

#[test]
fn every_form_of_the_other_formats_gives_the_pixels_that_pillow_gives() {
    for (form, expected, tolerance) in [
        ("rgb.bmp", "rgb", 0),
        ("opaque.bmp", "rgb", 0),
        ("palette.bmp", "palette.expected", 0),
        ("palette.gif", "palette.expected", 0),
        ("animated.gif", "palette.expected", 0),
        ("lossless.webp", "rgb", 0),
        ("animated.webp", "rgb", 0),
        ("alpha.webp", "alpha.expected", 1),
        ("turned-6.webp", "rgb", 0),
        ("plain.tif", "rgb", 0),
        ("lzw.tif", "rgb", 0),
        ("deflate.tif", "rgb", 0),
        ("packed.tif", "rgb", 0),
        ("cmyk.tif", "rgb", 1),
        ("alpha.tif", "alpha.expected", 1),
        ("turned-6.tif", "rgb", 0),
        ("grey.tif", "grey", 0),
        ("sixteen-bit.tif", "grey", 0),
        ("one-bit.tif", "one-bit.expected", 0),
        ("fax.tif", "one-bit.expected", 0),
        ("palette.tif", "palette.expected", 0),
        ("palette-lzw.tif", "palette.expected", 0),
        ("palette-4.tif", "palette-4.expected", 0),
    ] {
        let (found, expected) = (read(form), read(&format!("{expected}.png")));
        assert_eq!((found.size(), found.planes.len()), (expected.size(), expected.planes.len()), "{form}");
        let (largest, _) = difference(&found.planes.concat(), &expected.planes.concat());
        assert!(largest <= tolerance, "{form}: off by {largest}");
    }
    // A grey palette stays a picture of three equal planes.
    let grey = read("grey.bmp");
    assert!(grey.is_grey() && !read("rgb.bmp").is_grey());
    assert_eq!(grey.planes[0], read("grey.png").planes[0]);
    let (_, mean) = difference(&read("lossy.webp").planes.concat(), &read("rgb.png").planes.concat());
    assert!(mean < 4.0, "lossy.webp: off by {mean} in the mean");
}

#[test]
fn what_is_transparent_shows_the_colour_behind() {
    // The upper rows are nearly transparent.
    for name in ["alpha.png", "alpha.webp", "alpha.tif"] {
        let red = Picture::read(&fixture(name), Color([200, 10, 30])).unwrap();
        for (plane, expected) in red.planes.iter().zip([200_u8, 10, 30]) {
            assert!(plane[47].abs_diff(expected) <= 4, "{name}: {} for {expected}", plane[47]);
        }
    }
}

#[test]
fn a_picture_is_squashed_or_padded_with_the_colour_around() {
    let rgb = read("rgb.png");
    let around = Fit { resize: Resize::Pad, behind: Color::WHITE, around: Color([1, 2, 3]) };
    let padded = rgb.to_pixels(Shape::image(3, 28, 28), around);
    for (plane, expected) in padded.chunks_exact(28 * 28).zip([1, 2, 3]) {
        assert!(plane[..4 * 28].iter().chain(&plane[23 * 28..]).all(|&pixel| pixel == expected));
    }
    assert_eq!(rgb.to_pixels(Shape::image(1, 28, 28), around)[0], 2);
    let squashed = rgb.to_pixels(Shape::image(3, 16, 16), fit(Resize::Squash));
    // The white corner is a quarter of the width and of the height.
    assert!(squashed[..3].iter().all(|&pixel| pixel == 255) && squashed[16 * 15] < 10);
    assert!(squashed[16 * 3] > 200 && squashed[16 * 5] < 30, "{:?}", &squashed[..16 * 8]);
}

#[test]
fn a_written_png_is_read_as_it_was() {
    for (shape, name) in [(Shape::image(3, 32, 48), "rgb.png"), (Shape::image(1, 32, 48), "grey.png")] {
        let pixels = read(name).planes.concat();
        let again = Picture::decode(Path::new("p"), &png(&pixels, shape), Color::WHITE).unwrap();
        assert_eq!(again.planes.concat(), pixels);
    }
}

#[test]
fn a_turned_photo_is_seen_upright() {
    let rgb = read("rgb.png");
    for orientation in 1..=8 {
        let photo = read(&format!("turned-{orientation}.jpg"));
        assert_eq!(photo.size(), rgb.size(), "orientation {orientation}");
        let (_, mean) = difference(&photo.planes.concat(), &rgb.planes.concat());
        assert!(mean < 1.0, "orientation {orientation}: off by {mean} in the mean");
    }
}

#[test]
fn padding_cropping_and_squashing_are_off_by_at_most_one_level_from_pillow() {
    let rgb = read("rgb.png");
    // Pillow rounds to whole numbers between rows and columns; this does not.
    let cropped = rgb.to_pixels(Shape::image(3, 20, 20), fit(Resize::Crop));
    assert!(difference(&cropped, &read("rgb.cropped.png").planes.concat()).0 <= 1);
    // 700 rows become 10: a pixel is the mean of 140 × 11 at most.
    let squashed = read("noise.png").to_pixels(Shape::image(1, 10, 12), fit(Resize::Squash));
    assert!(difference(&squashed, &read("noise.squashed.png").planes.concat()).0 <= 1);
    let padded = rgb.to_pixels(Shape::image(3, 28, 28), fit(Resize::Pad));
    let expected = read("rgb.padded.png");
    for (plane, expected) in padded.chunks_exact(28 * 28).zip(&expected.planes) {
        assert!(plane[..4 * 28].iter().chain(&plane[23 * 28..]).all(|&pixel| pixel == 0), "black at both sides");
        assert!(difference(&plane[4 * 28..23 * 28], expected).0 <= 1);
    }
}

#[test]
fn a_picture_of_the_right_size_keeps_every_pixel() {
    let grey = read("grey.png");
    let shape = Shape::image(1, 32, 48);
    for fit in [fit(Resize::Pad), fit(Resize::Crop)] {
        assert_eq!(grey.to_pixels(shape, fit), grey.planes[0]);
    }
}

#[test]
fn colour_becomes_grey_and_grey_becomes_colour_as_in_pillow() {
    let shape = |channels| Shape::image(channels, 32, 48);
    let grey = read("rgb.png").to_pixels(shape(1), fit(Resize::Pad));
    assert!(difference(&grey, &read("grey.png").planes[0]).0 <= 1);
    let colour = read("grey.png").to_pixels(shape(3), fit(Resize::Pad));
    assert_eq!(colour, read("grey.png").planes[0].repeat(3));
}

#[test]
fn extreme_proportions_become_pictures_of_the_shape() {
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (29, 28)] {
        let picture = Picture { width, height, planes: vec![vec![255; width * height]] };
        for fit in [fit(Resize::Pad), fit(Resize::Crop)] {
            let pixels = picture.to_pixels(Shape::image(1, 28, 28), fit);
            assert_eq!(pixels.len(), 784);
            assert!(pixels.contains(&255), "{width} × {height} by {fit:?} vanished");
        }
    }
}

#[test]
fn a_picture_cut_anywhere_is_refused() {
    for name in [
        "rgb.png",
        "palette.png",
        "baseline.jpg",
        "progressive.jpg",
        "grey.jpg",
        "palette.gif",
        "rgb.bmp",
        "palette.bmp",
        "lossless.webp",
        "lossy.webp",
        "plain.tif",
        "lzw.tif",
        "deflate.tif",
    ] {
        let bytes = bytes(name);
        // The last bytes of a GIF say that it is over, and that of a WebP is filling: the picture is whole before.
        let last = if name.ends_with("gif") { 3 } else { usize::from(name.ends_with("webp")) };
        for cut in 0..bytes.len() - last {
            let text = refused(&bytes[..cut]);
            assert!(
                ["is damaged or cut", "is no PNG, JPEG, GIF, BMP, WebP or TIFF", "is empty"]
                    .iter()
                    .any(|end| text == format!("`picture` {end}")),
                "{name} cut at {cut} of {}: {text}",
                bytes.len()
            );
        }
    }
}

#[test]
fn damage_anywhere_is_an_error_or_another_picture_and_never_a_panic() {
    for name in ["palette.png", "alpha.png", "baseline.jpg", "progressive.jpg", "turned-6.jpg"] {
        let bytes = bytes(name);
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x55;
            let _ = refused(&damaged);
        }
    }
}

#[test]
fn a_few_bytes_that_claim_a_huge_picture_are_refused() {
    for ending in ["png", "jpg", "gif", "bmp", "webp", "tif"] {
        let side = if ending == "webp" { 16_383 } else { 60_000 };
        let expected = format!("`picture` has {side} × {side} pixels; at most 67108864 are decoded");
        assert_eq!(refused(&bytes(&format!("huge.{ending}"))), expected, "{ending}");
    }
}

#[test]
fn what_is_no_picture_is_refused_by_name() {
    assert_eq!(refused(b"nonsense"), "`picture` is no PNG, JPEG, GIF, BMP, WebP or TIFF");
    assert_eq!(refused(b""), "`picture` is empty");
    assert_eq!(refused(b"<svg>"), "`picture` is text, perhaps SVG or a web page, and no picture of pixels");
    assert_eq!(refused(b"\0\0\0\x18ftypheic"), "`picture` is HEIC, which is not read; convert it to JPEG or PNG");
    assert_eq!(refused(b"\0\0\0\x1cftypavif"), "`picture` is AVIF, which is not read; convert it to JPEG or PNG");
    let folder = tempfile::tempdir().unwrap();
    let error = Picture::read(folder.path(), Color::WHITE).unwrap_err().to_string();
    assert!(error.ends_with("is a folder, not a picture"), "{error}");
    let error = Picture::read(&folder.path().join("none.png"), Color::WHITE).unwrap_err().to_string();
    assert!(error.starts_with("cannot read `") && error.ends_with("none.png`"), "{error}");
}

#[test]
fn the_negative_has_the_other_brightness() {
    let picture = Picture { width: 2, height: 1, planes: vec![vec![0, 51]] };
    assert!((picture.brightness() - 0.1).abs() < 1e-12);
    assert!((picture.inverted().brightness() - 0.9).abs() < 1e-12);
}

#[test]
fn a_device_and_a_file_without_end_are_refused_before_they_are_decoded() {
    let told = |path: &Path| Picture::read(path, Color::WHITE).unwrap_err().to_string();
    #[cfg(unix)]
    assert_eq!(told(Path::new("/dev/null")), "`/dev/null` is no regular file");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    assert!(told(&path).contains("` has more than "), "{}", told(&path));
    assert!(told(&path).ends_with(" MiB, the most that is read"), "{}", told(&path));
}
